#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "core/schedule/early_review.h"
#include "core/schedule/subtasks.h"
#include "core/state/plan_rules.h"
#include "core/state/races.h"
#include "core/state/tasks.h"
#include "core/tools/common.h"
#include "core/tools/handlers.h"
#include "core/tools/lsp_findings.h"
#include "core/tools/receipts.h"

namespace orchestrator::core {
namespace {

constexpr std::size_t kSubmittedBytesMax = 4000;

std::string why_no_work(const State& state, const SessionId& id) {
  std::string wrong = wrong_caller(state, id, Role::worker, "submit_work");
  if (!wrong.empty()) return wrong;
  const Session& session = *find_session(state, id);
  const Task* task = find_task(state, session.task);
  const bool awaited = task != nullptr && task->status == TaskStatus::running &&
                       task->session == id && session.state != SessionState::ended;
  if (awaited) return "";
  const bool given_away = task != nullptr && task->status == TaskStatus::running;
  return "submit_work: task " + session.task.value + " is " +
         (task == nullptr ? "gone"
          : given_away    ? "with another session now"
                          : std::string(to_name(task->status))) +
         ", so there is nothing to submit: end your turn";
}

std::vector<std::string> work_problems(const State& state, const WorkSubmitted& event,
                                       const Task& task) {
  std::vector<std::string> problems = event.problems;
  check_named_task(event.args.task, task.id, display_task(state, task).id, problems);
  for (std::size_t i = 0; i < event.args.files.size(); ++i) {
    if (!base::project_path(event.args.files[i]).empty()) continue;
    problems.push_back("files[" + std::to_string(i) + "]: \"" +
                       base::clip(event.args.files[i], 120) +
                       "\" is outside the project: write a path relative to its directory");
  }
  base::append(problems, unproved_claims(state, event.session, event.args.evidence));
  base::append(problems, task_problems(state, state.tasks, event.args.follow_ups, "follow_ups"));
  for (const TaskId& part : unfinished_subtasks(state, task)) {
    problems.push_back("delegated task " + part.value + " is " +
                       std::string(to_name(find_task(state, part)->status)) +
                       ": wait for it with get_task_result, or cancel_task");
  }
  return problems;
}

}  // namespace

void on_submit_work(Context& ctx, const WorkSubmitted& event) {
  State& state = ctx.state;
  const std::string why = why_no_work(state, event.session);
  if (!why.empty()) return refuse_call(ctx, event.request, event.session, why);
  Session& session = *find_session(state, event.session);
  Task& task = *find_task(state, session.task);
  std::vector<std::string> problems = work_problems(state, event, task);
  base::append(problems, refused_errors(task, event.diagnosis));
  if (!problems.empty()) {
    return refuse_call(
        ctx, event.request, event.session,
        base::listed("submit_work: not accepted. Fix all of these and call it again:", problems));
  }
  task.summary = base::clip(event.args.summary, kSubmittedBytesMax);
  for (const std::string& file : event.args.files) note_touched(task, base::project_path(file));
  keep_subtask_claims(state);
  task.review.attempts = 0;
  keep_diagnosis(task, event.diagnosis);
  task.progress.sessions_lost = 0;
  move_task(ctx, task, TaskStatus::submitted);
  take_submission(
      ctx, session, event.request,
      "Taken: " + task.id.value +
          " goes to review. End your turn; if the Reviewer rejects it, it comes back to you." +
          (event.diagnosis.notes.empty() ? "" : "\nNote: " + event.diagnosis.notes.front()));
  // Last: this invalidates `task`.
  for (const TaskSpec& spec : event.args.follow_ups) state.tasks.push_back(make_task(state, spec));
  if (!event.args.follow_ups.empty()) ctx.graph_moved = true;
}

void on(Context& ctx, const FileWritten& event) {
  Session* session = find_session(ctx.state, event.session);
  if (session == nullptr || !is_active(ctx.state.phase)) return;
  session->seen_ms = ctx.now_ms;
  const std::string path = base::project_path(event.path);
  Task* task = find_task(ctx.state, session->task);
  if (task == nullptr || path.empty() || session->role != Role::worker) return;
  session->lease.wrote = true;
  clear_block(*task);  // the Worker goes on without the file that it was refused
  note_touched(*task, path);
  on_worker_wrote(ctx, *task, path);
}

}  // namespace orchestrator::core
