#include "core/state/checkouts.h"

#include <algorithm>

#include "core/state/tasks.h"
#include "orchestrator/step.h"

namespace orchestrator::core {

Worktree* tree_of(State& state, const TaskId& task) {
  std::vector<Worktree>& trees = state.worktrees.trees;
  const auto it = std::ranges::find_if(trees, [&](const Worktree& tree) {
    return tree.task == task && !tree.stale &&
           (tree.state == TreeState::adding || tree.state == TreeState::standing);
  });
  return it == trees.end() ? nullptr : &*it;
}

bool has_own_tree(const State& state, const Task& task) {
  return &root_of(state, task) == &task && works_in_worktree(state, task);
}

bool needs_tree(const Task& task) {
  if (task.worktree.merge != MergeState::none)
    return task.worktree.merge == MergeState::waiting && task.worktree.commit.empty();
  return !is_settled(task.status) && !task.race.running;  // a race's entrants have their own
}

bool uses_worktrees(const State& state) {
  const WorktreesState& trees = state.worktrees;
  return (trees.wanted || trees.races) && trees.problem.empty();
}

bool works_in_worktree(const State& state, const Task& root) {
  return uses_worktrees(state) && (state.worktrees.wanted || !root.race.strategy.empty() ||
                                   !root.worktree.resolves_conflict_of.empty());
}

const Task& root_of(const State& state, const Task& task) {
  const Task* at = &task;
  for (std::size_t i = 0; i < state.tasks.size() && !at->parent.empty(); ++i) {
    if (!at->race.strategy.empty()) break;
    const Task* whole = find_task(state, at->parent);
    if (whole == nullptr) break;
    at = whole;
  }
  return *at;
}

std::string directory_of(const State& state, const TaskId& task) {
  const Task* own = find_task(state, task);
  if (own == nullptr || !uses_worktrees(state)) return "";
  const TaskId root = root_of(state, *own).id;
  // A worktree that is being disposed of counts too: its last session may still send events.
  const auto& trees = state.worktrees.trees;
  const auto it = std::find_if(trees.rbegin(), trees.rend(),
                               [&](const Worktree& tree) { return tree.task == root; });
  return it == trees.rend() ? "" : it->directory;
}

void note_opened(State& state, const Session& session) {
  const Task* task = find_task(state, session.task);
  if (task == nullptr || state.worktrees.trees.empty()) return;
  Worktree* tree = tree_of(state, root_of(state, *task).id);
  if (tree != nullptr) tree->opened = true;
}

bool is_collected(const State& state, const Task& task) {
  return !has_own_tree(state, task) || !task.worktree.commit.empty();
}

bool is_warm(const Worktree& tree) { return tree.task.empty() && !tree.stale; }

}  // namespace orchestrator::core

namespace orchestrator {

std::string directory_of(const State& state, const SessionId& session) {
  const Session* child = find_session(state, session);
  return child == nullptr ? "" : core::directory_of(state, child->task);
}

}  // namespace orchestrator
