#pragma once

#include <string>

#include "orchestrator/mission.h"

/// Working directory of a task's sessions: the project's directory, or a git worktree.
namespace orchestrator::core {

/// Whether the mission works with worktrees: the user asked for them, or a task is raced, and git
/// has not reported that it cannot make any.
[[nodiscard]] bool uses_worktrees(const State& state);
/// Whether this task (a root, see `root_of`) has a worktree: every task has in isolation
/// `worktree`, else only the entrants of a race and the tasks that solve their conflicts.
[[nodiscard]] bool works_in_worktree(const State& state, const Task& root);
/// The task whose worktree this task's sessions use: its topmost parent. An entrant of a race is a
/// root of its own.
[[nodiscard]] const Task& root_of(const State& state, const Task& task);
/// Working directory of the task's sessions; empty: the project's.
[[nodiscard]] std::string directory_of(const State& state, const TaskId& task);
/// Records that the host has opened the worktree of this session's task, if there is one.
void note_opened(State& state, const Session& session);
/// Whether the commit of the task's worktree is known, or none is needed.
[[nodiscard]] bool is_collected(const State& state, const Task& task);
/// A warm worktree: it has no task yet, and the first task that needs a worktree takes it.
[[nodiscard]] bool is_warm(const Worktree& tree);

/// The worktree of this root task that exists or is being made; null: none.
[[nodiscard]] Worktree* tree_of(State& state, const TaskId& task);
/// Whether the task has a worktree of its own, so that its work is merged by itself.
[[nodiscard]] bool has_own_tree(const State& state, const Task& task);
/// Whether the task's worktree must be kept: the task is unfinished, or its commit is not collected
/// yet.
[[nodiscard]] bool needs_tree(const Task& task);

}  // namespace orchestrator::core
