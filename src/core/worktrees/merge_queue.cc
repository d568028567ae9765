#include "core/worktrees/merge_queue.h"

#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/checkouts.h"
#include "core/state/plan_rules.h"
#include "core/state/tasks.h"
#include "core/worktrees/worktree_calls.h"

namespace orchestrator::core {
namespace {

constexpr std::size_t kSideShownMax = 4'000;
constexpr std::size_t kConflictsShownMax = 24'000;
constexpr std::size_t kRefusedShown = 10;

void stop_merging(State& state) {
  WorktreesState& trees = state.worktrees;
  trees.step = MergeStep::none;
  trees.merging = TaskId{};
  trees.theirs.clear();
  trees.merged.clear();
  trees.tries = 0;
}

bool is_mergeable(const Task& task) {
  return task.worktree.merge == MergeState::waiting && !task.worktree.commit.empty() &&
         (task.status == TaskStatus::reviewing || task.status == TaskStatus::done);
}

/// Begins the merge of the first waiting task in plan order.
void begin_merge(State& state) {
  const auto next = std::ranges::find_if(state.tasks, is_mergeable);
  if (next == state.tasks.end()) return;
  state.worktrees.step = MergeStep::snapshot;
  state.worktrees.merging = next->id;
  state.worktrees.theirs = next->worktree.commit;
  state.worktrees.tries = 0;
}

void finish_merged(Context& ctx, Task& task) {
  task.worktree.merge = MergeState::none;
  if (task.status != TaskStatus::reviewing) return;  // a person has moved the task meanwhile
  task.note.clear();
  move_task(ctx, task, TaskStatus::done);
}

/// The task's work is in the project, and with it the work of the tasks whose conflicts it solved.
void on_integrated(Context& ctx) {
  State& state = ctx.state;
  const TaskId id = state.worktrees.merging;
  stop_merging(state);
  Task* task = find_task(state, id);
  if (task != nullptr && task->worktree.merge == MergeState::waiting) finish_merged(ctx, *task);
  for (std::size_t i = 0; i < state.tasks.size() && task != nullptr; ++i) {
    task = find_task(state, task->worktree.resolves_conflict_of);
    if (task != nullptr && task->worktree.merge == MergeState::conflict) finish_merged(ctx, *task);
  }
}

void give_up_merge(Context& ctx, const std::string& why) {
  State& state = ctx.state;
  Task* task = find_task(state, state.worktrees.merging);
  const std::string commit = state.worktrees.theirs;
  stop_merging(state);
  if (task != nullptr)
    block_for_git(ctx, *task, "its work (commit " + commit + ") is not in the project: " + why);
}

std::string side(const char* name, const std::string& text) {
  return std::string(name) + ":\n```\n" + base::clip(text, kSideShownMax) +
         (text.ends_with('\n') ? "```\n" : "\n```\n");
}

std::string conflict_card(const Task& task, const std::vector<TreeConflict>& conflicts) {
  std::string text =
      "The work of " + task.id.value + " (" + task.title +
      ") was accepted, and conflicts with the project as it is now: other tasks' work, or a "
      "person's own edits.\nIn your worktree the files below hold git's conflict marks: keep the "
      "intent of both sides, leave no mark, and change nothing else.\n";
  if (!task.summary.empty())
    text += "What " + task.id.value + " did: " + base::clip(task.summary, 1000) + "\n";
  std::size_t left_out = 0;
  for (const TreeConflict& conflict : conflicts) {
    std::string one = "\n" + base::clip(conflict.path, 300) + " (" + conflict.kind + ")\n" +
                      side("In the project (ours)", conflict.ours) +
                      side(("By " + task.id.value + " (theirs)").c_str(), conflict.theirs) +
                      side("Before both", conflict.base);
    if (text.size() + one.size() > kConflictsShownMax) {
      one =
          "\n" + base::clip(conflict.path, 300) + " (" + conflict.kind + "): look into the file\n";
      if (text.size() + one.size() > kConflictsShownMax) {
        left_out += 1;
        continue;
      }
    }
    text += one;
  }
  if (left_out > 0)
    text += "\nAnd " + std::to_string(left_out) + " more: `git grep -l '<<<<<<<'`\n";
  return text;
}

/// Length of the chain of conflicts that this task solves.
std::size_t conflicts_behind(const State& state, const Task& task) {
  std::size_t n = 0;
  for (const Task* at = find_task(state, task.worktree.resolves_conflict_of);
       at != nullptr && n < state.tasks.size();
       at = find_task(state, at->worktree.resolves_conflict_of)) {
    ++n;
  }
  return n;
}

void make_conflict_task(Context& ctx, const WorktreesAnswered& event) {
  State& state = ctx.state;
  Task* task = find_task(state, state.worktrees.merging);
  if (task == nullptr) return stop_merging(state);
  const std::size_t behind = conflicts_behind(state, *task);
  if (task->status == TaskStatus::reviewing && behind + 1 > state.options.limits.attempts) {
    // A retry starts from the present state of both sides.
    task->worktree.base = event.commit;
    for (Worktree& tree : state.worktrees.trees) tree.stale = tree.stale || tree.task == task->id;
    if (const Task* other = find_task(state, task->worktree.resolves_conflict_of))
      task->spec.description = conflict_card(*other, event.conflicts);
    return give_up_merge(ctx, "it conflicts with other tasks' work, again after " +
                                  std::to_string(behind) + " merge tasks");
  }
  TaskSpec spec;
  for (std::size_t n = 1; spec.id.empty() || find_task(state, spec.id) != nullptr; ++n) {
    spec.id = TaskId(task->id.value + "-merge" + (n > 1 ? std::to_string(n) : ""));
    if (!valid_task_id(spec.id.value)) spec.id = TaskId("M" + std::to_string(n));
  }
  spec.title = "Merge " + task->id.value + " with what was integrated";
  spec.description = conflict_card(*task, event.conflicts);
  spec.agent = task->agent;
  for (const TreeConflict& conflict : event.conflicts) {
    if (!base::project_path(conflict.path).empty()) spec.files.push_back(conflict.path);
  }
  spec.accept = {"no conflict mark is left, and the intent of both sides is kept"};
  spec.verify = task->spec.verify;
  Task made = make_task(state, spec);
  made.worktree.resolves_conflict_of = task->id;
  made.worktree.base = event.commit;
  task->worktree.merge = MergeState::conflict;
  task->note = "it conflicts with what was integrated: " + made.id.value + " merges them";
  stop_merging(state);
  state.tasks.push_back(std::move(made));  // last: this invalidates `task`
  ctx.moved = ctx.graph_moved = true;
}

/// Starts the merge again with a new snapshot, because the project's files have changed meanwhile.
void merge_again(Context& ctx, const std::string& why) {
  WorktreesState& trees = ctx.state.worktrees;
  trees.tries += 1;
  if (trees.tries >= kTreeTriesMax) return give_up_merge(ctx, why);
  trees.step = MergeStep::snapshot;
}

std::string refused_paths(const std::vector<std::string>& refused) {
  std::string text;
  for (std::size_t i = 0; i < refused.size() && i < kRefusedShown; ++i)
    text += (i > 0 ? "; " : "") + base::clip(refused[i], 200);
  if (refused.size() > kRefusedShown)
    text += "; and " + std::to_string(refused.size() - kRefusedShown) + " more";
  return text;
}

}  // namespace

void drive_merge(Context& ctx) {
  State& state = ctx.state;
  WorktreesState& trees = state.worktrees;
  const Task* merging = find_task(state, trees.merging);
  const bool dropped = trees.step != MergeStep::none && trees.step != MergeStep::apply &&
                       (merging == nullptr || !is_mergeable(*merging));
  if (dropped && trees.merge_effect == 0) stop_merging(state);
  if (trees.step == MergeStep::none && trees.effect == 0) begin_merge(state);
  if (trees.merge_effect != 0) return;
  switch (trees.step) {
    case MergeStep::none:
      return;
    case MergeStep::snapshot:
      trees.merge_effect = ask_git(ctx, TreeCall::snapshot, "", trees.integrated);
      return;
    case MergeStep::merge:
      trees.merge_effect =
          ask_git(ctx, TreeCall::merge, "", trees.integrated, trees.theirs, trees.merging);
      return;
    case MergeStep::apply:
      trees.merge_effect =
          ask_git(ctx, TreeCall::apply, "", trees.integrated, trees.merged, trees.merging);
      return;
  }
}

void on_merge_answered(Context& ctx, const WorktreesAnswered& event) {
  WorktreesState& trees = ctx.state.worktrees;
  trees.merge_effect = 0;
  if (!is_active(ctx.state.phase)) return stop_merging(ctx.state);
  if (!event.problem.empty()) return merge_again(ctx, event.problem);
  switch (trees.step) {
    case MergeStep::snapshot:
      trees.integrated = event.commit;
      trees.step = MergeStep::merge;
      return;
    case MergeStep::merge:
      if (!event.conflicts.empty()) return make_conflict_task(ctx, event);
      trees.merged = event.commit;
      trees.step = MergeStep::apply;
      if (trees.merged == trees.integrated) on_integrated(ctx);
      return;
    case MergeStep::apply:
      std::erase_if(ctx.state.unattributed, [&](const UnattributedChange& change) {
        return std::ranges::find(event.paths, change.path) != event.paths.end();
      });
      if (!event.refused.empty()) return merge_again(ctx, refused_paths(event.refused));
      trees.integrated = trees.merged;
      return on_integrated(ctx);
    case MergeStep::none:
      return;
  }
}

void settle_conflicts(Context& ctx) {
  State& state = ctx.state;
  for (Task& task : state.tasks) {
    if (task.worktree.resolves_conflict_of.empty() || is_settled(task.status)) continue;
    const Task* other = find_task(state, task.worktree.resolves_conflict_of);
    if (other != nullptr && other->worktree.merge == MergeState::conflict) continue;
    drop_task(ctx, task,
              task.worktree.resolves_conflict_of.value + ", whose conflict it was to resolve, is " +
                  (other == nullptr ? "gone" : std::string(to_name(other->status))));
  }
  // A subtask of accepted work that was put back has no worktree any more.
  for (Task& task : state.tasks) {
    const Task& root = root_of(state, task);
    if (&root == &task || root.worktree.merge == MergeState::none || is_settled(task.status))
      continue;
    drop_task(ctx, task, root.id.value + ", whose subtask it is, is accepted already");
  }
  for (Task& task : state.tasks) {
    if (task.worktree.merge != MergeState::conflict) continue;
    const bool solved = std::ranges::any_of(state.tasks, [&](const Task& other) {
      return other.worktree.resolves_conflict_of == task.id &&
             (!is_settled(other.status) || other.worktree.merge != MergeState::none);
    });
    if (!solved)
      block_for_git(ctx, task,
                    "its work (commit " + task.worktree.commit +
                        ") is not in the project: it conflicts with what was integrated, "
                        "and the merge task is gone from the plan");
  }
}

}  // namespace orchestrator::core
