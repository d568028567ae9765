#pragma once

#include <string>

namespace orchestrator::sim {

/// A broken invariant. Thrown where it is found, and ends the run. Not a std::exception: the
/// project's own code must not catch it.
struct Violation {
  std::string invariant;  ///< name of the invariant, the same in every run that breaks it
  std::string text;       ///< details of this violation
};

}  // namespace orchestrator::sim
