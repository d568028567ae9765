#pragma once

#include <string>

#include "core/state/context.h"

/// Isolation `worktree` (docs/design/worktrees.md): each task has a git worktree for its sessions
/// and those of its parts; what is accepted is merged, one task after the other, and brought into
/// the project's files; what conflicts becomes a task. All follows from the state, so what a crash
/// has cut off is asked for again.
namespace orchestrator::core {

/// A mission begins whose user wants worktrees.
void begin_worktrees(Context& ctx);

/// Whether the sessions of a task may work now, as far as their directory is concerned. Where its
/// worktree is not there yet, it is asked for. The host opens one worktree after the other: each
/// costs its one thread seconds, and side by side the first would begin with the last.
[[nodiscard]] bool has_place(Context& ctx, const Task& task);
/// Something is being done with a worktree, or is about to be: there may be room for another soon.
[[nodiscard]] bool worktrees_move(const State& state);

/// It has passed its review. True: it is done when it is merged.
[[nodiscard]] bool awaits_merge(Context& ctx, Task& task);
/// A person says that it is done: what its worktree holds by now is merged as well.
void keep_work(State& state, Task& task);

/// A new plan comes: its tasks do not begin with what those that it replaces have left.
void leave_worktrees(State& state);

/// Asks git for what is due: the check, the first snapshot, submitted work, the next merge.
void drive_worktrees(Context& ctx);
/// Lets worktrees go that nobody needs; also when the mission is over.
void drop_worktrees(Context& ctx);
/// Sessions that were told to stop are waited for no longer.
void on_tree_timer(Context& ctx);
/// A mission that is over has something in git yet.
[[nodiscard]] bool leaves_worktrees(const State& state);
/// Nothing that was asked is in flight any more.
void forget_tree_calls(State& state);

/// What git answered to the check or the first snapshot, and to a call about one worktree.
void on_snapshot_answered(Context& ctx, const WorktreesAnswered& event);
void on_tree_answered(Context& ctx, Worktree& tree, const WorktreesAnswered& event);
/// Also where the host could not.
void on_directory_disposed(Context& ctx, Worktree& tree);

}  // namespace orchestrator::core
