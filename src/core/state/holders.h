#pragma once

#include <string>

#include "orchestrator/mission.h"

/// Resources that a task must get before it begins: its files, which other tasks may hold, and a
/// worktree.
namespace orchestrator::core {

/// The task in work that keeps `asking` from writing this file; null: none. A parent's files are
/// free for its subtasks.
[[nodiscard]] const Task* holder_of(const State& state, const Task& asking,
                                    const std::string& path);
/// True if `asking` need not wait for the files of `holder`, which has stopped in a merge conflict:
/// `asking` solves a conflict itself, or the task that solves `holder`'s is blocked.
[[nodiscard]] bool yields_claims(const State& state, const Task& holder, const Task& asking);
/// True if `task` cannot begin because of files that `other` claims: `other` is in work, or is
/// ready and was preempted less often.
[[nodiscard]] bool keeps_waiting(const State& state, const Task& other, const Task& task);
/// Whether no task keeps this one waiting.
[[nodiscard]] bool claim_is_free(const State& state, const Task& task);
/// Whether the task has its files and a worktree: if it is ready, it needs only a slot.
[[nodiscard]] bool could_begin(const State& state, const Task& task);

/// Whether one more worktree may be made for this task. They are limited because each one costs the
/// host the memory of an instance.
[[nodiscard]] bool has_room_for_tree(const State& state, const Task& task);
/// Whether the task needs no worktree, has one, or may get one.
[[nodiscard]] bool may_have_place(const State& state, const Task& task);

}  // namespace orchestrator::core
