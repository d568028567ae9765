#pragma once

#include <string>
#include <vector>

#include "orchestrator/mission.h"

/// Races: a task with rival strategies, each tried by an entrant (a task of its own) in a worktree.
namespace orchestrator::core {

inline constexpr std::size_t kStrategiesMax = 8;
inline constexpr std::size_t kStrategyBytesMax = 200;
/// Problems of a plan's strategies; `at` names the place in messages.
[[nodiscard]] std::vector<std::string> strategy_problems(const std::vector<std::string>& race,
                                                         const std::string& at);
/// Whether the task's strategies compete: there are at least two, and worktrees for their entrants.
[[nodiscard]] bool is_raced(const State& state, const Task& task);
/// Whether the two belong to different entrants, or one belongs to an entrant and the other is
/// raced itself. They work in different worktrees, and their race was admitted as one, so neither
/// waits for the other's files.
[[nodiscard]] bool in_other_entrant(const State& state, const Task& a, const Task& b);
/// Whether `task` belongs to an entrant and `other` does not belong to the same one. An entrant
/// waits for no task's files: claims were checked when its race began, and its work is merged by
/// git.
[[nodiscard]] bool isolated_from(const State& state, const Task& task, const Task& other);
/// Whether a running race claims files of this task.
[[nodiscard]] bool waits_for_race(const State& state, const Task& task);
/// Whether the task is an entrant of a race, or a subtask of an entrant.
[[nodiscard]] bool is_in_race(const State& state, const Task& task);
/// The task that messages name: for an entrant, the task that is raced.
[[nodiscard]] const Task& display_task(const State& state, const Task& task);

}  // namespace orchestrator::core
