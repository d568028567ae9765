#pragma once

#include "core/state/context.h"

/// Warm worktrees: made, and opened by the host, before a task needs them
/// (docs/design/worktrees.md). The host's first start in a directory blocks its only thread for
/// seconds; while the Planner works, or the dependencies of a race, the thread is free. Every
/// function here depends on the state alone.
namespace orchestrator::core {

/// Whether a task may need this worktree: an entrant of a race that has not begun, or a task that
/// has no worktree yet.
[[nodiscard]] bool is_warm_needed(const State& state, const Worktree& spare);
/// Makes the missing warm worktrees and has the host open them, one after the other.
void drive_warm_pool(Context& ctx);
/// The host has opened a warm worktree, or could not.
void on_directory_opened(Context& ctx, Worktree& tree, bool opened);
/// Assigns a ready warm worktree to the task, preferably one that the host has opened; null: none.
[[nodiscard]] Worktree* take_warm(State& state, const TaskId& task);
/// Whether git is making a warm worktree now.
[[nodiscard]] bool warm_comes(const State& state);

}  // namespace orchestrator::core
