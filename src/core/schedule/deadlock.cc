#include "core/schedule/deadlock.h"

#include <algorithm>
#include <vector>

#include "base/path.h"
#include "core/schedule/early_review.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/holders.h"
#include "core/state/sessions.h"
#include "core/state/tasks.h"
#include "core/worktrees/worktrees.h"

namespace orchestrator::core {
namespace {

/// The tasks of the cycle that `closing` has closed; empty: there is none.
std::vector<Task*> cycle_of(State& state, Task& closing) {
  std::vector<Task*> circle{&closing};
  while (circle.size() <= state.tasks.size()) {
    Task* next = find_task(state, circle.back()->progress.blocked_by);
    if (next == nullptr || next->status != TaskStatus::running) return {};
    if (next == &closing) return circle;
    if (std::ranges::find(circle, next) != circle.end()) return {};
    circle.push_back(next);
  }
  return {};
}

void tell_worker(Context& ctx, const Task& task, const std::string& text) {
  Session* worker = live_session(ctx.state, Role::worker, task.id);
  if (worker != nullptr && worker->state == SessionState::working && !worker->lease.submitted)
    say_in_turn(ctx, *worker, text);
}

/// Ends the loser's sessions. It starts again later and loses no attempt.
void preempt(Context& ctx, Task& loser, const TaskId& winner) {
  loser.note = "preempted: " + winner.value + " could not go on without one of its files";
  loser.attempt -= std::min(loser.attempt, 1U);
  loser.progress.preemptions += 1;
  end_task_sessions(ctx, loser.id);
  move_task(ctx, loser, TaskStatus::ready);
}

void give_way(Context& ctx, Task& loser, const TaskId& asking) {
  State& state = ctx.state;
  preempt(ctx, loser, loser.progress.blocked_by);
  for (Task& task : state.tasks) {
    if (task.progress.blocked_by != loser.id) continue;
    // Another task may have claimed the file just now.
    if (const Task* holder = holder_of(state, task, task.progress.blocked_path)) {
      task.progress.blocked_by = holder->id;
      continue;
    }
    const std::string path = task.progress.blocked_path;
    clear_block(task);
    note_touched(task, path);  // so the loser does not begin again before this one has ended
    if (task.id != asking) {
      tell_worker(ctx, task,
                  loser.id.value + " was preempted: you may write " + path + " now. Go on.");
    }
  }
}

/// Whether the task may be preempted to end a deadlock.
bool may_be_preempted(const State& state, const Task& task) {
  return waits_for_subtasks(state, task) &&
         task.progress.preemptions < state.options.limits.attempts;
}

/// The tasks that keep `waiting` from beginning; empty if one of them may not be preempted.
std::vector<Task*> holders_to_preempt(State& state, const Task& waiting) {
  std::vector<Task*> holders;
  for (Task& task : state.tasks) {
    if (!keeps_waiting(state, task, waiting)) continue;
    if (!may_be_preempted(state, task)) return {};
    holders.push_back(&task);
  }
  return holders;
}

}  // namespace

void on(Context& ctx, const WriteRefused& event) {
  State& state = ctx.state;
  const Session* session = find_session(state, event.session);
  Task* task = session == nullptr || session->role != Role::worker
                   ? nullptr
                   : find_task(state, session->task);
  const std::string path = base::project_path(event.path);
  if (task == nullptr || path.empty() || !is_running(state.phase)) return;
  if (task->status != TaskStatus::running || task->session != event.session) return;
  const Task* holder = holder_of(state, *task, path);
  if (holder == nullptr) return;
  task->progress.blocked_path = path;
  task->progress.blocked_by = holder->id;
  const std::vector<Task*> circle = cycle_of(state, *task);
  if (circle.empty()) return;
  Task* loser = *std::ranges::max_element(circle, {}, [](const Task* one) { return one; });
  give_way(ctx, *loser, task->id);
}

bool is_deadlocked(const State& state) {
  // A closing session keeps its task's worktree, and its Worker from a rework, until its turn ends.
  const bool some_end = std::ranges::any_of(state.sessions, [](const Session& session) {
    return session.state == SessionState::closing && !session.task.empty();
  });
  if (slots_used(state) > 0 || some_end || worktrees_move(state)) return false;
  return std::ranges::none_of(state.tasks, [&](const Task& task) {
    if (task.status == TaskStatus::ready) return could_begin(state, task);
    if (!is_in_work(task.status)) return task.worktree.merge == MergeState::waiting;
    return !task.race.running && task.worktree.merge != MergeState::conflict &&
           !waits_for_subtasks(state, task);
  });
}

bool resolve_deadlock(Context& ctx) {
  State& state = ctx.state;
  if (!is_deadlocked(state)) return false;
  for (const Task& waiting : state.tasks) {
    if (waiting.status != TaskStatus::ready) continue;
    const std::vector<Task*> holders = holders_to_preempt(state, waiting);
    for (Task* holder : holders) preempt(ctx, *holder, waiting.id);
    if (!holders.empty()) return true;
  }
  return false;
}

}  // namespace orchestrator::core
