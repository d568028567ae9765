#include "core/schedule/early_review.h"

#include <algorithm>

#include "base/text.h"
#include "core/models/limiter.h"
#include "core/prompts/prompt.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/sessions.h"

namespace orchestrator::core {
namespace {

/// Findings in a note: a Worker reads it in the middle of its work, so it is short.
constexpr std::size_t kNotesMax = 10;
constexpr std::size_t kNoteBytesMax = 400;

bool looks(const Session& session) {
  return session.lease.early_review && session.state != SessionState::ended;
}

/// Whether a task that is entitled to a slot waits for one.
bool has_waiting_work(const State& state) {
  return std::ranges::any_of(state.tasks,
                             [](const Task& task) {
                               return task.status == TaskStatus::ready ||
                                      task.status == TaskStatus::submitted ||
                                      task.status == TaskStatus::rework;
                             }) ||
         std::ranges::find(state.sessions, SessionState::held, &Session::state) !=
             state.sessions.end();
}

}  // namespace

void on_worker_wrote(Context& ctx, Task& task, const std::string& path) {
  State& state = ctx.state;
  const bool moved_on = !task.progress.last_written.empty() && task.progress.last_written != path;
  task.progress.last_written = path;
  const bool wanted = state.options.review.shadow == ShadowReview::file && moved_on &&
                      task.status == TaskStatus::running &&
                      task.review.early_review_attempt != task.attempt;
  const bool may = is_running(state.phase) && !state.dormant && !state.recovery.running;
  if (!wanted || !may || has_waiting_work(state) || !may_begin(ctx, Role::reviewer)) return;
  task.review.early_review_attempt = task.attempt;
  open_session(ctx, Role::reviewer, &task, "reviewer", early_review_prompt(state, task));
  state.sessions.back().lease.early_review = true;
}

bool tidy_early_reviews(Context& ctx) {
  State& state = ctx.state;
  bool ended = false;
  for (Session& session : state.sessions) {
    if (!looks(session)) continue;
    const Task* task = find_task(state, session.task);
    const bool lost = task == nullptr || (task->status != TaskStatus::running &&
                                          task->status != TaskStatus::submitted);
    const bool in_the_way = holds_slot(session) && !has_room(state) && has_waiting_work(state);
    if (!lost && !in_the_way) continue;
    end_session(ctx, session);
    ended = true;
  }
  return ended;
}

Session* session_after_early_review(Context& ctx, const Task& task) {
  Session* free = nullptr;
  for (Session& session : ctx.state.sessions) {
    if (!looks(session) || session.task != task.id) continue;
    if (session.state == SessionState::idle && session.lease.began && !session.id.empty()) {
      free = &session;
    } else {
      end_session(ctx, session);
    }
  }
  return free;
}

void tell_worker(Context& ctx, const Task& task, const std::vector<Finding>& findings) {
  Session* worker = live_session(ctx.state, Role::worker, task.id);
  if (worker == nullptr || worker->state != SessionState::working || worker->lease.submitted)
    return;
  std::vector<Finding> notes;
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::note || notes.size() >= kNotesMax) continue;
    notes.push_back(finding);
    notes.back().file = base::clip(finding.file, 200);
    notes.back().message = base::clip(finding.message, kNoteBytesMax);
  }
  if (notes.empty()) return;
  PromptSession note;
  note.effect =
      worker->lease.sent;  // counts as a part of the present card, so no acceptance is awaited
  note.session = worker->id;
  note.agent = worker->agent;
  note.text = early_review_notes(notes);
  note.no_reply = true;
  ctx.emit(std::move(note));
}

}  // namespace orchestrator::core
