#pragma once

#include <string>

namespace orchestrator::sim {

/// Something that must never be was. Thrown where it is found, and ends the run. Not a
/// std::exception: the project's own code must not catch it.
struct Violation {
  std::string invariant;  ///< its name: the same in every run that breaks it
  std::string text;       ///< what exactly was found
};

}  // namespace orchestrator::sim
