#include "core/state/holders.h"

#include <algorithm>

#include "core/state/checkouts.h"
#include "core/state/path_claims.h"
#include "core/state/races.h"
#include "core/state/tasks.h"

namespace orchestrator::core {

/// The owner's worktree is unused: its Worker waits for subtasks, and these wait for subtasks too.
bool all_wait(const State& state, const Task& owner) {
  return waits_for_subtasks(state, owner) &&
         std::ranges::none_of(state.tasks, [&](const Task& part) {
           return is_subtask_of(state, part, owner.id) && is_in_work(part.status) &&
                  !waits_for_subtasks(state, part);
         });
}

/// A task that solves a conflict always gets a worktree: other tasks wait for it.
bool has_room_for_tree(const State& state, const Task& task) {
  if (!task.worktree.resolves_conflict_of.empty()) return true;
  const auto standing = std::ranges::count_if(state.worktrees.trees, [&](const Worktree& tree) {
    if (is_warm(tree)) return false;  // the task may take this one
    const Task* owner = find_task(state, tree.task);
    if (owner == nullptr || tree.stale) return true;
    // Tasks that wait for other tasks must not keep those from getting a worktree.
    const bool waits = owner->status == TaskStatus::blocked ||
                       owner->status == TaskStatus::pending ||
                       (owner->status == TaskStatus::ready && waits_for_race(state, *owner)) ||
                       all_wait(state, *owner);
    return !waits;
  });
  return static_cast<std::size_t>(standing) < std::max<std::size_t>(state.parallel, 1);
}

bool may_have_place(const State& state, const Task& task) {
  const Task& root = root_of(state, task);
  if (!works_in_worktree(state, root)) return true;
  const bool has = std::ranges::any_of(state.worktrees.trees,
                                       [&](const Worktree& tree) { return tree.task == root.id; });
  return has || has_room_for_tree(state, task);
}

const Task* holder_of(const State& state, const Task& asking, const std::string& path) {
  const auto held = std::ranges::find_if(state.tasks, [&](const Task& task) {
    return task.id != asking.id && is_in_work(task.status) && claims(task, path) &&
           !is_subtask_of(state, asking, task.id) && !in_other_entrant(state, asking, task);
  });
  return held == state.tasks.end() ? nullptr : &*held;
}

/// The task has a merge conflict, and the task that solves the conflict is blocked.
bool is_stuck(const State& state, const Task& task) {
  const Task* at = &task;
  for (std::size_t i = 0; i < state.tasks.size() && at->worktree.merge == MergeState::conflict;
       ++i) {
    const auto next = std::ranges::find_if(state.tasks, [&](const Task& other) {
      return other.worktree.resolves_conflict_of == at->id && !is_settled(other.status);
    });
    if (next == state.tasks.end()) return false;
    if (next->status == TaskStatus::blocked) return true;
    at = &*next;
  }
  return false;
}

bool yields_claims(const State& state, const Task& holder, const Task& asking) {
  if (holder.race.running) {
    return std::ranges::any_of(state.tasks, [&](const Task& run) {
      return run.parent == holder.id && !run.race.strategy.empty() &&
             yields_claims(state, run, asking);
    });
  }
  if (holder.worktree.merge != MergeState::conflict) return false;
  return !root_of(state, asking).worktree.resolves_conflict_of.empty() || is_stuck(state, holder);
}

bool keeps_waiting(const State& state, const Task& other, const Task& task) {
  // A preempted task lets the tasks go first that were preempted less often.
  const bool goes_first =
      is_in_work(other.status) ||
      (other.status == TaskStatus::ready && other.progress.preemptions < task.progress.preemptions);
  return goes_first && &other != &task && claims_overlap(task, other) &&
         !is_subtask_of(state, task, other.id) && !is_subtask_of(state, other, task.id) &&
         !isolated_from(state, task, other) && !yields_claims(state, other, task);
}

bool claim_is_free(const State& state, const Task& task) {
  return std::ranges::none_of(state.tasks,
                              [&](const Task& other) { return keeps_waiting(state, other, task); });
}

bool could_begin(const State& state, const Task& task) {
  return claim_is_free(state, task) && may_have_place(state, task);
}

}  // namespace orchestrator::core
