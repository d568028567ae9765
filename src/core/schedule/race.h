#pragma once

#include <string>
#include <vector>

#include "core/state/context.h"

/// A task with several strategies is raced (docs/design/racing.md): each strategy is a task of its
/// own, a run, in a git worktree of its own. The first run that is accepted wins; the others are
/// dropped, and the raced task is done when the winner's work is in the project. All follows from
/// the state.
namespace orchestrator::core {

/// Ends races that are won or lost, and drops entrants whose race is over.
void settle_races(Context& ctx);

/// The race of this ready task is to begin: asks for the snapshot that its runs begin with, unless
/// git is busy; it is asked for again then.
void prepare_race(Context& ctx, const Task& task);
/// Whether what is asked of git now is for the race that `prepare_race` prepares.
[[nodiscard]] bool prepares_race(const State& state);
/// Starts that race, unless git could not make its snapshot or the task is not ready any more.
void on_race_prepared(Context& ctx, const WorktreesAnswered& event);

}  // namespace orchestrator::core
