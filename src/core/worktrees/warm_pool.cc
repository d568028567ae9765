#include "core/worktrees/warm_pool.h"

#include <algorithm>

#include "core/state/checkouts.h"
#include "core/state/races.h"
#include "core/state/tasks.h"
#include "core/worktrees/worktree_calls.h"

namespace orchestrator::core {
namespace {

/// Warm worktrees before there is a plan, in an extreme mission: the usual number of strategies of
/// a race.
constexpr std::size_t kBeforePlanMax = 3;

bool is_before_plan(const State& state) {
  return state.phase == Phase::briefing || state.phase == Phase::planning;
}

bool has_tree(const State& state, const Task& task) {
  return std::ranges::any_of(state.worktrees.trees,
                             [&](const Worktree& tree) { return tree.task == task.id; });
}

/// Number of strategies of the largest race that has not begun. `waiting`: only races whose task
/// still waits for other tasks.
std::size_t strategies_to_come(const State& state, bool waiting) {
  std::size_t most = 0;
  for (const Task& task : state.tasks) {
    if (task.race.running || is_settled(task.status)) continue;
    if (waiting && task.status != TaskStatus::pending) continue;
    // Until git has answered whether it can make worktrees, assume that it can.
    const bool raced =
        uses_worktrees(state) ? is_raced(state, task) : task.spec.strategies.size() > 1;
    if (raced) most = std::max(most, task.spec.strategies.size());
  }
  return most;
}

std::size_t tasks_without_place(const State& state) {
  return static_cast<std::size_t>(std::ranges::count_if(state.tasks, [&](const Task& task) {
    return !is_settled(task.status) && !task.race.running && &root_of(state, task) == &task &&
           works_in_worktree(state, task) && !has_tree(state, task);
  }));
}

/// Most warm worktrees: together with the others at most one for each slot.
std::size_t warm_max(const State& state) {
  const auto others = static_cast<std::size_t>(std::ranges::count_if(
      state.worktrees.trees, [](const Worktree& tree) { return !is_warm(tree); }));
  return state.parallel > others ? state.parallel - others : 0;
}

std::size_t warm_to_make(const State& state) {
  if (!state.worktrees.problem.empty() || state.worktrees.no_warm) return 0;
  if (is_before_plan(state)) return state.extreme ? kBeforePlanMax : 0;
  return state.phase == Phase::executing ? strategies_to_come(state, true) : 0;
}

/// The commit for warm worktrees; empty: not known yet, and git has been asked for it if it may be.
std::string base_of_warm(Context& ctx) {
  WorktreesState& trees = ctx.state.worktrees;
  if (!trees.integrated.empty()) return trees.integrated;
  const bool asks = trees.warm_base.empty() && trees.effect == 0 && is_before_plan(ctx.state);
  if (asks) {
    trees.for_warm = true;
    trees.effect = ask_git(ctx, trees.checked ? TreeCall::snapshot : TreeCall::check);
  }
  return trees.warm_base;
}

void make_warm(Context& ctx) {
  std::vector<Worktree>& trees = ctx.state.worktrees.trees;
  const std::size_t wanted = std::min(warm_to_make(ctx.state), warm_max(ctx.state));
  auto there = static_cast<std::size_t>(std::ranges::count_if(trees, is_warm));
  if (there >= wanted) return;
  const std::string base = base_of_warm(ctx);
  if (base.empty()) return;
  for (; there < wanted; ++there) {
    Worktree spare;
    spare.name = "spare-" + std::to_string(++ctx.state.worktrees.named);
    spare.base = base;
    trees.push_back(std::move(spare));
  }
}

}  // namespace

bool is_warm_needed(const State& state, const Worktree& spare) {
  if (!state.worktrees.problem.empty()) return false;
  if (state.phase == Phase::blocked || state.phase == Phase::paused) return true;
  const std::size_t wanted = is_before_plan(state)
                                 ? warm_to_make(state)
                                 : strategies_to_come(state, false) + tasks_without_place(state);
  std::size_t before = 0;
  for (const Worktree& tree : state.worktrees.trees) {
    if (tree.name == spare.name) break;
    before += is_warm(tree) ? 1 : 0;
  }
  return before < wanted;
}

void drive_warm_pool(Context& ctx) {
  if (!is_running(ctx.state.phase)) return;
  make_warm(ctx);
  for (Worktree& tree : ctx.state.worktrees.trees) {
    if (!is_warm(tree) || tree.effect != 0 || !is_warm_needed(ctx.state, tree)) continue;
    if (tree.state == TreeState::adding) ask_for_tree(ctx, tree);
    const bool opens = tree.state == TreeState::standing && !tree.opened && tree.failures == 0;
    if (!opens || !may_open(ctx.state, tree)) continue;
    tree.state = TreeState::opening;
    tree.effect = ctx.new_effect();
    ctx.emit(OpenDirectory{tree.effect, tree.directory});
  }
}

void on_directory_opened(Context& ctx, Worktree& tree, bool opened) {
  if (tree.state != TreeState::opening) return;
  tree.effect = 0;
  tree.state = TreeState::standing;
  tree.opened = opened;
  tree.failures = opened ? 0 : 1;  // not tried again: the first session there opens it
  ctx.moved = true;
}

Worktree* take_warm(State& state, const TaskId& task) {
  const auto worth = [](const Worktree& tree) {
    if (!is_warm(tree)) return 0;
    if (tree.state == TreeState::standing) return tree.opened ? 3 : 1;
    return tree.state == TreeState::opening ? 2 : 0;
  };
  std::vector<Worktree>& trees = state.worktrees.trees;
  const auto best = std::ranges::max_element(trees, {}, worth);
  if (best == trees.end() || worth(*best) == 0) return nullptr;
  best->task = task;
  if (best->state == TreeState::opening) {  // the task's session waits for the same opening
    best->state = TreeState::standing;
    best->effect = 0;
  }
  return &*best;
}

bool warm_comes(const State& state) {
  return std::ranges::any_of(state.worktrees.trees, [](const Worktree& tree) {
    return is_warm(tree) && tree.state == TreeState::adding;
  });
}

}  // namespace orchestrator::core
