#include "core/tools/delegate.h"

#include <algorithm>

#include "core/models/budget.h"
#include "core/state/path_claims.h"
#include "core/mission/commander.h"
#include "core/models/limiter.h"
#include "core/mission/mission_lifecycle.h"
#include "core/state/plan_rules.h"
#include "core/schedule/race.h"
#include "core/sessions/host_events.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/sessions.h"
#include "core/tools/common.h"
#include "core/state/tasks.h"

namespace orchestrator::core {
namespace {

/// Parts that one task may have in all, over all its attempts.
constexpr std::size_t kPartsMax = 16;
constexpr std::size_t kResultBytesMax = 2000;
constexpr std::size_t kFilesShown = 20;

bool is_finished(const Task& task) {
  return is_settled(task.status) || task.status == TaskStatus::blocked;
}

/// How deep it is delegated. A run of a race stands where its race does.
std::size_t depth_of(const State& state, const Task& task) {
  std::size_t depth = task.parent.empty() || !task.strategy.empty() ? 0 : 1;
  for (const Task& whole : state.tasks) {
    const bool counts = !whole.parent.empty() && whole.strategy.empty();
    if (counts && is_part_of(state, task, whole.id)) ++depth;
  }
  return depth;
}

std::size_t parts_of(const State& state, const TaskId& whole) {
  return static_cast<std::size_t>(std::ranges::count(state.tasks, whole, &Task::parent));
}

/// Tasks are worked on: what the Commander waits for comes.
bool is_under_way(const State& state) {
  return state.phase == Phase::executing || state.phase == Phase::integrating;
}

std::string result_text(const Task& task) {
  std::string text =
      task.id.value + " " + task.title + " is " + std::string(to_name(task.status)) + ".";
  if (!task.note.empty() && task.status != TaskStatus::done) text += " " + clip(task.note, 600);
  if (!task.summary.empty()) text += "\n" + task.summary;
  text = clip(text, kResultBytesMax);
  if (!task.touched.empty()) text += "\nFiles:";
  for (std::size_t i = 0; i < task.touched.size(); ++i) {
    if (i == kFilesShown) {
      text += " and " + std::to_string(task.touched.size() - i) + " more";
      break;
    }
    text += " " + clip(task.touched[i], 120);
  }
  for (const std::string& command : task.proved_by) text += "\nProved by: " + clip(command, 200);
  return text;
}

/// Why this session may not call it, or nothing: the Commander and Workers do.
std::string wrong_delegator(const State& state, const SessionId& id, const std::string& tool) {
  if (!is_active(state.phase) || role_of_session(state, id) != Role::worker)
    return wrong_caller(state, id, Role::commander, tool);
  const Session& session = *find_session(state, id);
  const Task* task = find_task(state, session.task);
  const bool works = task != nullptr && task->status == TaskStatus::running &&
                     task->session == id && is_busy(session) && !session.submitted;
  return works ? "" : tool + ": your part in the mission is over; end your turn";
}

/// The task that a Worker's session works on; none for the Commander.
Task* own_task(State& state, const SessionId& id) {
  const Session* session = find_session(state, id);
  return session == nullptr ? nullptr : find_task(state, session->task);
}

std::string holder_problem(const State& state, const Task& whole, const std::string& file) {
  for (const Task& other : state.tasks) {
    const bool kin = other.id == whole.id || is_part_of(state, whole, other.id) ||
                     is_part_of(state, other, whole.id) || run_apart(state, whole, other);
    if (kin || !is_in_work(other.status) || !claims(other, file)) continue;
    return "files: \"" + clip(file, 120) + "\" belongs to task " + other.id.value + " (" +
           clip(other.title, 80) + "), which is " + std::string(to_name(other.status)) + " now";
  }
  return "";
}

std::vector<std::string> delegate_problems(const State& state, const DelegateCalled& event,
                                           const Task* whole, const TaskSpec& spec) {
  std::vector<std::string> problems = event.problems;
  if (!problems.empty()) return problems;
  if (trimmed(spec.description).empty())
    problems.emplace_back("prompt: say all that its Worker needs to know");
  append(problems, task_problems(state, state.tasks, {spec}, "task"));
  if (whole == nullptr) {
    if (!is_running(state.phase)) {
      problems.push_back("mission " + state.mission.value + " is " +
                         std::string(to_name(state.phase)) + ": nothing begins now");
    } else if (!is_under_way(state)) {
      problems.emplace_back(
          "the mission is not under way yet: put it into the plan (submit_plan), or call "
          "mission_run "
          "first");
    }
    return problems;
  }
  const std::size_t depth = depth_of(state, *whole) + 1;
  if (depth > state.options.limits.depth) {
    problems.push_back("depth: " + whole->id.value + " is delegated " + std::to_string(depth - 1) +
                       " deep already (limits.depth is " +
                       std::to_string(state.options.limits.depth) + "): do it yourself");
  }
  if (parts_of(state, whole->id) >= kPartsMax) {
    problems.push_back(whole->id.value + " has delegated " + std::to_string(kPartsMax) +
                       " tasks already: do the rest yourself");
  }
  for (const std::string& file : spec.files) {
    const std::string clean = project_path(file);
    if (clean.empty()) continue;  // said already
    if (std::string why = holder_problem(state, *whole, clean); !why.empty())
      problems.push_back(std::move(why));
  }
  return problems;
}

/// What a part claims its wholes claim too, so that nobody takes it while the part has yet to
/// begin; a run's in its own worktree, which is no matter of its race.
void grow_claims(State& state, const TaskId& first, const std::vector<std::string>& files) {
  Task* whole = find_task(state, first);
  for (std::size_t i = 0; i < state.tasks.size() && whole != nullptr; ++i) {
    for (const std::string& file : files) {
      const bool known = std::ranges::any_of(
          whole->files, [&](const std::string& glob) { return glob_matches(glob, file); });
      if (!known) whole->files.push_back(file);
    }
    whole = whole->strategy.empty() ? find_task(state, whole->parent) : nullptr;
  }
}

void wait(Context& ctx, const RequestId& request, const SessionId& id, const TaskId& task) {
  State& state = ctx.state;
  if (std::ranges::find(state.waiters, request, &Waiter::request) != state.waiters.end()) return;
  state.waiters.push_back({request, id, task, ctx.now_ms});
  Session* session = find_session(state, id);
  if (session == nullptr || session->state == SessionState::delegating) return;
  on_turn_started(ctx, *session);  // the call may have overtaken that
  ctx.cancel_timer(session->timer);
  session->effect = 0;  // what was asked about its turn is known: it makes a call
  session->inspecting = false;
  move_session(ctx, *session, SessionState::delegating);
}

/// Takes the turn up again, for its last answer.
void go_on_working(Context& ctx, Session& session, TimeMs since_ms) {
  session.leased_ms += ctx.now_ms - since_ms;
  session.seen_ms = ctx.now_ms;
  move_session(ctx, session, SessionState::working);
  arm(ctx, session, stall_ms(ctx.state));
}

}  // namespace

void on_delegate(Context& ctx, const DelegateCalled& event) {
  State& state = ctx.state;
  const std::string wrong = wrong_delegator(state, event.session, "delegate_task");
  if (!wrong.empty()) return refuse_call(ctx, event.request, event.session, wrong);
  const Task* whole = own_task(state, event.session);
  TaskSpec spec;
  spec.id = numbered_id(state, whole == nullptr ? "D" : whole->id.value + ".", "P");
  spec.title = first_line(trimmed(event.args.title), 200);
  spec.description = event.args.prompt;
  spec.agent = event.args.agent;
  spec.files = event.args.files;
  spec.race = event.args.race;
  const std::vector<std::string> problems = delegate_problems(state, event, whole, spec);
  if (!problems.empty()) {
    return refuse_call(ctx, event.request, event.session,
                       listed("delegate_task: nothing was delegated:", problems));
  }
  Task part = make_task(state, spec);
  if (whole != nullptr) part.parent = whole->id;
  grow_claims(state, part.parent, part.files);
  if (Session* session = find_session(state, event.session)) session->refusals = 0;
  state.tasks.push_back(std::move(part));
  ctx.moved = ctx.graph_moved = true;
  if (!event.args.background) return wait(ctx, event.request, event.session, spec.id);
  ctx.accept(event.request, spec.id.value +
                                " goes on in the background. get_task_result waits for "
                                "it and gives its result.");
}

void on_result_asked(Context& ctx, const ResultAsked& event) {
  State& state = ctx.state;
  const std::string wrong = wrong_delegator(state, event.session, "get_task_result");
  if (!wrong.empty()) return refuse_call(ctx, event.request, event.session, wrong);
  if (!event.problems.empty()) {
    return refuse_call(ctx, event.request, event.session,
                       listed("get_task_result:", event.problems));
  }
  const Task* task = find_task(state, event.args.task);
  if (task == nullptr) {
    return refuse_call(ctx, event.request, event.session,
                       "get_task_result: no task \"" + clip(event.args.task.value, 60) + "\"." +
                           nearest_ids(state, event.args.task));
  }
  if (is_finished(*task)) return ctx.accept(event.request, result_text(*task));
  const Task* own = own_task(state, event.session);
  const bool may_wait = own != nullptr ? is_part_of(state, *task, own->id) : is_under_way(state);
  if (may_wait) return wait(ctx, event.request, event.session, task->id);
  ctx.accept(event.request,
             task->id.value + " " + task->title + " is " + std::string(to_name(task->status)) +
                 " now, and is not waited for: " +
                 (own != nullptr ? "it is no part of yours." : "the mission does not run."));
}

void on_cancel(Context& ctx, const CancelCalled& event) {
  State& state = ctx.state;
  const std::string wrong = wrong_delegator(state, event.session, "cancel_task");
  if (!wrong.empty()) return refuse_call(ctx, event.request, event.session, wrong);
  std::vector<std::string> problems = event.problems;
  Task* task = find_task(state, event.args.task);
  const Task* own = own_task(state, event.session);
  if (problems.empty() && task == nullptr) {
    problems.push_back("no task \"" + clip(event.args.task.value, 60) + "\"." +
                       nearest_ids(state, event.args.task));
  } else if (task != nullptr && own != nullptr && !is_part_of(state, *task, own->id)) {
    problems.push_back(task->id.value + " is not delegated by you");
  } else if (task != nullptr && task->status == TaskStatus::done) {
    problems.push_back(task->id.value + " is done, with a passing review");
  }
  if (!problems.empty()) {
    return refuse_call(ctx, event.request, event.session,
                       listed("cancel_task: nothing was cancelled:", problems));
  }
  if (task->status == TaskStatus::dropped)
    return ctx.accept(event.request, task->id.value + " unchanged");
  const std::string from(to_name(task->status));
  const std::string reason = clip(event.args.reason, 600);
  drop_task(ctx, *task, "cancelled" + (reason.empty() ? "" : ": " + reason));
  if (unblock(ctx)) state.unblocks += 1;
  ctx.accept(event.request, task->id.value + " " + from + " -> dropped");
}

bool on_wait_aborted(Context& ctx, const CallAborted& event) {
  std::vector<Waiter>& waiters = ctx.state.waiters;
  const auto it = std::ranges::find(waiters, event.request, &Waiter::request);
  if (event.request.empty() || it == waiters.end()) return false;
  const bool root = it->session == ctx.state.root_session;
  waiters.erase(it);
  ctx.moved = true;  // its turn goes on, or is told to be over
  if (root && is_running(ctx.state.phase)) pause_mission(ctx, "interrupted by the user");
  return true;
}

void answer_waiters(Context& ctx) {
  State& state = ctx.state;
  // One call after the other: an answer may move the tasks on.
  for (std::size_t i = 0; i < state.waiters.size();) {
    const Waiter waiter = state.waiters[i];
    const Task* task = find_task(state, waiter.task);
    Session* session = find_session(state, waiter.session);
    const bool ready = task == nullptr || is_finished(*task);
    const bool last = std::ranges::count(state.waiters, waiter.session, &Waiter::session) == 1;
    const bool needs_slot =
        session != nullptr && session->state == SessionState::delegating && last;
    if (!ready || (needs_slot && !has_room_for(state, *session))) {
      ++i;
      continue;
    }
    state.waiters.erase(state.waiters.begin() + static_cast<std::ptrdiff_t>(i));
    if (needs_slot) go_on_working(ctx, *session, waiter.since_ms);
    ctx.accept(waiter.request, task == nullptr ? waiter.task.value + " is not in the plan any more"
                                               : result_text(*task));
  }
  for (Session& session : state.sessions) {
    const bool stands = session.state == SessionState::delegating && !session.errored &&
                        !session.failed && !is_waiting_session(state, session.id);
    if (stands && has_room_for(state, session)) go_on_working(ctx, session, ctx.now_ms);
  }
}

bool stop_waiting(Context& ctx, const SessionId& session, const std::string& text) {
  std::vector<Waiter>& waiters = ctx.state.waiters;
  bool any = false;
  for (const Waiter& waiter : waiters) {
    if (waiter.session != session) continue;
    any = true;
    if (text.empty()) {
      ctx.refuse(waiter.request, "Interrupted: " + waiter.task.value + " goes on without you.");
    } else {
      ctx.accept(waiter.request, text);
    }
  }
  std::erase_if(waiters, [&](const Waiter& waiter) { return waiter.session == session; });
  return any;
}

bool is_waiting_session(const State& state, const SessionId& session) {
  return !session.empty() &&
         std::ranges::find(state.waiters, session, &Waiter::session) != state.waiters.end();
}

bool waits_for_parts(const State& state, const Task& task) {
  const Session* worker = find_session(state, task.session);
  // A call that was cut off is followed by the end of its turn.
  return task.status == TaskStatus::running && worker != nullptr &&
         worker->state == SessionState::delegating && !worker->errored && !worker->failed;
}

void end_delegating(Context& ctx, Session& session) {
  stop_waiting(ctx, session.id);
  ctx.cancel_timer(session.timer);
  session.errored = session.failed = false;
  release_reservation(ctx, session);
  move_session(ctx, session, SessionState::idle);
}

void drop_orphans(Context& ctx) {
  State& state = ctx.state;
  bool again = true;
  while (again) {  // a dropped part's own parts are next
    again = false;
    for (Task& task : state.tasks) {
      if (task.parent.empty() || is_settled(task.status)) continue;
      const Task* whole = find_task(state, task.parent);
      if (whole != nullptr && !is_settled(whole->status)) continue;
      drop_task(ctx, task,
                task.parent.value + ", which it is a part of, is " +
                    (whole == nullptr ? "gone" : std::string(to_name(whole->status))));
      again = true;
    }
  }
}

std::vector<TaskId> unfinished_parts(const State& state, const Task& task) {
  std::vector<TaskId> parts;
  for (const Task& part : state.tasks) {
    if (part.parent == task.id && !is_settled(part.status)) parts.push_back(part.id);
  }
  return parts;
}

void keep_claims(State& state) {
  for (const Task& part : state.tasks) {
    // What a run has changed is in the project only if it wins: race.cc.
    if (part.parent.empty() || is_in_work(part.status) || !part.strategy.empty()) continue;
    Task* whole = find_task(state, part.parent);
    if (whole == nullptr || is_settled(whole->status)) continue;
    if (!whole->commit.empty()) continue;  // git has said what it has changed
    for (const std::string& path : part.touched) {
      if (holder_of(state, *whole, path) == nullptr) note_touched(*whole, path);
    }
  }
}

std::string part_list(const State& state, const Task& task) {
  std::string text;
  for (const Task& part : state.tasks) {
    if (part.parent != task.id) continue;
    text +=
        "- " + part.id.value + " " + part.title + " (" + std::string(to_name(part.status)) + ")";
    if (!part.summary.empty()) text += ": " + clip(part.summary, 400);
    text += "\n";
  }
  return text.empty() ? "" : "\nDelegated so far:\n" + text;
}

}  // namespace orchestrator::core
