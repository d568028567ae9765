#pragma once

#include <string>
#include <vector>

#include "core/state/context.h"

/// Races (docs/design/racing.md): each strategy of a raced task is an entrant, a task of its own in
/// a git worktree of its own. The first entrant that is accepted wins; the others are dropped, and
/// the raced task is done when the winner's work is in the project.
namespace orchestrator::core {

/// Ends races that are won or lost, and drops entrants whose race is over.
void conclude_races(Context& ctx);

/// Prepares the race of this ready task: asks for the snapshot that its entrants start from. If git
/// is busy, a later pass asks.
void prepare_race(Context& ctx, const Task& task);
/// Whether the call to git in flight is for the race that `prepare_race` prepares.
[[nodiscard]] bool prepares_race(const State& state);
/// Starts that race, unless git could not make its snapshot or the task is not ready any more.
void on_race_prepared(Context& ctx, const WorktreesAnswered& event);

}  // namespace orchestrator::core
