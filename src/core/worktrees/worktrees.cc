#include "core/worktrees/worktrees.h"

#include <algorithm>
#include <utility>

#include "core/tools/delegate.h"
#include "core/worktrees/merge_queue.h"
#include "core/mission/mission_lifecycle.h"
#include "core/state/plan_rules.h"
#include "core/schedule/race.h"
#include "core/schedule/schedule.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/sessions.h"
#include "core/worktrees/warm_pool.h"
#include "core/tools/common.h"
#include "core/state/tasks.h"

namespace orchestrator::core {
namespace {

/// So long the host has to say that a session has stopped.
constexpr TimeMs kStopMs = 5'000;

Worktree* tree_of(State& state, const TaskId& task) {
  std::vector<Worktree>& trees = state.worktrees.trees;
  const auto it = std::ranges::find_if(trees, [&](const Worktree& tree) {
    return tree.task == task && !tree.stale &&
           (tree.state == TreeState::adding || tree.state == TreeState::standing);
  });
  return it == trees.end() ? nullptr : &*it;
}

/// What its Worker makes is merged by itself, not as a part of something.
bool has_own_tree(const State& state, const Task& task) {
  return &root_of(state, task) == &task && works_apart(state, task);
}

/// Its worktree has something to give, or is about to.
bool needs_tree(const Task& task) {
  if (task.merge != MergeState::none)
    return task.merge == MergeState::waiting && task.commit.empty();
  return !is_settled(task.status) && !task.racing;  // those have their own
}

bool is_needed(const State& state, const Worktree& tree) {
  if (!is_active(state.phase) || tree.stale) return false;
  if (is_spare(tree)) return is_spare_needed(state, tree);
  const Task* task = find_task(state, tree.task);
  return task != nullptr && needs_tree(*task);
}

/// Letters, digits, `-` and `_`; the number keeps two tasks of one name apart.
std::string tree_name(const TaskId& task, std::uint32_t number) {
  std::string name = task.value;
  std::ranges::replace(name, '.', '_');
  return name + "-" + std::to_string(number);
}

/// Nobody works in its worktree: its Worker waits for parts, and they wait as well.
bool all_wait(const State& state, const Task& owner) {
  return waits_for_parts(state, owner) && std::ranges::none_of(state.tasks, [&](const Task& part) {
           return is_part_of(state, part, owner.id) && is_in_work(part.status) &&
                  !waits_for_parts(state, part);
         });
}

/// The host's instance for each costs memory. A conflict's own never waits: others wait for it.
bool has_room_for_tree(const State& state, const Task& task) {
  if (!task.brings.empty()) return true;
  const auto standing = std::ranges::count_if(state.worktrees.trees, [&](const Worktree& tree) {
    if (is_spare(tree)) return false;  // it may have that
    const Task* owner = find_task(state, tree.task);
    if (owner == nullptr || tree.stale) return true;
    // Those that wait for others must not keep these from having one.
    const bool waits = owner->status == TaskStatus::blocked ||
                       owner->status == TaskStatus::pending ||
                       (owner->status == TaskStatus::ready && waits_for_race(state, *owner)) ||
                       all_wait(state, *owner);
    return !waits;
  });
  return static_cast<std::size_t>(standing) < std::max<std::size_t>(state.parallel, 1);
}

/// A session is on its way to be the first that works in it, or the host opens it ahead of one.
bool is_opening(const State& state, const Worktree& tree) {
  if (tree.state == TreeState::opening) return true;
  if (tree.opened || tree.stale || is_spare(tree)) return false;
  return std::ranges::any_of(state.sessions, [&](const Session& session) {
    if (!is_starting(session.state)) return false;
    const Task* task = find_task(state, session.task);
    return task != nullptr && root_of(state, *task).id == tree.task;
  });
}

// ---- the check and the first snapshot -----------------------------------------------------------

void share_instead(Context& ctx, const std::string& problem) {
  ctx.state.worktrees.problem = clip(problem, 600);
  ctx.emit(ShowToast{
      "warning",
      "No worktrees: " + clip(problem, 400) +
          (ctx.state.worktrees.wanted
               ? " The mission goes on in the shared directory, in which claims "
                 "on files keep Workers apart."
               : " Nothing is raced: each task has one Worker, who is told of all strategies.")});
}

/// The race that was to begin with this snapshot.
void on_race_prepared(Context& ctx, const WorktreesAnswered& event) {
  IsolationState& trees = ctx.state.worktrees;
  Task* task = find_task(ctx.state, trees.starting);
  trees.starting = TaskId{};
  if (!event.problem.empty()) {
    trees.starts_failed += 1;
    if (trees.starts_failed < kTreeTriesMax) return;  // it is asked again
    trees.starts_failed = 0;
    if (task != nullptr) block_for_git(ctx, *task, "its race could not begin: " + event.problem);
    return;
  }
  trees.starts_failed = 0;
  trees.integrated = event.commit;
  const bool begins = task != nullptr && task->status == TaskStatus::ready &&
                      ctx.state.phase == Phase::executing && claim_is_free(ctx.state, *task);
  if (begins) start_race(ctx, *task, event.commit);
}

void on_begun(Context& ctx, const WorktreesAnswered& event) {
  IsolationState& trees = ctx.state.worktrees;
  trees.effect = 0;
  if (!trees.starting.empty()) return on_race_prepared(ctx, event);
  if (trees.clearing) {
    trees.clearing = false;
    trees.integrated.clear();
    trees.spares_base.clear();
    return;
  }
  const bool for_spares = std::exchange(trees.for_spares, false);
  if (!event.problem.empty()) {
    trees.no_spares = true;
    if (!for_spares) share_instead(ctx, event.problem);
    return;
  }
  append(trees.notes, event.notes);
  if (trees.checked) (for_spares ? trees.spares_base : trees.integrated) = event.commit;
  trees.checked = true;
}

// ---- worktrees ----------------------------------------------------------------------------------

void on_tree_failed(Context& ctx, Worktree& tree, const std::string& problem) {
  // Another one is made for whoever needs it.
  if (is_spare(tree)) ctx.state.worktrees.no_spares = true;
  if (is_spare(tree) || tree.moves) {
    tree.stale = true;
    return;
  }
  tree.failures += 1;
  if (tree.failures < kTreeTriesMax) return;  // it is asked again
  tree.failures = 0;
  const std::string what = tree.state == TreeState::adding ? "its worktree could not be made: "
                                                           : "its work could not be collected: ";
  if (tree.state == TreeState::adding)
    tree.state = tree.directory.empty() ? TreeState::removing : TreeState::disposing;
  if (Task* task = find_task(ctx.state, tree.task)) block_for_git(ctx, *task, what + problem);
}

void on_tree_answered(Context& ctx, Worktree& tree, const WorktreesAnswered& event) {
  tree.effect = 0;
  if (tree.state == TreeState::removing) {  // what git could not remove, the next sweep does
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
  if (task == nullptr || !task->commit.empty()) return;
  if (task->status != TaskStatus::submitted && task->merge != MergeState::waiting) return;
  task->commit = event.commit;
  task->touched.clear();
  for (const std::string& path : event.paths) note_touched(*task, path);
}

enum class Quiet { no, soon, yes };

/// Whether nobody works in it, and nobody is about to. `soon`: the host has yet to say that what
/// was told to stop has stopped.
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
    if (session.aborting) quiet = Quiet::soon;
  }
  return quiet;
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
           const bool goes_first = is_spare(tree) || !is_spare(other);
           return goes_first && other.name != tree.name && is_opening(state, other);
         });
}

void block_for_git(Context& ctx, Task& task, const std::string& why) {
  if (task.status == TaskStatus::done) {  // on a person's word
    task.merge = MergeState::none;
    ctx.emit(ShowToast{"error", task.id.value + ": " + clip(why, 400)});
    return;
  }
  if (!task_move_exists(task.status, TaskStatus::blocked)) return;
  task.note = clip(why, 1000);
  end_task_sessions(ctx, task.id);
  move_task(ctx, task, TaskStatus::blocked);
}

bool is_isolated(const State& state) {
  const IsolationState& trees = state.worktrees;
  return (trees.wanted || trees.races) && trees.problem.empty();
}

bool works_apart(const State& state, const Task& root) {
  return is_isolated(state) &&
         (state.worktrees.wanted || !root.strategy.empty() || !root.brings.empty());
}

void begin_isolation(Context& ctx) {
  ctx.state.worktrees.wanted = true;
  ctx.state.worktrees.effect = ask_git(ctx, TreeCall::check);
}

const Task& root_of(const State& state, const Task& task) {
  const Task* at = &task;
  for (std::size_t i = 0; i < state.tasks.size() && !at->parent.empty(); ++i) {
    if (!at->strategy.empty()) break;
    const Task* whole = find_task(state, at->parent);
    if (whole == nullptr) break;
    at = whole;
  }
  return *at;
}

std::string directory_of(const State& state, const TaskId& task) {
  const Task* own = find_task(state, task);
  if (own == nullptr || !is_isolated(state)) return "";
  const TaskId root = root_of(state, *own).id;
  // Also one that is being let go of: its last session may still have something to say.
  const auto& trees = state.worktrees.trees;
  const auto it = std::find_if(trees.rbegin(), trees.rend(),
                               [&](const Worktree& tree) { return tree.task == root; });
  return it == trees.rend() ? "" : it->directory;
}

bool has_place(Context& ctx, const Task& task) {
  State& state = ctx.state;
  const Task& root = root_of(state, task);
  if (!works_apart(state, root)) return true;
  if (state.worktrees.integrated.empty()) return false;
  if (const Worktree* tree = tree_of(state, root.id))
    return tree->state == TreeState::standing && may_open(state, *tree);
  if (!needs_tree(root) || !has_room_for_tree(state, root)) return false;
  const std::string& base = root.tree_base.empty() ? state.worktrees.integrated : root.tree_base;
  if (Worktree* spare = take_spare(state, root.id)) {
    if (spare->base == base) return may_open(state, *spare);
    spare->base = base;
    spare->moves = true;
    spare->state = TreeState::adding;
    ask_for_tree(ctx, *spare);
    return false;
  }
  if (spare_comes(state)) return false;
  Worktree tree;
  tree.name = tree_name(root.id, ++state.worktrees.named);
  tree.task = root.id;
  tree.base = base;
  ask_for_tree(ctx, tree);
  state.worktrees.trees.push_back(std::move(tree));
  return false;
}

void note_opened(Context& ctx, const Session& session) {
  const Task* task = find_task(ctx.state, session.task);
  if (task == nullptr || ctx.state.worktrees.trees.empty()) return;
  Worktree* tree = tree_of(ctx.state, root_of(ctx.state, *task).id);
  if (tree != nullptr) tree->opened = true;
}

bool may_have_place(const State& state, const Task& task) {
  const Task& root = root_of(state, task);
  if (!works_apart(state, root)) return true;
  const bool has = std::ranges::any_of(state.worktrees.trees,
                                       [&](const Worktree& tree) { return tree.task == root.id; });
  return has || has_room_for_tree(state, task);
}

bool worktrees_move(const State& state) {
  const IsolationState& trees = state.worktrees;
  return trees.effect != 0 || trees.merge_effect != 0 ||
         std::ranges::any_of(trees.trees, [&](const Worktree& tree) {
           const bool leaves = !is_needed(state, tree) && quiet_of(state, tree) != Quiet::no;
           return tree.effect != 0 || tree.state == TreeState::adding || leaves;
         });
}

bool is_collected(const State& state, const Task& task) {
  return !has_own_tree(state, task) || !task.commit.empty();
}

bool awaits_merge(Context& ctx, Task& task) {
  if (!has_own_tree(ctx.state, task) || task.commit.empty()) return false;
  task.merge = MergeState::waiting;
  ctx.moved = true;
  return true;
}

void keep_work(State& state, Task& task) {
  if (!has_own_tree(state, task) || task.merge == MergeState::waiting) return;
  const Worktree* tree = tree_of(state, task.id);
  const bool worked = tree != nullptr && !tree->directory.empty() && task.started_ms > 0;
  // A conflict's commit has the marks in it: the task that solves it goes on by itself.
  task.merge = task.merge == MergeState::none && (worked || !task.commit.empty())
                   ? MergeState::waiting
                   : task.merge;
}

void prepare_race(Context& ctx, const Task& task) {
  IsolationState& trees = ctx.state.worktrees;
  const bool busy = trees.effect != 0 || trees.step != MergeStep::none;
  if (busy || trees.integrated.empty()) return;
  trees.starting = task.id;
  trees.effect = ask_git(ctx, TreeCall::snapshot, "", trees.integrated, "", task.id);
}

void leave_worktrees(State& state) {
  for (Worktree& tree : state.worktrees.trees) {
    const Task* task = find_task(state, tree.task);
    const bool is_left = !is_spare(tree) && (task == nullptr || !is_settled(task->status));
    tree.stale = tree.stale || is_left;
  }
}

void drive_isolation(Context& ctx) {
  State& state = ctx.state;
  IsolationState& trees = state.worktrees;
  if (ctx.graph_moved && !trees.races) {
    trees.races = std::ranges::any_of(state.tasks, [](const Task& task) {
      return task.race.size() > 1 && !is_settled(task.status);
    });
  }
  if (!is_isolated(state)) return;
  if (trees.integrated.empty()) {
    if (trees.effect != 0) return;
    if (!trees.checked) {
      trees.effect = ask_git(ctx, TreeCall::check);
    } else if (state.phase == Phase::executing) {
      trees.effect = ask_git(ctx, TreeCall::snapshot, "", trees.spares_base);
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
    } else if (tree.state == TreeState::standing && task != nullptr && task->commit.empty() &&
               (task->status == TaskStatus::submitted || task->merge == MergeState::waiting)) {
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
  // Last the commits.
  IsolationState& trees = state.worktrees;
  if (over && leaves_worktrees(state) && trees.trees.empty() && trees.effect == 0 &&
      trees.merge_effect == 0) {
    trees.clearing = true;
    trees.effect = ask_git(ctx, TreeCall::remove);
  }
}

bool on_tree_timer(Context& ctx, TimerId timer) {
  State& state = ctx.state;
  if (timer == 0 || timer != state.worktrees.timer) return false;
  state.worktrees.timer = 0;
  for (Session& session : state.sessions) {
    if (session.state == SessionState::ended || !is_active(state.phase)) session.aborting = false;
  }
  return true;
}

bool leaves_worktrees(const State& state) {
  const IsolationState& trees = state.worktrees;
  return !trees.trees.empty() || !trees.integrated.empty() || !trees.spares_base.empty() ||
         trees.merge_effect != 0 || trees.effect != 0;
}

void forget_tree_calls(State& state) {
  IsolationState& trees = state.worktrees;
  trees.effect = trees.merge_effect = 0;
  trees.timer = 0;
  trees.starting = TaskId{};
  trees.for_spares = trees.clearing = false;
  for (Worktree& tree : trees.trees) {
    tree.effect = 0;
    tree.failures = 0;
    tree.opened = false;  // by another process
    // Whether it still stands is seen by asking for it once more.
    if (tree.state == TreeState::standing || tree.state == TreeState::opening)
      tree.state = TreeState::adding;
  }
}

void on_worktrees_answered(Context& ctx, const WorktreesAnswered& event) {
  IsolationState& trees = ctx.state.worktrees;
  if (event.effect == 0) return;
  ctx.moved = true;
  if (event.effect == trees.effect) return on_begun(ctx, event);
  if (event.effect == trees.merge_effect) return on_merge_answered(ctx, event);
  const auto tree = std::ranges::find(trees.trees, event.effect, &Worktree::effect);
  if (tree != trees.trees.end()) on_tree_answered(ctx, *tree, event);
}

bool on_directory_disposed(Context& ctx, EffectId effect) {
  if (effect == 0) return false;
  std::vector<Worktree>& trees = ctx.state.worktrees.trees;
  const auto tree = std::ranges::find(trees, effect, &Worktree::effect);
  if (tree == trees.end() || tree->state != TreeState::disposing) return false;
  tree->effect = 0;
  tree->state = TreeState::removing;
  ctx.moved = true;
  return true;
}

std::string isolation_line(const State& state) {
  const IsolationState& trees = state.worktrees;
  if (!trees.wanted && !trees.races) return "";
  if (!trees.problem.empty())
    return (trees.wanted ? "Isolation: shared" : "Races: none") +
           std::string(", since there are no worktrees: ") + clip(trees.problem, 200) + "\n";
  std::string text = trees.wanted ? "Isolation: a worktree for each task"
                                  : "Isolation: a worktree for each strategy of a race";
  if (trees.step != MergeStep::none) text += "; " + trees.merging.value + " is being merged";
  for (const std::string& note : trees.notes) text += ". " + clip(note, 150);
  return clip(text, 400) + "\n";
}

std::string place_note(const State& state, const Task& task) {
  const std::string directory = directory_of(state, task.id);
  if (directory.empty()) return "";
  return "\nYour directory is a git worktree of the project, " + directory +
         ": work in it alone, by relative paths. What is accepted is merged into the project for "
         "you: commit nothing, and leave branches and stashes alone.\n";
}

}  // namespace orchestrator::core
