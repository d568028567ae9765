#pragma once

#include <string>
#include <vector>

#include "core/state/context.h"

/// A task with several strategies is raced (docs/design/racing.md): each strategy is a task of its own, a
/// run, in a git worktree of its own. The first run that is accepted wins; the others are dropped,
/// and the raced task is done when the winner's work is in the project. All follows from the state.
namespace orchestrator::core {

/// Strategies that one task may have.
inline constexpr std::size_t kStrategiesMax = 8;

/// What is wrong with a plan's strategies; `at` names the place. Empty: nothing.
[[nodiscard]] std::vector<std::string> strategy_problems(const std::vector<std::string>& race,
                                                         const std::string& at);

/// It has strategies to be run side by side, and there are worktrees, as far as is known.
[[nodiscard]] bool is_raced(const State& state, const Task& task);
/// Whether the two belong to different runs, or the one to a run and the other is raced itself:
/// they work in different worktrees, and were let in as a whole, so neither holds files against the
/// other.
[[nodiscard]] bool run_apart(const State& state, const Task& a, const Task& b);
/// The first works in a run, or a part of one, and the second does not. What the run makes comes
/// into the project through git, and its race was let in as a whole: it waits for nobody's files
/// any more.
[[nodiscard]] bool runs_without(const State& state, const Task& task, const Task& other);
/// A race holds files that this task wants.
[[nodiscard]] bool waits_for_race(const State& state, const Task& task);
/// Whether it is a run, or a part of one.
[[nodiscard]] bool is_in_race(const State& state, const Task& task);
/// How people and models call it: a run by the task that is raced.
[[nodiscard]] const Task& named_task(const State& state, const Task& task);

/// Begins a race with the files of this commit. Its dependencies are settled and its claim is free.
/// It adds tasks: references to them do not outlive this.
void start_race(Context& ctx, Task& task, const std::string& commit);
/// Ends races that are won or lost, and drops runs that nobody waits for.
void settle_races(Context& ctx);

/// For a card: which strategy is this session's. Empty: none.
[[nodiscard]] std::string strategy_note(const State& state, const Task& task);

}  // namespace orchestrator::core
