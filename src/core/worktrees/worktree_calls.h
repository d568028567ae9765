#pragma once

#include <cstdint>
#include <string>

#include "core/state/context.h"

/// What git and the host are asked to do with one worktree.
namespace orchestrator::core {

/// Tries of one git call, and of one merge that other writing has spoilt.
inline constexpr std::uint32_t kTreeTriesMax = 3;
/// Asks git; the answer comes as `WorktreesAnswered`.
EffectId ask_git(Context& ctx, TreeCall call, const std::string& name = "",
                 const std::string& from = "", const std::string& to = "", const TaskId& task = {});
/// Asks git for this worktree, from its base.
void ask_for_tree(Context& ctx, Worktree& tree);
/// The host may begin to work in it: it has its instance there, or is bringing up no other one. A
/// task waits for no spare.
[[nodiscard]] bool may_open(const State& state, const Worktree& tree);
/// The task cannot go on; what it has made stays where it can be found.
void block_for_git(Context& ctx, Task& task, const std::string& why);

}  // namespace orchestrator::core
