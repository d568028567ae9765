#pragma once

#include <string>

#include "orchestrator/mission.h"

/// What is said of a mission to its Commander. Each text ends with what is asked of it.
namespace orchestrator::core {

/// At most 4 kB: the mission is sealed, blocked, paused, cancelled or failed.
[[nodiscard]] std::string final_report(const State& state);
/// At most 4 kB: it runs on, and the user has written something.
[[nodiscard]] std::string interruption_report(const State& state, const std::string& words);

}  // namespace orchestrator::core
