#include "core/submission.h"

#include <algorithm>

#include "core/commander.h"
#include "core/evidence.h"
#include "core/mission.h"
#include "core/plan.h"
#include "core/session_pool.h"
#include "core/task_graph.h"

namespace orchestrator::core {
namespace {

constexpr std::size_t kReceiptsMax = 2000;
constexpr std::size_t kTouchedMax = 2000;

std::string mission_name(const State& state) { return "mission " + state.mission.value; }

/// Why this session may not hand in what only `role` does, or nothing.
std::string wrong_caller(const State& state, const SessionId& session, Role role, const char* tool) {
  if (!is_active(state.phase)) {
    return std::string(tool) + ": no mission is active in this directory; the user starts one with /task";
  }
  const Role actual = role_of_session(state, session);
  if (actual == role) return "";
  return std::string(tool) + ": this session is " +
         (actual == Role::none ? "no session" : "the " + std::string(to_name(actual))) + " of " +
         mission_name(state) + ", and only its " + std::string(to_name(role)) + " calls it";
}

void note_touched(Task& task, const std::string& path) {
  if (task.touched.size() < kTouchedMax && std::ranges::find(task.touched, path) == task.touched.end()) {
    task.touched.push_back(path);
  }
}

/// `task` may be left out of a call; a wrong one is refused with the right one.
void check_named_task(const TaskId& named, const std::string& right, std::vector<std::string>& problems) {
  if (named.empty() || named.value == right) return;
  problems.push_back("task: this session holds \"" + right + "\", not \"" + clip(named.value, 60) + "\"");
}

void drop_receipts(State& state, const SessionId& session) {
  std::erase_if(state.receipts, [&](const Receipt& r) { return r.session == session; });
}

/// Ends every session of a task, e.g. when it is dropped.
void end_task_sessions(Context& ctx, const TaskId& task) {
  for (Session& session : ctx.state.sessions) {
    if (session.task == task && session.state != SessionState::ended) {
      drop_receipts(ctx.state, session.id);
      end_session(ctx, session);
    }
  }
}

// ---- plans --------------------------------------------------------------------------------------

std::string why_no_plan_now(const State& state) {
  if (state.phase == Phase::executing || state.phase == Phase::integrating) {
    return "submit_plan: " + mission_name(state) + " is " + std::string(to_name(state.phase)) +
           " its plan; change single tasks with update_todo (status, or add)";
  }
  if (state.phase == Phase::paused) {
    return "submit_plan: " + mission_name(state) + " is paused; the user goes on with /resume";
  }
  return "";
}

std::vector<Task> tasks_that_stay(const State& state) {
  std::vector<Task> kept;
  for (const Task& task : state.tasks) {
    if (is_settled(task.status)) kept.push_back(task);
  }
  return kept;
}

void adopt_plan(Context& ctx, const PlanArgs& plan, std::vector<Task> kept) {
  State& state = ctx.state;
  for (Task& task : state.tasks) {
    if (!is_settled(task.status)) end_task_sessions(ctx, task.id);
  }
  state.tasks = std::move(kept);
  for (const TaskSpec& spec : plan.tasks) state.tasks.push_back(make_task(state, spec));
  state.plan_summary = plan.summary;
  state.decisions = plan.decisions;
  state.verify_reason = plan.verify_reason;
  for (const std::string& command : plan.verify) {
    const std::string clean = trimmed(command);
    if (!clean.empty() && std::ranges::find(state.verify, clean) == state.verify.end()) {
      state.verify.push_back(clean);
    }
  }
}

}  // namespace

std::string listed(std::string head, const std::vector<std::string>& problems) {
  for (const std::string& problem : problems) head += "\n- " + problem;
  return head;
}

void refuse_call(Context& ctx, const RequestId& request, const SessionId& session, std::string text) {
  ctx.refuse(request, std::move(text));
  if (Session* child = find_session(ctx.state, session)) {
    on_refused_call(ctx, *child);
  } else {
    ctx.state.metrics.refusals += 1;
  }
}

void on_plan(Context& ctx, const PlanSubmitted& event) {
  State& state = ctx.state;
  const bool by_commander = event.session == state.root_session;
  if (!by_commander) {
    const std::string wrong = wrong_caller(state, event.session, Role::planner, "submit_plan");
    if (!wrong.empty()) return refuse_call(ctx, event.request, event.session, wrong);
  }
  std::string not_now = is_active(state.phase) ? why_no_plan_now(state)
                                               : wrong_caller(state, event.session, Role::planner, "submit_plan");
  if (!not_now.empty()) return refuse_call(ctx, event.request, event.session, not_now);

  std::vector<std::string> problems = event.problems;
  if (event.args.tasks.empty() && problems.empty()) problems.emplace_back("tasks: at least one is needed");
  const bool verified = std::ranges::any_of(event.args.verify, [](const std::string& c) { return !trimmed(c).empty(); });
  if (!verified && trimmed(event.args.verify_reason).empty()) {
    problems.emplace_back(
        "verify: empty; name the commands that prove the whole mission, or say in verify_reason why "
        "there are none");
  }
  const std::vector<Task> kept = tasks_that_stay(state);
  for (std::string& problem : task_problems(state, kept, event.args.tasks, "tasks")) {
    problems.push_back(std::move(problem));
  }
  if (!problems.empty()) {
    return refuse_call(ctx, event.request, event.session,
                       listed("submit_plan: the plan was not taken. Mend all of these and call it again:", problems));
  }
  adopt_plan(ctx, event.args, kept);
  const std::string size = std::to_string(event.args.tasks.size()) + " tasks";
  if (Session* planner = find_session(state, event.session)) {
    close_session(ctx, *planner);
  } else {
    for (Session& session : state.sessions) {
      if (session.role == Role::planner) end_session(ctx, session);
    }
  }
  if (state.phase == Phase::planning) enter(ctx, Cause::plan_accepted, Phase::executing);
  if (state.phase == Phase::blocked) enter(ctx, Cause::work_appeared, Phase::executing);
  made_progress(ctx);
  ctx.accept(event.request, "Plan taken: " + size + "." +
                                (by_commander ? " Call mission_run to carry it out." : " Your part is done: end your turn."));
}

// ---- work ---------------------------------------------------------------------------------------

void on_work(Context& ctx, const WorkSubmitted& event) {
  State& state = ctx.state;
  const std::string wrong = wrong_caller(state, event.session, Role::worker, "submit_work");
  if (!wrong.empty()) return refuse_call(ctx, event.request, event.session, wrong);
  Session& session = *find_session(state, event.session);
  Task* task = find_task(state, session.task);
  if (task == nullptr || task->status != TaskStatus::running || task->session != session.id) {
    return refuse_call(ctx, event.request, event.session,
                       "submit_work: task " + session.task.value + " is " +
                           (task == nullptr ? "gone" : std::string(to_name(task->status))) +
                           "; there is nothing to submit: end your turn");
  }
  std::vector<std::string> problems = event.problems;
  check_named_task(event.args.task, task->id.value, problems);
  std::vector<std::string> files;
  for (std::size_t i = 0; i < event.args.files.size(); ++i) {
    files.push_back(project_path(event.args.files[i]));
    if (files.back().empty()) {
      problems.push_back("files[" + std::to_string(i) + "]: \"" + clip(event.args.files[i], 120) +
                         "\" is outside the project: write a path relative to its directory");
    }
  }
  for (std::string& problem : unproved_claims(state, session.id, event.args.evidence)) problems.push_back(std::move(problem));
  for (std::string& problem : task_problems(state, state.tasks, event.args.follow_ups, "follow_ups")) {
    problems.push_back(std::move(problem));
  }
  if (!problems.empty()) {
    return refuse_call(ctx, event.request, event.session, listed("submit_work: not taken. Mend all of these and call it again:", problems));
  }
  task->summary = clip(event.args.summary, 4000);
  for (const std::string& file : files) note_touched(*task, file);
  task->review_attempts = 0;
  move_task(ctx, *task, TaskStatus::submitted);
  const std::string id = task->id.value;
  for (const TaskSpec& spec : event.args.follow_ups) state.tasks.push_back(make_task(state, spec));
  close_session(ctx, session);
  made_progress(ctx);
  ctx.accept(event.request, "Taken: " + id + " goes to review. End your turn; if something is found, it comes back to you.");
}

// ---- reviews ------------------------------------------------------------------------------------

namespace {

void finding_tasks(Context& ctx, const std::vector<Finding>& findings) {
  State& state = ctx.state;
  std::size_t n = 0;
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::note) continue;
    TaskSpec spec;
    do {
      spec.id = TaskId("F" + std::to_string(state.iteration - 1) + "." + std::to_string(++n));
    } while (find_task(state, spec.id) != nullptr);
    spec.title = first_line(finding.message, 180);
    std::string where = finding.file;
    if (finding.line > 0) where += ":" + std::to_string(finding.line);
    spec.description = "The review of the whole mission found" + (where.empty() ? "" : " in " + where) +
                       ":\n" + finding.message;
    if (!project_path(finding.file).empty() && !finding.file.empty()) spec.files = {finding.file};
    spec.accept = {"the finding no longer holds, and nothing else is broken"};
    state.tasks.push_back(make_task(state, spec));
  }
}

void pass_task(Context& ctx, Task& task, const std::vector<Finding>& findings) {
  task.proved_by = task.verify;
  task.findings = findings;
  task.note.clear();
  move_task(ctx, task, TaskStatus::done);
  for (Session& session : ctx.state.sessions) {
    if (session.task != task.id) continue;
    drop_receipts(ctx.state, session.id);
    if (session.role == Role::worker && session.state == SessionState::idle) end_session(ctx, session);
  }
}

void reject_task(Context& ctx, Task& task, const std::vector<Finding>& findings) {
  const std::uint32_t attempts = ctx.state.options.limits.attempts;
  task.findings = findings;
  task.rejections += 1;
  ctx.state.metrics.rejections += 1;
  if (task.attempt < attempts) {
    move_task(ctx, task, TaskStatus::rework);
    return;
  }
  task.note = "rejected in attempt " + std::to_string(task.attempt) + " of " + std::to_string(attempts) +
              ": " + first_line(findings.front().message, 200);
  move_task(ctx, task, TaskStatus::blocked);
  end_task_sessions(ctx, task.id);
}

void reject_mission(Context& ctx, const std::vector<Finding>& findings) {
  State& state = ctx.state;
  state.findings = findings;
  state.metrics.rejections += 1;
  if (state.iteration >= state.options.limits.iterations) {
    std::vector<std::string> lines;
    for (const Finding& finding : findings) lines.push_back(first_line(finding.message, 200));
    block_mission(ctx, listed("the whole was rejected in iteration " + std::to_string(state.iteration) +
                                  " of " + std::to_string(state.options.limits.iterations) + ":", lines));
    return;
  }
  state.iteration += 1;
  finding_tasks(ctx, findings);
  enter(ctx, Cause::review_rejected, Phase::executing);
}

/// Problems that any review may have, then those of a pass.
std::vector<std::string> review_problems(const State& state, const ReviewSubmitted& event,
                                         const std::string& subject,
                                         const std::vector<std::string>& verify) {
  std::vector<std::string> problems = event.problems;
  check_named_task(event.args.task, subject, problems);
  if (!event.args.verdict) {
    if (problems.empty()) problems.emplace_back("verdict: \"pass\" or \"reject\" is needed");
    return problems;
  }
  const auto& findings = event.args.findings;
  if (*event.args.verdict == Verdict::reject) {
    const bool says_why = std::ranges::any_of(findings, [](const Finding& f) { return f.severity != Severity::note; });
    if (!says_why) problems.emplace_back("findings: a reject needs at least one of severity error or warning that says what is to be mended");
    return problems;
  }
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (findings[i].severity != Severity::error) continue;
    problems.push_back("findings[" + std::to_string(i) + "] is an error: reject, or give it the severity it has");
  }
  for (const std::string& error : event.syntax_errors) problems.push_back(error + ": a pass is not possible; reject with it");
  for (std::string& problem : unproved_claims(state, event.session, event.args.evidence)) problems.push_back(std::move(problem));
  for (std::string& problem : missing_receipts(state, event.session, verify, event.files_hash)) problems.push_back(std::move(problem));
  return problems;
}

}  // namespace

void on_review(Context& ctx, const ReviewSubmitted& event) {
  State& state = ctx.state;
  Session* session = find_session(state, event.session);
  const bool whole = session != nullptr && session->role == Role::master_reviewer;
  const std::string wrong = wrong_caller(state, event.session, whole ? Role::master_reviewer : Role::reviewer, "submit_review");
  if (!wrong.empty()) return refuse_call(ctx, event.request, event.session, wrong);
  Task* task = find_task(state, session->task);
  const bool awaited = whole ? state.phase == Phase::integrating
                             : task != nullptr && task->status == TaskStatus::reviewing;
  if (!awaited || session->submitted || session->state == SessionState::ended) {
    return refuse_call(ctx, event.request, event.session, "submit_review: no verdict is awaited from this session any more: end your turn");
  }
  const std::string subject = whole ? "mission" : task->id.value;
  const std::vector<std::string> problems = review_problems(state, event, subject, whole ? state.verify : task->verify);
  if (!problems.empty()) {
    return refuse_call(ctx, event.request, event.session, listed("submit_review: not taken. Mend all of these and call it again:", problems));
  }
  close_session(ctx, *session);
  const bool pass = *event.args.verdict == Verdict::pass;
  if (whole && pass) {
    state.proved_by = state.verify;
    state.findings = event.args.findings;
    enter(ctx, Cause::review_passed, Phase::sealed);
    state.receipts.clear();
    ctx.cancel_timer(state.deadline_timer);
    ctx.emit(ShowToast{"success", "Mission sealed: " + first_line(state.objective, 120)});
    tell_commander(ctx);
  } else if (whole) {
    reject_mission(ctx, event.args.findings);
  } else if (pass) {
    pass_task(ctx, *task, event.args.findings);
  } else {
    reject_task(ctx, *task, event.args.findings);
  }
  if (pass && state.parallel < state.parallel_max) state.parallel += 1;
  made_progress(ctx);
  ctx.accept(event.request, std::string("Taken: ") + subject + (pass ? " passed" : " rejected") + ". End your turn.");
}

// ---- changes of the plan ------------------------------------------------------------------------

namespace {

std::string done_count(const State& state) {
  return " (" + std::to_string(count(state, TaskStatus::done)) + "/" + std::to_string(state.tasks.size()) + " done)";
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

/// Why the Commander may not make this move, or nothing.
std::string why_not_moved(const State& state, const Task& task, TodoStatus asked) {
  const TaskStatus to = wanted_status(asked);
  if (to == TaskStatus::done) {
    return "status: done exists only where a passing review exists; " + task.id.value + " is " +
           std::string(to_name(task.status)) + ": let it be reviewed, or drop it";
  }
  if (task.status == TaskStatus::done) {
    return "status: " + task.id.value + " is done, with a passing review; add a new task for what is missing";
  }
  if (to == TaskStatus::pending && is_in_work(task.status)) {
    return "status: " + task.id.value + " is " + std::string(to_name(task.status)) + " already; drop it first to start it over";
  }
  if (to == TaskStatus::pending && task.retries >= state.options.limits.attempts) {
    return "status: " + task.id.value + " was retried " + std::to_string(task.retries) +
           " times; only the user's /resume, or a new plan, starts it again";
  }
  if (to == TaskStatus::blocked && task.status == TaskStatus::dropped) {
    return "status: " + task.id.value + " is dropped; retry it first";
  }
  return "";
}

std::string apply_status(Context& ctx, Task& task, TodoStatus asked, const std::string& note) {
  const TaskStatus from = task.status;
  const TaskStatus to = wanted_status(asked);
  const bool waits = from == TaskStatus::pending || from == TaskStatus::ready;
  if (from == to || (to == TaskStatus::pending && waits)) return task.id.value + " unchanged";
  if (to == TaskStatus::pending) {
    task.retries += 1;
    task.attempt = 0;
    task.review_attempts = 0;
  } else {
    end_task_sessions(ctx, task.id);
  }
  if (!note.empty()) task.note = note;
  move_task(ctx, task, to);
  return task.id.value + " " + std::string(to_name(from)) + " -> " + std::string(to_name(to));
}

/// While blocked: something can run again.
void unblock(Context& ctx) {
  refresh_ready(ctx);
  const bool over = all_settled(ctx.state) || has_movable_task(ctx.state);
  if (ctx.state.phase == Phase::blocked && ctx.state.resume_phase == Phase::executing && over) {
    enter(ctx, Cause::work_appeared, Phase::executing);
  }
}

}  // namespace

void on_todo(Context& ctx, const TodoUpdated& event) {
  State& state = ctx.state;
  const std::string wrong = wrong_caller(state, event.session, Role::commander, "update_todo");
  if (!wrong.empty()) return refuse_call(ctx, event.request, event.session, wrong);
  const TodoArgs& args = event.args;
  std::vector<std::string> problems = event.problems;
  Task* task = args.id.empty() ? nullptr : find_task(state, args.id);
  if (problems.empty() && args.id.empty() && !args.add) problems.emplace_back("id: name a task, or give a new one in add");
  if (!args.id.empty() && task == nullptr) {
    problems.push_back("id: no task \"" + clip(args.id.value, 60) + "\"." + nearest_ids(state, args.id));
  }
  if (args.title.find('\n') != std::string::npos || args.title.size() > 200) problems.emplace_back("title: one line of at most 200 bytes is needed");
  const bool same = task != nullptr && args.status && wanted_status(*args.status) == task->status;
  if (task != nullptr && args.status && !same) {
    std::string why = why_not_moved(state, *task, *args.status);
    if (!why.empty()) problems.push_back(std::move(why));
  }
  if (args.add) {
    for (std::string& problem : task_problems(state, state.tasks, {*args.add}, "add")) problems.push_back(std::move(problem));
  }
  if (!problems.empty()) {
    return refuse_call(ctx, event.request, event.session, listed("update_todo: nothing was changed:", problems));
  }
  std::string line;
  if (task != nullptr) {
    if (!args.title.empty()) task->title = trimmed(args.title);
    if (!args.note.empty()) task->note = args.note;
    line = args.status ? apply_status(ctx, *task, *args.status, args.note) : task->id.value + " changed";
  }
  if (args.add) {
    state.tasks.push_back(make_task(state, *args.add));
    line += (line.empty() ? "" : "; ") + args.add->id.value + " added";
  }
  unblock(ctx);
  made_progress(ctx);
  ctx.accept(event.request, line + done_count(state));
}

// ---- what the host saw --------------------------------------------------------------------------

void on_command_ran(Context& ctx, const CommandRan& event) {
  State& state = ctx.state;
  if (Session* session = find_session(state, event.session)) session->seen_ms = ctx.now_ms;
  const Role role = role_of_session(state, event.session);
  if (role == Role::none || role == Role::commander || !event.workdir.empty()) return;
  const Session* session = find_session(state, event.session);
  if (state.receipts.size() >= kReceiptsMax) state.receipts.erase(state.receipts.begin());
  state.receipts.push_back(Receipt{event.session, session->task, trimmed(event.command), event.exit_code,
                                   event.output_hash, event.files_hash, ctx.now_ms});
  state.metrics.receipts += 1;
}

void on_file_written(Context& ctx, const FileWritten& event) {
  Session* session = find_session(ctx.state, event.session);
  if (session == nullptr) return;
  session->seen_ms = ctx.now_ms;
  const std::string path = project_path(event.path);
  Task* task = find_task(ctx.state, session->task);
  if (task != nullptr && !path.empty() && session->role == Role::worker) note_touched(*task, path);
}

}  // namespace orchestrator::core
