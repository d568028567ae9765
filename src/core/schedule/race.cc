#include "core/schedule/race.h"

#include <algorithm>

#include "base/text.h"
#include "core/models/budget.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/holders.h"
#include "core/state/plan_rules.h"
#include "core/state/races.h"
#include "core/state/tasks.h"
#include "core/worktrees/worktree_calls.h"

namespace orchestrator::core {
namespace {

bool is_entrant_of(const Task& task, const TaskId& raced) {
  return task.parent == raced && !task.race.strategy.empty();
}

/// Whether the entrant has passed its review, or a person has accepted it.
bool is_accepted(const Task& run) {
  return run.status == TaskStatus::done || run.worktree.merge != MergeState::none;
}

Task make_entrant(const State& state, const Task& raced, const std::string& strategy,
                  const std::string& commit) {
  Task run;
  run.id = numbered_id(state, raced.id.value + ".", "R");
  run.title = base::first_line(raced.title + " – " + strategy, kStrategyBytesMax);
  run.agent = raced.agent;
  run.files = raced.files;
  run.spec.description = raced.spec.description;
  run.spec.accept = raced.spec.accept;
  run.spec.verify = raced.spec.verify;
  run.iteration = raced.iteration;
  run.parent = raced.id;
  run.race.strategy = strategy;
  run.worktree.base = commit;
  return run;
}

/// Prepares an entrant that was stopped or failed in an earlier race of this task.
void restart_entrant(Context& ctx, Task& run, const std::string& commit) {
  if (run.status != TaskStatus::blocked && run.status != TaskStatus::dropped) return;
  run.attempt = run.review.attempts = run.review.rejections = 0;
  run.worktree.base = commit;
  if (run.status == TaskStatus::dropped)
    run.progress.touched.clear();  // the worktree with these files is gone
  move_task(ctx, run, TaskStatus::pending);
}

void drop_rivals(Context& ctx, const Task& raced, const Task& winner) {
  for (Task& run : ctx.state.tasks) {
    if (!is_entrant_of(run, raced.id) || run.id == winner.id || is_settled(run.status)) continue;
    drop_task(ctx, run, winner.id.value + " (" + winner.race.strategy + ") was accepted first");
  }
}

void take_result(Context& ctx, Task& raced, const Task& winner) {
  raced.summary = winner.summary;
  raced.progress.touched = winner.progress.touched;
  raced.review.findings = winner.review.findings;
  raced.review.proved_by = winner.review.proved_by;
  raced.review.proofs = winner.review.proofs;
  raced.review.accepted_manually = winner.review.accepted_manually;
  raced.session = winner.session;
  raced.note = winner.id.value + " (" + winner.race.strategy + ") has won" +
               (winner.review.accepted_manually ? ", accepted by a person, without a review" : "");
  move_task(ctx, raced, TaskStatus::done);
}

void give_up_race(Context& ctx, Task& raced) {
  std::string why = "none of its strategies was accepted:";
  for (const Task& run : ctx.state.tasks) {
    if (!is_entrant_of(run, raced.id)) continue;
    why += " " + run.id.value + " (" + run.race.strategy + ") is " +
           std::string(to_name(run.status)) +
           (run.note.empty() ? ";" : ": " + base::clip(run.note, 200) + ";");
  }
  why.pop_back();
  raced.note = base::clip(why, 1000);
  move_task(ctx, raced, TaskStatus::blocked);
}

void decide_race(Context& ctx, Task& raced) {
  std::vector<Task>& tasks = ctx.state.tasks;
  const auto winner = std::ranges::find_if(
      tasks, [&](const Task& run) { return is_entrant_of(run, raced.id) && is_accepted(run); });
  if (winner != tasks.end()) {
    drop_rivals(ctx, raced, *winner);
    const bool there =
        winner->status == TaskStatus::done && winner->worktree.merge == MergeState::none;
    if (there) take_result(ctx, raced, *winner);
    return;
  }
  const bool goes_on = std::ranges::any_of(tasks, [&](const Task& run) {
    return is_entrant_of(run, raced.id) && !is_settled(run.status) &&
           run.status != TaskStatus::blocked;
  });
  if (!goes_on) give_up_race(ctx, raced);
}

}  // namespace

void start_race(Context& ctx, Task& task, const std::string& commit) {
  State& state = ctx.state;
  task.attempt += 1;
  task.session = SessionId{};
  move_task(ctx, task, TaskStatus::running);
  task.race.running = true;
  ctx.graph_moved = true;
  const Task raced = task;
  for (const std::string& strategy : raced.spec.strategies) {
    const auto run = std::ranges::find_if(state.tasks, [&](const Task& one) {
      return is_entrant_of(one, raced.id) && one.race.strategy == strategy;
    });
    if (run != state.tasks.end()) {
      restart_entrant(ctx, *run, commit);
    } else {
      state.tasks.push_back(make_entrant(state, raced, strategy, commit));
    }
  }
}

void conclude_races(Context& ctx) {
  State& state = ctx.state;
  if (!state.worktrees.races) return;
  for (Task& task : state.tasks) {
    if (task.race.running) decide_race(ctx, task);
  }
  for (Task& run : state.tasks) {
    if (run.race.strategy.empty() || is_settled(run.status) || run.status == TaskStatus::blocked)
      continue;
    const Task* raced = find_task(state, run.parent);
    if (raced != nullptr && raced->race.running) continue;
    drop_task(ctx, run,
              run.parent.value + ", whose strategy it tries, is " +
                  (raced == nullptr ? "gone" : std::string(to_name(raced->status))));
  }
}

bool prepares_race(const State& state) { return !state.worktrees.starting.empty(); }

void on_race_prepared(Context& ctx, const WorktreesAnswered& event) {
  WorktreesState& trees = ctx.state.worktrees;
  ctx.moved = true;
  trees.effect = 0;
  Task* task = find_task(ctx.state, trees.starting);
  trees.starting = TaskId{};
  if (!event.problem.empty()) {
    trees.starts_failed += 1;
    if (trees.starts_failed < kTreeTriesMax) return;  // prepare_race asks again
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

void prepare_race(Context& ctx, const Task& task) {
  WorktreesState& trees = ctx.state.worktrees;
  const bool busy = trees.effect != 0 || trees.step != MergeStep::none;
  if (busy || trees.integrated.empty()) return;
  trees.starting = task.id;
  trees.effect = ask_git(ctx, TreeCall::snapshot, "", trees.integrated, "", task.id);
}

}  // namespace orchestrator::core
