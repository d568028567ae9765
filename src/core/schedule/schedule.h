#pragma once

#include "core/state/context.h"

namespace orchestrator::core {

/// Gives free slots to whatever may run now: reviews and rework before new work, long paths first.
/// Moves the mission on where a phase is over, and blocks it where nothing can move any more.
/// Called after every event of a running mission that has `moved` something; called again at once,
/// it finds nothing to do.
void schedule(Context& ctx);

/// `other` is in work, or goes first because `task` gave way, and holds files that `task` wants, so
/// that it cannot begin.
[[nodiscard]] bool keeps_waiting(const State& state, const Task& other, const Task& task);
/// No task keeps this one waiting.
[[nodiscard]] bool claim_is_free(const State& state, const Task& task);
/// Nor does it lack a worktree: given a slot, a ready task begins.
[[nodiscard]] bool could_begin(const State& state, const Task& task);

}  // namespace orchestrator::core
