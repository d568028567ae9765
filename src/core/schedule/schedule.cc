#include "core/schedule/schedule.h"

#include <algorithm>

#include "base/text.h"
#include "core/models/limiter.h"
#include "core/prompts/prompt.h"
#include "core/schedule/admission.h"
#include "core/schedule/deadlock.h"
#include "core/schedule/early_review.h"
#include "core/schedule/race.h"
#include "core/schedule/subtasks.h"
#include "core/sessions/blocking_calls.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/holders.h"
#include "core/state/phases.h"
#include "core/state/races.h"
#include "core/state/sessions.h"
#include "core/state/tasks.h"
#include "core/worktrees/warm_pool.h"
#include "core/worktrees/worktrees.h"

namespace orchestrator::core {
namespace {

/// Length of the longest chain of tasks that wait for each other, beginning with this one.
class RemainingPath {
 public:
  explicit RemainingPath(const State& state) : dependents_(state.tasks.size()) {
    const TaskIndex index(state.tasks);
    for (std::size_t i = 0; i < state.tasks.size(); ++i) {
      for (const TaskId& dep : state.tasks[i].deps) {
        if (const auto at = index.find(dep)) dependents_[*at].push_back(i);
      }
    }
    for (std::size_t i = 0; i < state.tasks.size();
         ++i) {  // a task that waits for the raced task waits for its entrants
      if (state.tasks[i].race.strategy.empty()) continue;
      if (const auto raced = index.find(state.tasks[i].parent))
        dependents_[i] = dependents_[*raced];
    }
    length_.assign(state.tasks.size(), 0);
  }

  std::size_t of(std::size_t i) {
    if (length_[i] != 0) return length_[i];
    length_[i] = 1;  // a cycle cannot be in a stored plan; if one were, this ends the recursion
    std::size_t longest = 0;
    for (const std::size_t next : dependents_[i]) longest = std::max(longest, of(next));
    return length_[i] = longest + 1;
  }

 private:
  std::vector<std::vector<std::size_t>> dependents_;
  std::vector<std::size_t> length_;
};

std::vector<std::size_t> tasks_that_are(const State& state, TaskStatus status) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < state.tasks.size(); ++i) {
    if (state.tasks[i].status == status) found.push_back(i);
  }
  return found;
}

void sort_by_path(const State& state, std::vector<std::size_t>& tasks) {
  if (tasks.size() < 2) return;
  RemainingPath path(state);
  std::ranges::stable_sort(tasks,
                           [&](std::size_t a, std::size_t b) { return path.of(a) > path.of(b); });
}

void start_review(Context& ctx, Task& task) {
  task.review.attempts += 1;
  move_task(ctx, task, TaskStatus::reviewing);
  if (Session* session = session_after_early_review(ctx, task)) {
    session->lease.early_review = false;
    session->attempt = task.attempt;
    return prompt_session(ctx, *session, reviewer_prompt(ctx.state, task));
  }
  open_session(ctx, Role::reviewer, &task, "reviewer", reviewer_prompt(ctx.state, task));
}

/// Sends the findings to the task's Worker; if its session has ended, a fresh one starts.
void start_rework(Context& ctx, Task& task) {
  Session* worker = live_session(ctx.state, Role::worker, task.id);
  if (worker == nullptr) return move_task(ctx, task, TaskStatus::ready);
  if (worker->state != SessionState::idle) return;  // its turn has not ended yet
  if (!has_place(ctx, task)) return;
  task.worktree.commit.clear();
  task.attempt += 1;
  worker->attempt = task.attempt;
  task.progress.last_written.clear();
  move_task(ctx, task, TaskStatus::running);
  prompt_session(ctx, *worker, rework_prompt(ctx.state, task));
}

/// Continues a task that a pause or a crash interrupted, in its own session.
void go_on(Context& ctx, Task& task) {
  if (task.worktree.merge != MergeState::none || !has_place(ctx, task)) return;
  const bool runs = task.status == TaskStatus::running;
  const Role role = runs ? Role::worker : Role::reviewer;
  Session* session = live_session(ctx.state, role, task.id);
  if (session == nullptr) {  // interrupted before its session existed: costs no attempt
    std::uint32_t& spent = runs ? task.attempt : task.review.attempts;
    spent -= std::min(spent, 1U);
    move_task(ctx, task, runs ? TaskStatus::ready : TaskStatus::submitted);
  } else if (session->state == SessionState::idle && has_room(ctx.state) &&
             may_start(ctx.state, role)) {
    wake_session(ctx, *session);
  }
}

void start_work(Context& ctx, Task& task) {
  task.attempt += 1;
  task.worktree.commit.clear();
  task.session = SessionId{};
  task.progress.last_written.clear();
  move_task(ctx, task, TaskStatus::running);
  open_session(ctx, Role::worker, &task, task.agent, worker_prompt(ctx.state, task));
}

/// Prompts held sessions whose model and budget have room now.
void let_held_go(Context& ctx) {
  for (Session& session : ctx.state.sessions) {
    if (session.state == SessionState::held && may_prompt(ctx, session)) send_prompt(ctx, session);
  }
}

void dispatch_tasks(Context& ctx) {
  State& state = ctx.state;
  for (Task& task : state.tasks) {
    const bool begun = task.status == TaskStatus::running || task.status == TaskStatus::reviewing;
    if (begun && !task.race.running) go_on(ctx, task);
  }
  if (!has_room(state)) return;
  for (const std::size_t i : tasks_that_are(state, TaskStatus::submitted)) {
    const Wait wait = admit(state, ctx.now_ms, state.tasks[i]).wait;
    if (is_shared(wait)) break;
    if (wait == Wait::none && has_place(ctx, state.tasks[i])) start_review(ctx, state.tasks[i]);
  }
  for (const std::size_t i : tasks_that_are(state, TaskStatus::rework)) {
    if (admit(state, ctx.now_ms, state.tasks[i]).wait == Wait::none)
      start_rework(ctx, state.tasks[i]);
  }
  std::vector<std::size_t> ready = tasks_that_are(state, TaskStatus::ready);
  if (ready.empty() || !may_begin(ctx, Role::worker) || !may_start(state, Role::worker)) return;
  sort_by_path(state, ready);
  for (const std::size_t i : ready) {
    const Wait wait = admit(state, ctx.now_ms, state.tasks[i]).wait;
    if (is_shared(wait)) return;
    // has_place also asks for a missing worktree, so call it when the task waits only for that.
    const bool may = wait == Wait::none || wait == Wait::worktree;
    if (may && has_place(ctx, state.tasks[i])) start_work(ctx, state.tasks[i]);
  }
}

/// Keeps the session that the phase itself needs (Planner, Master Reviewer), within its attempts.
void keep_alive(Context& ctx, Role role, std::uint32_t& attempts,
                std::string (*prompt)(const State&)) {
  let_held_go(ctx);
  if (!has_room(ctx.state)) return;
  if (Session* session = live_session(ctx.state, role, TaskId{})) {
    if (session->state == SessionState::idle) wake_session(ctx, *session);
    return;
  }
  if (!may_begin(ctx, role)) return;
  if (attempts >= ctx.state.options.limits.attempts) {
    const char* what = role == Role::planner ? "there is no valid plan after "
                                             : "there is no verdict on the whole after ";
    ctx.conclude(
        Phase::blocked,
        what + std::to_string(attempts) + " " + std::string(to_name(role)) +
            " sessions. Look at these sessions, then /resume, or submit a plan with submit_plan.");
    return;
  }
  attempts += 1;
  open_session(ctx, role, nullptr, std::string(to_name(role)), prompt(ctx.state));
}

void end_role(Context& ctx, Role role) {
  for (Session& session : ctx.state.sessions) {
    if (session.role == role) end_session(ctx, session);
  }
}

std::string stuck_reason(const State& state) {
  std::string text = "no task can go on:";
  for (const Task& task : state.tasks) {
    if (task.status == TaskStatus::blocked && text.size() < 1000) {
      text += "\n- " + task.id.value + " " + task.title + ": " +
              (task.note.empty() ? "blocked" : base::clip(task.note, 500));
    } else if (task.status == TaskStatus::ready && text.size() < 1000) {
      const std::string wait = wait_text(admit(state, state.updated_at, task));
      text += "\n- " + task.id.value + " " + task.title + " " +
              (wait.empty() ? "waits for a worktree" : wait);
    }
  }
  const std::size_t waiting = count(state, TaskStatus::pending);
  if (waiting > 0) text += "\n- " + std::to_string(waiting) + " tasks depend on these";
  return text;
}

/// Prepares the races that may begin. A race needs no slot; its entrants do.
void prepare_races(Context& ctx) {
  State& state = ctx.state;
  if (!state.worktrees.races) return;
  for (const std::size_t i : tasks_that_are(state, TaskStatus::ready)) {
    if (is_raced(state, state.tasks[i]) && claim_is_free(state, state.tasks[i]))
      return prepare_race(ctx, state.tasks[i]);
  }
}

std::ptrdiff_t tasks_that_ended(const State& state) {
  return std::ranges::count_if(state.tasks, [](const Task& task) {
    return is_settled(task.status) || task.status == TaskStatus::blocked;
  });
}

/// Ends the entrants, conflict tasks and subtasks of tasks that have ended, until nothing changes.
void settle_dependents(Context& ctx) {
  std::ptrdiff_t ended = 0;
  do {
    ended = tasks_that_ended(ctx.state);
    drive_worktrees(ctx);
    conclude_races(ctx);
    if (ctx.graph_moved) drop_orphans(ctx);
  } while (tasks_that_ended(ctx.state) != ended);
}

void run_tasks(Context& ctx) {
  settle_dependents(ctx);
  if (ctx.graph_moved) {
    keep_subtask_claims(ctx.state);
    refresh_ready(ctx);
  }
  prepare_races(ctx);
  answer_waiters(ctx);
  tidy_early_reviews(ctx);
  do {
    let_held_go(ctx);
    dispatch_tasks(ctx);
    // The session that took the last slot may end an early review, which changes what can begin.
  } while (tidy_early_reviews(ctx) || resolve_deadlock(ctx));
  prepare_races(ctx);  // a claim may have become free
  State& state = ctx.state;
  if (all_settled(state) && !merges_pending(state)) {
    enter(ctx, Cause::barrier_reached, Phase::integrating);
    state.master_review.attempts = 0;
  } else if (is_deadlocked(state)) {
    ctx.conclude(Phase::blocked, stuck_reason(state));
  }
}

}  // namespace

void schedule(Context& ctx) {
  State& state = ctx.state;
  if (state.phase != Phase::executing) drive_worktrees(ctx);
  if (state.phase == Phase::planning) {
    keep_alive(ctx, Role::planner, state.plan.attempts, planner_prompt);
  }
  if (ctx.conclusion) return;
  const bool settled = all_settled(state) && !merges_pending(state);
  if (state.phase == Phase::integrating && !settled) {  // a task was added or put back
    end_role(ctx, Role::master_reviewer);
    enter(ctx, Cause::work_appeared, Phase::executing);
  }
  if (state.phase == Phase::executing) run_tasks(ctx);
  if (state.phase == Phase::integrating) {
    keep_alive(ctx, Role::master_reviewer, state.master_review.attempts, master_prompt);
  }
  if (!ctx.conclusion) drive_warm_pool(ctx);  // after tasks have taken their worktrees
}

}  // namespace orchestrator::core
