#pragma once

#include <string>

#include "orchestrator/mission.h"

/// Where the sessions of a task work: the project's directory, or a git worktree.
namespace orchestrator::core {

/// There are worktrees: they were asked for, or a task is raced, and git has not said that there
/// can be none.
[[nodiscard]] bool uses_worktrees(const State& state);
/// Whether this task (a root, see below) has a worktree: all do where the user wants it, else the
/// runs of a race and what solves their conflicts.
[[nodiscard]] bool works_in_worktree(const State& state, const Task& root);
/// The task whose worktree this one's sessions work in: itself, or the one that it is a part of. A
/// run of a race is a root.
[[nodiscard]] const Task& root_of(const State& state, const Task& task);
/// Where the sessions of a task work, or the project (empty).
[[nodiscard]] std::string directory_of(const State& state, const TaskId& task);
/// The host has begun a turn in the worktree of this session's task, if it has one.
void note_opened(State& state, const Session& session);
/// What the Worker has made is known, or need not be.
[[nodiscard]] bool is_collected(const State& state, const Task& task);
/// A worktree that no task has: the first that wants one takes it.
[[nodiscard]] bool is_warm(const Worktree& tree);

/// The worktree of this root task that stands or is being made; null: there is none.
[[nodiscard]] Worktree* tree_of(State& state, const TaskId& task);
/// Whether the task's work is merged by itself, not as a part of another task's.
[[nodiscard]] bool has_own_tree(const State& state, const Task& task);
/// Whether the task's worktree has something to give, or is about to.
[[nodiscard]] bool needs_tree(const Task& task);

}  // namespace orchestrator::core
