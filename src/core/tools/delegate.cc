#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "core/prompts/notes.h"
#include "core/sessions/blocking_calls.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/path_claims.h"
#include "core/state/plan_rules.h"
#include "core/state/races.h"
#include "core/state/sessions.h"
#include "core/state/tasks.h"
#include "core/tools/common.h"
#include "core/tools/handlers.h"

namespace orchestrator::core {
namespace {

/// Subtasks that one task may have, over all its attempts.
constexpr std::size_t kSubtasksMax = 16;

/// Number of delegations above the task. An entrant is as deep as the task that is raced.
std::size_t depth_of(const State& state, const Task& task) {
  std::size_t depth = task.parent.empty() || !task.race.strategy.empty() ? 0 : 1;
  for (const Task& whole : state.tasks) {
    const bool counts = !whole.parent.empty() && whole.race.strategy.empty();
    if (counts && is_subtask_of(state, task, whole.id)) ++depth;
  }
  return depth;
}

std::size_t parts_of(const State& state, const TaskId& whole) {
  return static_cast<std::size_t>(std::ranges::count(state.tasks, whole, &Task::parent));
}

/// Whether tasks are being worked on, so that a waiting call of the Commander will return.
bool is_under_way(const State& state) {
  return state.phase == Phase::executing || state.phase == Phase::integrating;
}

/// Why this session may not delegate; empty: it may. Only the Commander and Workers may.
std::string wrong_delegator(const State& state, const SessionId& id, const std::string& tool) {
  if (!is_active(state.phase) || role_of_session(state, id) != Role::worker)
    return wrong_caller(state, id, Role::commander, tool);
  const Session& session = *find_session(state, id);
  const Task* task = find_task(state, session.task);
  const bool works = task != nullptr && task->status == TaskStatus::running &&
                     task->session == id && is_busy(session) && !session.lease.submitted;
  return works ? "" : tool + ": the mission needs nothing more from this session: end your turn";
}

/// The task that a Worker's session works on; null for the Commander.
Task* own_task(State& state, const SessionId& id) {
  const Session* session = find_session(state, id);
  return session == nullptr ? nullptr : find_task(state, session->task);
}

std::string holder_problem(const State& state, const Task& whole, const std::string& file) {
  for (const Task& other : state.tasks) {
    const bool kin = other.id == whole.id || is_subtask_of(state, whole, other.id) ||
                     is_subtask_of(state, other, whole.id) || in_other_entrant(state, whole, other);
    if (kin || !is_in_work(other.status) || !claims(other, file)) continue;
    return "files: \"" + base::clip(file, 120) + "\" belongs to task " + other.id.value + " (" +
           base::clip(other.title, 80) + "), which is " + std::string(to_name(other.status)) +
           " now";
  }
  return "";
}

std::vector<std::string> delegate_problems(const State& state, const DelegateCalled& event,
                                           const Task* whole, const TaskSpec& spec) {
  std::vector<std::string> problems = event.problems;
  if (!problems.empty()) return problems;
  if (base::trimmed(spec.description).empty())
    problems.emplace_back("prompt: empty; write all that its Worker needs to know");
  base::append(problems, task_problems(state, state.tasks, {spec}, "task"));
  if (whole == nullptr) {
    if (!is_running(state.phase)) {
      problems.push_back("mission " + state.mission.value + " is " +
                         std::string(to_name(state.phase)) + ": it starts no task now");
    } else if (!is_under_way(state)) {
      problems.emplace_back(
          "the mission does not run yet: put the task into the plan (submit_plan), or call "
          "mission_run "
          "first");
    }
    return problems;
  }
  const std::size_t depth = depth_of(state, *whole) + 1;
  if (depth > state.options.limits.depth) {
    problems.push_back("depth: " + whole->id.value + " is delegated " + std::to_string(depth - 1) +
                       " levels deep already (limits.depth is " +
                       std::to_string(state.options.limits.depth) + "): do it yourself");
  }
  if (parts_of(state, whole->id) >= kSubtasksMax) {
    problems.push_back(whole->id.value + " has delegated " + std::to_string(kSubtasksMax) +
                       " tasks already: do the rest yourself");
  }
  for (const std::string& file : spec.files) {
    const std::string clean = base::project_path(file);
    if (clean.empty()) continue;  // task_problems reports an invalid path
    if (std::string why = holder_problem(state, *whole, clean); !why.empty())
      problems.push_back(std::move(why));
  }
  return problems;
}

/// Adds the files of a subtask to the claims of its parents, so that no other task takes them
/// before the subtask begins. Above an entrant no claim grows: the entrant works in its own
/// worktree.
void grow_claims(State& state, const TaskId& first, const std::vector<std::string>& files) {
  Task* whole = find_task(state, first);
  for (std::size_t i = 0; i < state.tasks.size() && whole != nullptr; ++i) {
    for (const std::string& file : files) {
      const bool known = std::ranges::any_of(
          whole->files, [&](const std::string& glob) { return glob_matches(glob, file); });
      if (!known) whole->files.push_back(file);
    }
    whole = whole->race.strategy.empty() ? find_task(state, whole->parent) : nullptr;
  }
}

}  // namespace

void on(Context& ctx, const DelegateCalled& event) {
  State& state = ctx.state;
  const std::string wrong = wrong_delegator(state, event.session, "delegate_task");
  if (!wrong.empty()) return refuse_call(ctx, event.request, event.session, wrong);
  const Task* whole = own_task(state, event.session);
  TaskSpec spec;
  spec.id = numbered_id(state, whole == nullptr ? "D" : whole->id.value + ".", "P");
  spec.title = base::first_line(base::trimmed(event.args.title), 200);
  spec.description = event.args.prompt;
  spec.agent = event.args.agent;
  spec.files = event.args.files;
  spec.race = event.args.race;
  const std::vector<std::string> problems = delegate_problems(state, event, whole, spec);
  if (!problems.empty()) {
    return refuse_call(ctx, event.request, event.session,
                       base::listed("delegate_task: nothing was delegated:", problems));
  }
  Task part = make_task(state, spec);
  if (whole != nullptr) part.parent = whole->id;
  grow_claims(state, part.parent, part.files);
  if (Session* session = find_session(state, event.session)) session->lease.refusals = 0;
  state.tasks.push_back(std::move(part));
  ctx.moved = ctx.graph_moved = true;
  if (!event.args.background) return wait_for_task(ctx, event.request, event.session, spec.id);
  ctx.accept(event.request, spec.id.value +
                                " goes on in the background. get_task_result waits for "
                                "it and gives its result.");
}

void on(Context& ctx, const ResultAsked& event) {
  State& state = ctx.state;
  const std::string wrong = wrong_delegator(state, event.session, "get_task_result");
  if (!wrong.empty()) return refuse_call(ctx, event.request, event.session, wrong);
  if (!event.problems.empty()) {
    return refuse_call(ctx, event.request, event.session,
                       base::listed("get_task_result:", event.problems));
  }
  const Task* task = find_task(state, event.args.task);
  if (task == nullptr) {
    return refuse_call(ctx, event.request, event.session,
                       "get_task_result: no task \"" + base::clip(event.args.task.value, 60) +
                           "\"." + nearest_ids(state, event.args.task));
  }
  if (is_finished(*task)) return ctx.accept(event.request, result_text(*task));
  const Task* own = own_task(state, event.session);
  const bool may_wait = own != nullptr ? is_subtask_of(state, *task, own->id) : is_under_way(state);
  if (may_wait) return wait_for_task(ctx, event.request, event.session, task->id);
  ctx.accept(event.request,
             task->id.value + " " + task->title + " is " + std::string(to_name(task->status)) +
                 " now; get_task_result does not wait for it: " +
                 (own != nullptr ? "it is not your subtask." : "the mission is not running."));
}

void on(Context& ctx, const CancelCalled& event) {
  State& state = ctx.state;
  const std::string wrong = wrong_delegator(state, event.session, "cancel_task");
  if (!wrong.empty()) return refuse_call(ctx, event.request, event.session, wrong);
  std::vector<std::string> problems = event.problems;
  Task* task = find_task(state, event.args.task);
  const Task* own = own_task(state, event.session);
  if (problems.empty() && task == nullptr) {
    problems.push_back("no task \"" + base::clip(event.args.task.value, 60) + "\"." +
                       nearest_ids(state, event.args.task));
  } else if (task != nullptr && own != nullptr && !is_subtask_of(state, *task, own->id)) {
    problems.push_back(task->id.value + " is not your subtask");
  } else if (task != nullptr && task->status == TaskStatus::done) {
    problems.push_back(task->id.value + " is done, with a passing review: it stays");
  }
  if (!problems.empty()) {
    return refuse_call(ctx, event.request, event.session,
                       base::listed("cancel_task: nothing was cancelled:", problems));
  }
  if (task->status == TaskStatus::dropped)
    return ctx.accept(event.request, task->id.value + " unchanged");
  const std::string from(to_name(task->status));
  const std::string reason = base::clip(event.args.reason, 600);
  drop_task(ctx, *task, "cancelled" + (reason.empty() ? "" : ": " + reason));
  if (unblock(ctx)) state.unblocks += 1;
  ctx.accept(event.request, task->id.value + " " + from + " -> dropped");
}

}  // namespace orchestrator::core
