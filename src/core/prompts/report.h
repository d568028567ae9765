#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "orchestrator/mission.h"

/// Reports on a mission for its Commander. Each ends with what the Commander is asked to do.
namespace orchestrator::core {

/// Report on a mission that is sealed, blocked, paused, cancelled or failed; at most 4 kB.
[[nodiscard]] std::string final_report(const State& state);
/// Report on a mission that goes on after a message of the user; at most 4 kB.
[[nodiscard]] std::string interruption_report(const State& state, const std::string& words);
/// One line for each task (of one status, or of all), at most `bytes_max` together, then the number
/// of tasks left out. `wait_of`, if given, says what a task waits for.
[[nodiscard]] std::string task_lines(const State& state, std::size_t bytes_max,
                                     std::optional<TaskStatus> status = {},
                                     const std::function<std::string(const Task&)>& wait_of = {});

}  // namespace orchestrator::core
