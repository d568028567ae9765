#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "orchestrator/mission.h"

/// What is said of a mission to its Commander. Each text ends with what is asked of it.
namespace orchestrator::core {

/// At most 4 kB: the mission is sealed, blocked, paused, cancelled or failed.
[[nodiscard]] std::string final_report(const State& state);
/// At most 4 kB: it runs on, and the user has written something.
[[nodiscard]] std::string interruption_report(const State& state, const std::string& words);
/// A line for each task (of one status, or of all), at most `bytes_max` in all, then how many are
/// left out. `wait_of`, where given, says what a task waits for.
[[nodiscard]] std::string task_lines(const State& state, std::size_t bytes_max,
                                     std::optional<TaskStatus> status = {},
                                     const std::function<std::string(const Task&)>& wait_of = {});

}  // namespace orchestrator::core
