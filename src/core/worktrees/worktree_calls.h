#pragma once

#include <cstdint>
#include <string>

#include "core/state/context.h"

/// Requests to git and the host for one worktree.
namespace orchestrator::core {

/// Tries of one git call, and of one merge during which the project's files changed.
inline constexpr std::uint32_t kTreeTriesMax = 3;
/// Emits an `AskWorktrees`, which `WorktreesAnswered` answers.
EffectId ask_git(Context& ctx, TreeCall call, const std::string& name = "",
                 const std::string& from = "", const std::string& to = "", const TaskId& task = {});
/// Asks git for this worktree, from its base.
void ask_for_tree(Context& ctx, Worktree& tree);
/// Whether a session may begin in this worktree: the host has opened it, or is opening no other
/// one. The opening of a warm worktree does not make a task wait.
[[nodiscard]] bool may_open(const State& state, const Worktree& tree);
/// Blocks the task because git failed; its changes stay in the worktree.
void block_for_git(Context& ctx, Task& task, const std::string& why);

}  // namespace orchestrator::core
