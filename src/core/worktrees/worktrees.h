#pragma once

#include <string>

#include "core/state/context.h"

/// Worktrees (docs/design/worktrees.md): each task has a git worktree for its sessions and those of
/// its subtasks; accepted work is merged into the project's files, one task at a time; a conflict
/// becomes a task. Every decision is computed from the state, so a request that a crash interrupted
/// is made again.
namespace orchestrator::core {

/// The user wants worktrees for this mission: asks git whether it can make them.
void begin_worktrees(Context& ctx);

/// Whether the directory of a task's sessions is ready. A missing worktree is asked for. The host
/// opens one worktree after the other: each opening blocks its only thread for seconds, so that
/// openings side by side would all end with the last.
[[nodiscard]] bool has_place(Context& ctx, const Task& task);
/// Whether git or the host is at work on a worktree, or will be: there may be room for another
/// soon.
[[nodiscard]] bool worktrees_move(const State& state);

/// The task has passed its review: puts its work into the merge queue. False: there is nothing to
/// merge, the task is done.
[[nodiscard]] bool awaits_merge(Context& ctx, Task& task);
/// A person has accepted the task: its work so far is to be merged as well.
void keep_work(State& state, Task& task);

/// A new plan replaces tasks: marks their worktrees stale, so that no new task starts from their
/// leftovers.
void leave_worktrees(State& state);

/// Asks git for what is next: the check, the first snapshot, submitted work, a merge.
void drive_worktrees(Context& ctx);
/// Removes the worktrees that no task needs; all of them when the mission is over.
void drop_worktrees(Context& ctx);
/// The timer for sessions that were aborted in a worktree: they are waited for no longer.
void on_tree_timer(Context& ctx);
/// Whether a mission that is over still has worktrees or commits in git.
[[nodiscard]] bool leaves_worktrees(const State& state);
/// Forgets all calls in flight: the process that made them is gone.
void forget_tree_calls(State& state);

/// Handle git's answers: to the check or a snapshot, and to a call about one worktree.
void on_snapshot_answered(Context& ctx, const WorktreesAnswered& event);
void on_tree_answered(Context& ctx, Worktree& tree, const WorktreesAnswered& event);
/// The host has let go of a worktree, or could not.
void on_directory_disposed(Context& ctx, Worktree& tree);

}  // namespace orchestrator::core
