#pragma once

#include <string>
#include <vector>

#include "orchestrator/mission.h"

/// Races: a task with rival strategies, each tried by an entrant (a task of its own) in a worktree.
namespace orchestrator::core {

/// Strategies that one task may have.
inline constexpr std::size_t kStrategiesMax = 8;
/// Of one strategy: a line.
inline constexpr std::size_t kStrategyBytesMax = 200;
/// What is wrong with a plan's strategies; `at` names the place. Empty: nothing.
[[nodiscard]] std::vector<std::string> strategy_problems(const std::vector<std::string>& race,
                                                         const std::string& at);
/// It has strategies to be run side by side, and there are worktrees, as far as is known.
[[nodiscard]] bool is_raced(const State& state, const Task& task);
/// Whether the two belong to different runs, or the one to a run and the other is raced itself:
/// they work in different worktrees, and were let in as a whole, so neither holds files against the
/// other.
[[nodiscard]] bool in_other_entrant(const State& state, const Task& a, const Task& b);
/// The first works in a run, or a part of one, and the second does not. What the run makes comes
/// into the project through git, and its race was let in as a whole: it waits for nobody's files
/// any more.
[[nodiscard]] bool isolated_from(const State& state, const Task& task, const Task& other);
/// A race holds files that this task wants.
[[nodiscard]] bool waits_for_race(const State& state, const Task& task);
/// Whether it is a run, or a part of one.
[[nodiscard]] bool is_in_race(const State& state, const Task& task);
/// How people and models call it: a run by the task that is raced.
[[nodiscard]] const Task& display_task(const State& state, const Task& task);

}  // namespace orchestrator::core
