#include "core/worktrees/worktree_calls.h"

#include <algorithm>

#include "base/text.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/checkouts.h"
#include "core/state/sessions.h"
#include "core/state/tasks.h"

namespace orchestrator::core {
namespace {

/// Whether the host is opening this worktree, for its first session or ahead of it.
bool is_opening(const State& state, const Worktree& tree) {
  if (tree.state == TreeState::opening) return true;
  if (tree.opened || tree.stale || is_warm(tree)) return false;
  return std::ranges::any_of(state.sessions, [&](const Session& session) {
    if (!is_starting(session.state)) return false;
    const Task* task = find_task(state, session.task);
    return task != nullptr && root_of(state, *task).id == tree.task;
  });
}

}  // namespace

EffectId ask_git(Context& ctx, TreeCall call, const std::string& name, const std::string& from,
                 const std::string& to, const TaskId& task) {
  AskWorktrees question{ctx.new_effect(), ctx.state.mission, call, name, from, to, task};
  const EffectId effect = question.effect;
  ctx.emit(std::move(question));
  return effect;
}

void ask_for_tree(Context& ctx, Worktree& tree) {
  tree.effect = ask_git(ctx, TreeCall::add, tree.name, tree.base, "", tree.task);
}

bool may_open(const State& state, const Worktree& tree) {
  return tree.opened || std::ranges::none_of(state.worktrees.trees, [&](const Worktree& other) {
           const bool goes_first = is_warm(tree) || !is_warm(other);
           return goes_first && other.name != tree.name && is_opening(state, other);
         });
}

void block_for_git(Context& ctx, Task& task, const std::string& why) {
  if (task.status == TaskStatus::done) {  // a person has accepted it
    task.worktree.merge = MergeState::none;
    ctx.emit(ShowToast{"error", task.id.value + ": " + base::clip(why, 400)});
    return;
  }
  if (!task_move_exists(task.status, TaskStatus::blocked)) return;
  task.note = base::clip(why, 1000);
  end_task_sessions(ctx, task.id);
  move_task(ctx, task, TaskStatus::blocked);
}

}  // namespace orchestrator::core
