#pragma once

#include <string>

#include "orchestrator/mission.h"

/// What keeps a task from beginning: files that other tasks hold, and worktrees that are taken.
namespace orchestrator::core {

/// The other task in work that holds this file, as far as `asking` is concerned: what a whole holds
/// its parts may write.
[[nodiscard]] const Task* holder_of(const State& state, const Task& asking,
                                    const std::string& path);
/// Whether `holder`, whose work is at rest in a conflict, is nothing that `asking` need wait for:
/// that one solves a conflict itself, or this one's solution is blocked.
[[nodiscard]] bool yields_claims(const State& state, const Task& holder, const Task& asking);
/// `other` is in work, or goes first because `task` gave way, and holds files that `task` wants, so
/// that it cannot begin.
[[nodiscard]] bool keeps_waiting(const State& state, const Task& other, const Task& task);
/// No task keeps this one waiting.
[[nodiscard]] bool claim_is_free(const State& state, const Task& task);
/// Nor does it lack a worktree: given a slot, a ready task begins.
[[nodiscard]] bool could_begin(const State& state, const Task& task);

/// Whether one more worktree may be made for this task: the host's instance for each costs memory.
[[nodiscard]] bool has_room_for_tree(const State& state, const Task& task);
/// Whether it has a worktree, or there is room for one.
[[nodiscard]] bool may_have_place(const State& state, const Task& task);

}  // namespace orchestrator::core
