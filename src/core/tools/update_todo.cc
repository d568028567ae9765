#include <algorithm>

#include "base/text.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/plan_rules.h"
#include "core/state/tasks.h"
#include "core/tools/common.h"
#include "core/tools/handlers.h"

namespace orchestrator::core {
namespace {

constexpr std::size_t kRemarkBytesMax = 2000;

std::string done_count(const State& state) {
  return " (" + std::to_string(count(state, TaskStatus::done)) + "/" +
         std::to_string(state.tasks.size()) + " done)";
}

TaskStatus wanted_status(TodoStatus status) {
  switch (status) {
    case TodoStatus::pending:
    case TodoStatus::retry:
      return TaskStatus::pending;
    case TodoStatus::blocked:
      return TaskStatus::blocked;
    case TodoStatus::dropped:
      return TaskStatus::dropped;
    case TodoStatus::done:
      return TaskStatus::done;
  }
  return TaskStatus::pending;
}

bool is_waiting(const Task& task) {
  return task.status == TaskStatus::pending || task.status == TaskStatus::ready;
}

/// Whether the task has the requested status already.
bool is_unchanged(const Task& task, TodoStatus asked) {
  const TaskStatus to = wanted_status(asked);
  return task.status == to || (to == TaskStatus::pending && is_waiting(task));
}

/// Why the Commander may not make this move; empty: it may.
std::string why_not_moved(const State& state, const Task& task, TodoStatus asked) {
  const TaskStatus to = wanted_status(asked);
  if (is_unchanged(task, asked)) return "";
  if (to == TaskStatus::done) {
    const bool stopped = task.status == TaskStatus::blocked || task.status == TaskStatus::dropped;
    return "status: only a passing review makes a task done; " + task.id.value + " is " +
           std::string(to_name(task.status)) +
           (stopped ? ": retry it, and it is reviewed again" : ": let it be reviewed, or drop it");
  }
  if (task.status == TaskStatus::done) {
    return "status: " + task.id.value +
           " is done, with a passing review; add a new task for what is missing";
  }
  if (to == TaskStatus::pending && is_in_work(task.status)) {
    return "status: " + task.id.value + " is " + std::string(to_name(task.status)) +
           " already; drop it first to restart it";
  }
  if (to == TaskStatus::pending && task.progress.retries >= state.options.limits.attempts) {
    return "status: " + task.id.value + " was retried " + std::to_string(task.progress.retries) +
           " times; only the user's /resume, or a new plan, starts it again";
  }
  if (to == TaskStatus::blocked && task.status == TaskStatus::dropped) {
    return "status: " + task.id.value + " is dropped; retry it first";
  }
  return "";
}

std::string apply_status(Context& ctx, Task& task, TodoStatus asked) {
  const TaskStatus from = task.status;
  const TaskStatus to = wanted_status(asked);
  if (is_unchanged(task, asked)) return task.id.value + " unchanged";
  if (to == TaskStatus::pending) {
    task.progress.retries += 1;
    task.attempt = 0;
    task.review.attempts = 0;
  } else {
    end_task_sessions(ctx, task.id);
  }
  move_task(ctx, task, to);
  return task.id.value + " " + std::string(to_name(from)) + " -> " + std::string(to_name(to));
}

void check_added(const State& state, const TaskSpec& added, std::vector<std::string>& problems) {
  if (is_unplanned(state)) {
    problems.emplace_back("add: there is no plan yet; give one with submit_plan");
  } else {
    base::append(problems, task_problems(state, state.tasks, {added}, "add"));
  }
}

std::vector<std::string> todo_problems(const State& state, const TodoUpdated& event) {
  const TodoArgs& args = event.args;
  std::vector<std::string> problems = event.problems;
  const Task* task = args.id.empty() ? nullptr : find_task(state, args.id);
  if (problems.empty() && args.id.empty() && !args.add) {
    problems.emplace_back("id: name a task, or give a new one in add");
  }
  if (!args.id.empty() && task == nullptr) {
    problems.push_back("id: no task \"" + base::clip(args.id.value, 60) + "\"." +
                       nearest_ids(state, args.id));
  }
  if (args.title.find('\n') != std::string::npos || args.title.size() > 200) {
    problems.emplace_back("title: one line of at most 200 bytes is needed");
  }
  if (task != nullptr && args.status) {
    std::string why = why_not_moved(state, *task, *args.status);
    if (!why.empty()) problems.push_back(std::move(why));
  }
  if (args.add) check_added(state, *args.add, problems);
  if (state.phase == Phase::blocked && (args.status || args.add)) {
    std::string why = why_not_unblock(state, "status");
    if (!why.empty()) problems.push_back(std::move(why));
  }
  return problems;
}

/// Carries out the change and returns a line about it, e.g. `T3 pending -> dropped`.
std::string apply(Context& ctx, const TodoArgs& args) {
  std::string line;
  if (Task* task = find_task(ctx.state, args.id)) {
    if (!base::trimmed(args.title).empty()) task->title = base::trimmed(args.title);
    if (!args.note.empty()) task->note = base::clip(args.note, kRemarkBytesMax);
    line = args.status ? apply_status(ctx, *task, *args.status) : task->id.value + " changed";
  }
  if (args.add) {
    ctx.state.tasks.push_back(make_task(ctx.state, *args.add));
    ctx.moved = ctx.graph_moved = true;
    line += (line.empty() ? "" : "; ") + args.add->id.value + " added";
  }
  return line;
}

}  // namespace

void on(Context& ctx, const TodoUpdated& event) {
  State& state = ctx.state;
  const std::string wrong = wrong_caller(state, event.session, Role::commander, "update_todo");
  if (!wrong.empty()) return refuse_call(ctx, event.request, event.session, wrong);
  const std::vector<std::string> problems = todo_problems(state, event);
  if (!problems.empty()) {
    return refuse_call(ctx, event.request, event.session,
                       base::listed("update_todo: nothing was changed:", problems));
  }
  const std::string line = apply(ctx, event.args);
  const bool moves = event.args.status || event.args.add;
  if (moves && unblock(ctx)) state.unblocks += 1;
  ctx.accept(event.request, line + done_count(state));
}

}  // namespace orchestrator::core
