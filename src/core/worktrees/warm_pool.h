#pragma once

#include "core/state/context.h"

/// Worktrees that are made, and opened by the host, before there is a task for them
/// (docs/design/worktrees.md). A host's first start in a directory costs its one thread seconds,
/// during which nothing else goes on; while a Planner thinks, or a race's dependencies are worked
/// off, the thread has time. All follows from the state.
namespace orchestrator::core {

/// Whether a task may want it: a run of a race that is still to come, or one that has no place yet.
[[nodiscard]] bool is_warm_needed(const State& state, const Worktree& spare);
/// Makes those that are missing, and has the host open them, one after the other.
void drive_warm_pool(Context& ctx);
/// The host has opened one, or could not. Whether it was asked for.
void on_directory_opened(Context& ctx, Worktree& tree, bool opened);
/// Gives the task one that stands, best one that is open; null: there is none.
[[nodiscard]] Worktree* take_warm(State& state, const TaskId& task);
/// One is being made, and will stand soon.
[[nodiscard]] bool warm_comes(const State& state);

}  // namespace orchestrator::core
