#include "core/worktrees/worktrees.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "core/state/checkouts.h"
#include "core/state/holders.h"
#include "core/state/tasks.h"
#include "core/worktrees/merge_queue.h"
#include "core/worktrees/warm_pool.h"
#include "core/worktrees/worktree_calls.h"

namespace orchestrator::core {
namespace {

/// How long the host may take to confirm that a session has stopped.
constexpr TimeMs kStopMs = 5'000;

bool is_needed(const State& state, const Worktree& tree) {
  if (!is_active(state.phase) || tree.stale) return false;
  if (is_warm(tree)) return is_warm_needed(state, tree);
  const Task* task = find_task(state, tree.task);
  return task != nullptr && needs_tree(*task);
}

/// Letters, digits, `-` and `_`; the number keeps two tasks of one name apart.
std::string tree_name(const TaskId& task, std::uint32_t number) {
  std::string name = task.value;
  std::ranges::replace(name, '.', '_');
  return name + "-" + std::to_string(number);
}

// ---- the check and the first snapshot -----------------------------------------------------------

void share_instead(Context& ctx, const std::string& problem) {
  ctx.state.worktrees.problem = base::clip(problem, 600);
  ctx.emit(ShowToast{"warning",
                     "No worktrees: " + base::clip(problem, 400) +
                         (ctx.state.worktrees.wanted
                              ? " The mission goes on in the shared directory, where claims "
                                "on files keep Workers apart."
                              : " No task is raced: one Worker gets all strategies of its task.")});
}

// ---- worktrees ----------------------------------------------------------------------------------

void on_tree_failed(Context& ctx, Worktree& tree, const std::string& problem) {
  // A task that needs a worktree makes one of its own.
  if (is_warm(tree)) ctx.state.worktrees.no_warm = true;
  if (is_warm(tree) || tree.moves) {
    tree.stale = true;
    return;
  }
  tree.failures += 1;
  if (tree.failures < kTreeTriesMax) return;  // drive_worktrees asks again
  tree.failures = 0;
  const std::string what = tree.state == TreeState::adding ? "its worktree could not be made: "
                                                           : "its work could not be collected: ";
  if (tree.state == TreeState::adding)
    tree.state = tree.directory.empty() ? TreeState::removing : TreeState::disposing;
  if (Task* task = find_task(ctx.state, tree.task)) block_for_git(ctx, *task, what + problem);
}

enum class Quiet { no, soon, yes };

/// Whether no session works in the worktree or is about to. `soon`: sessions were aborted, and the
/// host has not confirmed it yet.
Quiet quiet_of(const State& state, const Worktree& tree) {
  if (tree.task.empty()) return Quiet::yes;
  const bool over = !is_active(state.phase);
  Quiet quiet = Quiet::yes;
  for (const Session& session : state.sessions) {
    const Task* task = find_task(state, session.task);
    const bool here =
        session.task == tree.task || (task != nullptr && root_of(state, *task).id == tree.task);
    if (!here) continue;
    const bool rests = over && session.state == SessionState::idle;
    if (session.state != SessionState::ended && !rests) return Quiet::no;
    if (session.turn.aborting) quiet = Quiet::soon;
  }
  return quiet;
}

}  // namespace

void on_snapshot_answered(Context& ctx, const WorktreesAnswered& event) {
  WorktreesState& trees = ctx.state.worktrees;
  trees.effect = 0;
  if (trees.clearing) {
    trees.clearing = false;
    trees.integrated.clear();
    trees.warm_base.clear();
    return;
  }
  const bool for_warm = std::exchange(trees.for_warm, false);
  if (!event.problem.empty()) {
    trees.no_warm = true;
    if (!for_warm) share_instead(ctx, event.problem);
    return;
  }
  base::append(trees.notes, event.notes);
  if (trees.checked) (for_warm ? trees.warm_base : trees.integrated) = event.commit;
  trees.checked = true;
}

void on_tree_answered(Context& ctx, Worktree& tree, const WorktreesAnswered& event) {
  tree.effect = 0;
  if (tree.state == TreeState::removing) {  // the final removal catches what git could not remove
    const std::string name = tree.name;
    std::erase_if(ctx.state.worktrees.trees,
                  [&](const Worktree& other) { return other.name == name; });
    return;
  }
  if (!event.problem.empty()) return on_tree_failed(ctx, tree, event.problem);
  tree.failures = 0;
  if (tree.state == TreeState::adding) {
    tree.state = TreeState::standing;
    tree.directory = event.directory;
    tree.moves = false;
    return;
  }
  Task* task = find_task(ctx.state, tree.task);
  if (task == nullptr || !task->worktree.commit.empty()) return;
  if (task->status != TaskStatus::submitted && task->worktree.merge != MergeState::waiting) return;
  task->worktree.commit = event.commit;
  task->progress.touched.clear();
  for (const std::string& path : event.paths) note_touched(*task, path);
}

void begin_worktrees(Context& ctx) {
  ctx.state.worktrees.wanted = true;
  ctx.state.worktrees.effect = ask_git(ctx, TreeCall::check);
}

bool has_place(Context& ctx, const Task& task) {
  State& state = ctx.state;
  const Task& root = root_of(state, task);
  if (!works_in_worktree(state, root)) return true;
  if (state.worktrees.integrated.empty()) return false;
  if (const Worktree* tree = tree_of(state, root.id))
    return tree->state == TreeState::standing && may_open(state, *tree);
  if (!needs_tree(root) || !has_room_for_tree(state, root)) return false;
  const std::string& base =
      root.worktree.base.empty() ? state.worktrees.integrated : root.worktree.base;
  if (Worktree* spare = take_warm(state, root.id)) {
    if (spare->base == base) return may_open(state, *spare);
    spare->base = base;
    spare->moves = true;
    spare->state = TreeState::adding;
    ask_for_tree(ctx, *spare);
    return false;
  }
  if (warm_comes(state)) return false;
  Worktree tree;
  tree.name = tree_name(root.id, ++state.worktrees.named);
  tree.task = root.id;
  tree.base = base;
  ask_for_tree(ctx, tree);
  state.worktrees.trees.push_back(std::move(tree));
  return false;
}

bool worktrees_move(const State& state) {
  const WorktreesState& trees = state.worktrees;
  return trees.effect != 0 || trees.merge_effect != 0 ||
         std::ranges::any_of(trees.trees, [&](const Worktree& tree) {
           const bool leaves = !is_needed(state, tree) && quiet_of(state, tree) != Quiet::no;
           return tree.effect != 0 || tree.state == TreeState::adding || leaves;
         });
}

bool awaits_merge(Context& ctx, Task& task) {
  if (!has_own_tree(ctx.state, task) || task.worktree.commit.empty()) return false;
  task.worktree.merge = MergeState::waiting;
  ctx.moved = true;
  return true;
}

void keep_work(State& state, Task& task) {
  if (!has_own_tree(state, task) || task.worktree.merge == MergeState::waiting) return;
  const Worktree* tree = tree_of(state, task.id);
  const bool worked = tree != nullptr && !tree->directory.empty() && task.started_ms > 0;
  // Work with a conflict is not merged: its commit contains conflict marks, and the task that
  // solves the conflict goes on.
  task.worktree.merge =
      task.worktree.merge == MergeState::none && (worked || !task.worktree.commit.empty())
          ? MergeState::waiting
          : task.worktree.merge;
}

void leave_worktrees(State& state) {
  for (Worktree& tree : state.worktrees.trees) {
    const Task* task = find_task(state, tree.task);
    const bool is_left = !is_warm(tree) && (task == nullptr || !is_settled(task->status));
    tree.stale = tree.stale || is_left;
  }
}

void drive_worktrees(Context& ctx) {
  State& state = ctx.state;
  WorktreesState& trees = state.worktrees;
  if (ctx.graph_moved && !trees.races) {
    trees.races = std::ranges::any_of(state.tasks, [](const Task& task) {
      return task.spec.strategies.size() > 1 && !is_settled(task.status);
    });
  }
  if (!uses_worktrees(state)) return;
  if (trees.integrated.empty()) {
    if (trees.effect != 0) return;
    if (!trees.checked) {
      trees.effect = ask_git(ctx, TreeCall::check);
    } else if (state.phase == Phase::executing) {
      trees.effect = ask_git(ctx, TreeCall::snapshot, "", trees.warm_base);
    }
    return;
  }
  if (state.phase != Phase::executing) return;
  settle_conflicts(ctx);
  for (Worktree& tree : trees.trees) {
    if (tree.effect != 0) continue;
    const Task* task = find_task(state, tree.task);
    if (tree.stale) continue;
    if (tree.state == TreeState::adding && task != nullptr && needs_tree(*task)) {
      ask_for_tree(ctx, tree);
    } else if (tree.state == TreeState::standing && task != nullptr &&
               task->worktree.commit.empty() &&
               (task->status == TaskStatus::submitted ||
                task->worktree.merge == MergeState::waiting)) {
      tree.effect = ask_git(ctx, TreeCall::collect, tree.name, "", "", tree.task);
    }
  }
  drive_merge(ctx);
}

void drop_worktrees(Context& ctx) {
  State& state = ctx.state;
  const bool over = !is_active(state.phase);
  for (Worktree& tree : state.worktrees.trees) {
    if (tree.effect != 0 || (state.dormant && !over)) continue;
    const bool needed = is_needed(state, tree);
    if (tree.state == TreeState::adding && !needed) {
      tree.state = tree.directory.empty() ? TreeState::removing : TreeState::disposing;
    } else if (tree.state == TreeState::standing && !needed) {
      const Quiet quiet = quiet_of(state, tree);
      if (quiet == Quiet::yes) tree.state = TreeState::disposing;
      if (quiet == Quiet::soon && state.worktrees.timer == 0)
        state.worktrees.timer = ctx.start_timer(kStopMs);
    }
    if (tree.state == TreeState::disposing) {
      tree.effect = ctx.new_effect();
      ctx.emit(DisposeDirectory{tree.effect, tree.directory});
    } else if (tree.state == TreeState::removing) {
      tree.effect = ask_git(ctx, TreeCall::remove, tree.name, "", "", tree.task);
    }
  }
  // When no worktree is left, remove the mission's commits and refs.
  WorktreesState& trees = state.worktrees;
  if (over && leaves_worktrees(state) && trees.trees.empty() && trees.effect == 0 &&
      trees.merge_effect == 0) {
    trees.clearing = true;
    trees.effect = ask_git(ctx, TreeCall::remove);
  }
}

void on_tree_timer(Context& ctx) {
  State& state = ctx.state;
  state.worktrees.timer = 0;
  for (Session& session : state.sessions) {
    if (session.state == SessionState::ended || !is_active(state.phase))
      session.turn.aborting = false;
  }
}

bool leaves_worktrees(const State& state) {
  const WorktreesState& trees = state.worktrees;
  return !trees.trees.empty() || !trees.integrated.empty() || !trees.warm_base.empty() ||
         trees.merge_effect != 0 || trees.effect != 0;
}

void forget_tree_calls(State& state) {
  WorktreesState& trees = state.worktrees;
  trees.effect = trees.merge_effect = 0;
  trees.timer = 0;
  trees.starting = TaskId{};
  trees.for_warm = trees.clearing = false;
  for (Worktree& tree : trees.trees) {
    tree.effect = 0;
    tree.failures = 0;
    tree.opened = false;  // only the earlier process had it open
    // Adding it again shows whether it still exists.
    if (tree.state == TreeState::standing || tree.state == TreeState::opening)
      tree.state = TreeState::adding;
  }
}

void on_directory_disposed(Context& ctx, Worktree& tree) {
  if (tree.state != TreeState::disposing) return;
  tree.effect = 0;
  tree.state = TreeState::removing;
  ctx.moved = true;
}

}  // namespace orchestrator::core
