#include "core/sessions/session_lifecycle.h"

#include <algorithm>

#include "base/text.h"
#include "core/models/budget.h"
#include "core/models/limiter.h"
#include "core/prompts/prompt.h"
#include "core/sessions/permission.h"
#include "core/sessions/waiters.h"
#include "core/state/checkouts.h"
#include "core/state/path_claims.h"
#include "core/state/sessions.h"
#include "core/state/tasks.h"

namespace orchestrator::core {
namespace {

/// A tool result that refuses is read and answered; so many in a row are a loop.
constexpr std::uint32_t kRefusalsMax = 8;
/// A host that is asked so often about one session, and nothing happens, has lost it.
constexpr std::uint32_t kInspectionsMax = 5;
/// Ended sessions that the state remembers.
constexpr std::size_t kEndedKept = 64;
constexpr std::size_t kEndedKeptPerTask = 2;
/// Sessions of a task that are lost to their model, beyond which they count as attempts.
constexpr std::uint32_t kLossesMax = 3;
/// The same tool error so often in a row is a loop.
constexpr std::uint32_t kToolErrorsMax = 3;
constexpr TimeMs kCreationMs = 60'000;
/// Signs that a session goes on after its submission, before its turn is aborted. One request
/// begins and is refused by the plugin in each ordinary turn, and the host may tell that twice.
constexpr std::uint32_t kAfterSubmissionMax = 4;
constexpr TimeMs kBackoffFirstMs = 500;
constexpr TimeMs kBackoffMaxMs = 60'000;
constexpr std::uint32_t kBackoffDoublingsMax = 10;

TimeMs lease_ms(const State& state) {
  return static_cast<TimeMs>(state.options.timeouts.task_min) * 60'000;
}

std::string title_of(const State& state, const Session& session) {
  const Task* task = find_task(state, session.task);
  if (task != nullptr) {
    return task->id.value + " " + std::string(to_name(session.role)) + ": " +
           base::first_line(task->title, 60);
  }
  return session.role == Role::planner ? "Plan" : "Mission review";
}

void create(Context& ctx, Session& session) {
  move_session(ctx, session, SessionState::creating);
  session.effect = ctx.new_effect();
  session.seen_ms = ctx.now_ms;
  ctx.emit(CreateSession{session.effect, ctx.state.root_session, ctx.state.mission, session.role,
                         session.task, session.attempt, title_of(ctx.state, session),
                         directory_of(ctx.state, session.task)});
  arm(ctx, session, kCreationMs);
}

void note_peak(State& state) {
  state.metrics.sessions_peak =
      std::max(state.metrics.sessions_peak, static_cast<std::uint32_t>(slots_used(state)));
}

/// Of the sessions that have ended the newest stay, so that those of an ordinary mission are all in
/// the snapshot, and that of a long one does not grow with its age.
void forget_old_sessions(Context& ctx) {
  std::vector<Session>& sessions = ctx.state.sessions;
  const std::size_t kept_max = kEndedKept + kEndedKeptPerTask * ctx.state.tasks.size();
  if (sessions.size() <= kept_max) return;
  const auto ended =
      static_cast<std::size_t>(std::ranges::count(sessions, SessionState::ended, &Session::state));
  std::size_t surplus = ended - std::min(ended, kept_max);
  std::erase_if(sessions, [&](const Session& session) {
    // The host may still have to say that it was made, or that it has stopped.
    const bool fresh = ctx.now_ms - session.seen_ms < kCreationMs;
    const bool awaited = session.turn.aborting || (session.id.empty() && session.effect != 0);
    if (surplus == 0 || session.state != SessionState::ended || (fresh && awaited)) return false;
    surplus -= 1;
    return true;
  });
}

void drop_receipts(State& state, const SessionId& session) {
  std::erase_if(state.receipts, [&](const Receipt& r) { return r.session == session; });
}

/// Deterministic jitter: the mission's seed and the effect counter differ for each session.
TimeMs backoff_ms(const State& state, std::uint32_t failures) {
  const TimeMs base =
      std::min(kBackoffMaxMs, kBackoffFirstMs << std::min(failures, kBackoffDoublingsMax));
  const std::uint64_t noise = state.seed ^ (state.clock.next_effect * 2654435761U);
  return base + static_cast<TimeMs>(noise % static_cast<std::uint64_t>(base / 2));
}

}  // namespace

void abort_turn(Context& ctx, Session& session) {
  session.turn.aborting = true;
  ctx.emit(AbortSession{session.id});
}

bool may_begin(const Context& ctx, Role role) {
  return has_room(ctx.state) && choose_model(ctx.state, ctx.now_ms, role, nullptr).now &&
         affords_prompt(ctx.state, nullptr, 0);
}

bool may_prompt(const Context& ctx, const Session& session) {
  const State& state = ctx.state;
  const std::size_t others = slots_used(state) - (holds_slot(session) ? 1 : 0);
  const bool crowded = state.limiter.load == Load::critical && others > 0;
  return others < state.parallel && !(crowded && !holds_slot(session)) &&
         choose_model(ctx.state, ctx.now_ms, session.role, &session).now &&
         affords_prompt(state, &session, session.lease.prompt.size());
}

bool lease_over(const Context& ctx, const Session& session) {
  const TimeMs lease = lease_ms(ctx.state);
  return lease > 0 && ctx.now_ms - session.lease.since_ms >= lease;
}

void arm(Context& ctx, Session& session, TimeMs delay_ms) {
  ctx.cancel_timer(session.timer);
  const TimeMs left_ms = session.lease.since_ms + lease_ms(ctx.state) - ctx.now_ms;
  if (left_ms > 0) delay_ms = std::min(delay_ms, left_ms);
  session.timer = ctx.start_timer(delay_ms);
}

void open_session(Context& ctx, Role role, const Task* task, const std::string& agent,
                  std::string prompt) {
  forget_old_sessions(ctx);
  Session session;
  session.role = role;
  session.agent = agent;
  session.lease.prompt = std::move(prompt);
  session.started_ms = session.lease.since_ms = ctx.now_ms;
  session.parent = ctx.state.root_session;
  session.metering.asked_ms = ctx.now_ms;
  session.model_use.named = choose_model(ctx.state, ctx.now_ms, role, nullptr).model;
  if (task != nullptr) {
    session.task = task->id;
    session.attempt = task->attempt;
  }
  create(ctx, session);
  reserve_for_prompt(ctx, session);
  ctx.state.sessions.push_back(std::move(session));
  ctx.state.metrics.sessions += 1;
  note_peak(ctx.state);
}

namespace {

/// Until `schedule` finds that it may be sent. The time until then is not its own.
void hold(Context& ctx, Session& session) {
  if (session.lease.early_review)
    return end_session(ctx, session, Outcome::denied);  // no task waits for it
  ctx.cancel_timer(session.timer);
  session.effect = 0;
  session.turn.inspecting = false;
  move_session(ctx, session, SessionState::held);
  session.seen_ms = ctx.now_ms;
}

/// Chooses the model of the session's next prompt. Returns whether it is a fallback.
bool choose_model_for(Context& ctx, Session& session) {
  const Choice choice = choose_model(ctx.state, ctx.now_ms, session.role, &session);
  std::string model = choice.model;
  if (model.empty() && !session.model_use.named.empty()) {
    // The host would go on with the fallback that it was told last.
    const auto seen = ctx.state.limiter.seen.find(std::string(to_name(session.role)));
    if (seen != ctx.state.limiter.seen.end()) model = seen->second;
  }
  const bool other = model != session.model_use.named;
  // What the host has told holds on only where it chooses by itself, as before.
  if (other || !model.empty()) session.model_use.told.clear();
  session.model_use.named = model;
  ctx.moved = ctx.moved || other;  // the one before may be asked by one more
  return choice.fallback;
}

}  // namespace

void send_prompt(Context& ctx, Session& session) {
  session.metering.reserved.tokens = 0;
  session.metering.reserved.usd = 0;
  if (!may_prompt(ctx, session)) return hold(ctx, session);
  if (session.state == SessionState::held) session.lease.since_ms += ctx.now_ms - session.seen_ms;
  session.metering.asked_ms = ctx.now_ms;
  session.turn.retrying = false;
  reserve_for_prompt(ctx, session);
  const bool fallback = choose_model_for(ctx, session);
  if (session.id.empty()) return create(ctx, session);
  if (fallback) ctx.state.metrics.fallbacks += 1;
  move_session(ctx, session, SessionState::prompting);
  session.lease.submitted = false;
  session.lease.after_submission = 0;
  session.turn.premature_idle_due = false;
  session.turn.failed = false;
  session.turn.inspecting = false;
  session.turn.denied.clear();
  session.turn.aborting = false;
  session.turn.error_class = ErrorClass::none;
  session.effect = session.lease.sent = ctx.new_effect();
  session.seen_ms = ctx.now_ms;
  ctx.state.metrics.prompts += 1;
  ctx.emit(PromptSession{session.effect, session.id, session.agent, session.model_use.named,
                         session.lease.prompt, false});
  arm(ctx, session, kAnswerStartMs);
}

void prompt_session(Context& ctx, Session& session, std::string text) {
  session.lease.prompt = std::move(text);
  session.lease.began = false;
  session.lease.since_ms = ctx.now_ms;
  session.lease.continuations = 0;
  session.lease.refusals = 0;
  session.turn.inspections = 0;
  session.model_use.failures = 0;
  session.tool_errors.repeats = session.tool_errors.warnings = 0;
  session.lease.asked_missing = session.lease.wrote = false;
  send_prompt(ctx, session);
  note_peak(ctx.state);
}

void wake_session(Context& ctx, Session& session) {
  const bool began = session.lease.began;
  prompt_session(ctx, session,
                 began ? continuation_prompt(ctx.state, session, "the mission was interrupted")
                       : session.lease.prompt);
  session.lease.began = began;
}

void close_session(Context& ctx, Session& session) {
  session.lease.submitted = true;
  session.lease.refusals = 0;
  session.effect = 0;  // the outcome of a prompt on its way no longer matters
  session.turn.inspecting = false;
  // A call that overtook a pause: its turn is aborted already, and its slot given away.
  if (!holds_slot(session)) return release_session(ctx, session);
  move_session(ctx, session, SessionState::closing);
  arm(ctx, session, kClosingMs);
}

void on_after_submission(Context& ctx, Session& session) {
  session.lease.after_submission += 1;
  if (session.state != SessionState::closing || session.turn.aborting) return;
  if (session.lease.after_submission > kAfterSubmissionMax) end_closing(ctx, session);
}

void end_closing(Context& ctx, Session& session) {
  if (session.turn.aborting || session.turn.failed) return release_session(ctx, session);
  abort_turn(ctx, session);
  session.turn.premature_idle_due = true;  // the next idle is premature
  arm(ctx, session, kSecondIdleMs);
}

void release_session(Context& ctx, Session& session) {
  const Task* task = find_task(ctx.state, session.task);
  // The session of an early review waits for the task's review.
  const bool comes_back = session.role == Role::worker || session.lease.early_review;
  const bool may_rework = comes_back && task != nullptr && is_in_work(task->status) &&
                          task->worktree.merge == MergeState::none;
  ctx.cancel_timer(session.timer);
  release_reservation(ctx, session);
  session.effect = 0;
  move_session(ctx, session, SessionState::idle);
  if (!may_rework) end_session(ctx, session);
}

void end_session(Context& ctx, Session& session, Outcome outcome) {
  if (session.state == SessionState::ended) return;
  const Outcome plain = session.lease.submitted ? Outcome::ok : Outcome::denied;
  session.outcome = outcome == Outcome::none ? plain : outcome;
  if (is_busy(session) && !session.id.empty()) abort_turn(ctx, session);
  withdraw_permissions(ctx, session.id);
  stop_waiting(ctx, session.id);
  ctx.cancel_timer(session.timer);
  release_reservation(ctx, session);
  // A session that is still being created stays known by its effect: it is ended on arrival.
  if (session.state != SessionState::creating) session.effect = 0;
  move_session(ctx, session, SessionState::ended);
  session.lease.prompt.clear();
  if (!session.id.empty()) drop_receipts(ctx.state, session.id);
}

void interrupt_session(Context& ctx, Session& session) {
  if (session.state == SessionState::ended || session.state == SessionState::idle) return;
  if (session.id.empty() || session.lease.early_review) return end_session(ctx, session);
  if (is_busy(session)) abort_turn(ctx, session);
  withdraw_permissions(ctx, session.id);
  stop_waiting(ctx, session.id);
  if (session.lease.submitted) return release_session(ctx, session);
  ctx.cancel_timer(session.timer);
  release_reservation(ctx, session);
  session.effect = 0;
  move_session(ctx, session, SessionState::idle);
}

void end_task_sessions(Context& ctx, const TaskId& task) {
  for (Session& session : ctx.state.sessions) {
    if (session.task == task) end_session(ctx, session);
  }
}

void drop_task(Context& ctx, Task& task, std::string note) {
  task.note = std::move(note);
  end_task_sessions(ctx, task.id);
  move_task(ctx, task, TaskStatus::dropped);
}

void forget_turns(Context& ctx) {
  forget_permissions(ctx);
  ctx.state.waiters.clear();
  ctx.state.limiter.timer = 0;
  ctx.state.limiter.load = Load::calm;
  for (Session& session : ctx.state.sessions) {
    session.timer = 0;
    session.turn.aborting = false;
    session.metering.request.waiting = RequestId{};
    session.turn.retrying = false;
    // Whether the host has made it is found out by the effect that asked for it.
    if (session.lease.early_review) end_session(ctx, session);
    const bool ended = session.state == SessionState::ended;
    const bool perhaps_made = !ended && session.id.empty() && session.effect != 0;
    if (!perhaps_made) session.effect = 0;
    if (ended) continue;
    move_session(ctx, session, SessionState::idle);
    if (perhaps_made) continue;
    if (session.id.empty()) {
      end_session(ctx, session);
    } else if (session.lease.submitted) {
      release_session(ctx, session);
    }
  }
}

void forget_ended_turns(State& state) {
  for (Session& session : state.sessions) {
    if (session.state != SessionState::closing) continue;
    session.state = SessionState::ended;
    session.outcome = Outcome::ok;
    session.timer = 0;
    session.effect = 0;
  }
}

void give_up_attempt(Context& ctx, Session& session, const std::string& reason, Outcome outcome) {
  const std::string why =
      session.lease.refusals == 0
          ? reason
          : reason + "; the last of its calls was refused: " + session.lease.refusal;
  const std::uint32_t attempts = ctx.state.options.limits.attempts;
  Task* task = find_task(ctx.state, session.task);
  const Role role = session.role;
  const bool looked = session.lease.early_review;
  end_session(ctx, session, outcome);
  if (task == nullptr || looked)
    return;  // Planner and Master Reviewer: `schedule` counts their attempts
  if (role == Role::worker && task->status == TaskStatus::running) {
    task->note = why;
    if (task->attempt < attempts) return move_task(ctx, *task, TaskStatus::ready);
    task->note +=
        " (attempt " + std::to_string(task->attempt) + " of " + std::to_string(attempts) + ")";
    move_task(ctx, *task, TaskStatus::blocked);
  } else if (role == Role::reviewer && task->status == TaskStatus::reviewing) {
    if (task->review.attempts < attempts) return move_task(ctx, *task, TaskStatus::submitted);
    task->note = "no Reviewer gave a verdict: " + why;
    move_task(ctx, *task, TaskStatus::blocked);
    end_task_sessions(ctx, task->id);
  }
}

namespace {

std::uint32_t& losses_of(State& state, const Session& session) {
  if (Task* task = find_task(state, session.task)) return task->progress.sessions_lost;
  return session.role == Role::planner ? state.plan.sessions_lost
                                       : state.master_review.sessions_lost;
}

Outcome outcome_of(ErrorClass error_class) {
  return error_class == ErrorClass::empty ? Outcome::empty : Outcome::error;
}

/// A fresh session takes its place, and the attempt is not counted.
void lose_session(Context& ctx, Session& session, const std::string& why) {
  State& state = ctx.state;
  std::uint32_t& losses = losses_of(state, session);
  if (losses >= kLossesMax)
    return give_up_attempt(ctx, session, why, outcome_of(session.turn.error_class));
  losses += 1;
  const Role role = session.role;
  Task* task = find_task(state, session.task);
  end_session(ctx, session, outcome_of(session.turn.error_class));
  if (task == nullptr) {
    std::uint32_t& spent =
        role == Role::planner ? state.plan.attempts : state.master_review.attempts;
    spent -= std::min(spent, 1U);
  } else if (role == Role::worker && task->status == TaskStatus::running) {
    task->note = why;
    task->attempt -= std::min(task->attempt, 1U);
    move_task(ctx, *task, TaskStatus::ready);
  } else if (role == Role::reviewer && task->status == TaskStatus::reviewing) {
    task->review.attempts -= std::min(task->review.attempts, 1U);
    move_task(ctx, *task, TaskStatus::submitted);
  }
}

void go_on_later(Context& ctx, Session& session, const std::string& why, std::uint32_t failures) {
  ctx.state.metrics.continuations += 1;
  // A card whose answer never began may never have reached the host: it is sent once more.
  if (session.lease.began) session.lease.prompt = continuation_prompt(ctx.state, session, why);
  move_session(ctx, session, SessionState::backing_off);
  arm(ctx, session, backoff_ms(ctx.state, failures));
}

/// What the plan says that it writes is written: paths one by one, of a wildcard any.
bool has_written_claim(const Task& task) {
  return std::ranges::all_of(task.files, [&](const std::string& claimed) {
    return std::ranges::any_of(task.progress.touched, [&](const std::string& path) {
      return path == claimed || glob_matches(claimed, path);
    });
  });
}

}  // namespace

void go_on_after_model_failure(Context& ctx, Session& session) {
  session.model_use.failures += 1;
  if (session.lease.early_review)
    return end_session(ctx, session, outcome_of(session.turn.error_class));
  const std::string why =
      "its model failed (" + std::string(to_name(session.turn.error_class)) + ")";
  if (is_hopeless(ctx.state, session)) {
    // The turn has ended, so there is nothing to abort.
    ctx.cancel_timer(session.timer);
    move_session(ctx, session, SessionState::idle);
    return ctx.conclude(Phase::blocked,
                        "no model answers the " + std::string(to_name(session.role)) + ": " +
                            model_trouble(ctx.state, session) +
                            ". Fix its key, account or name, or set another model in "
                            "`models` or `fallback`; then /resume.");
  }
  if (session.model_use.failures > kModelFailuresInSession) return lose_session(ctx, session, why);
  go_on_later(ctx, session, why, session.model_use.failures);
}

void on_worker_stopped(Context& ctx, Session& session) {
  Task* task = find_task(ctx.state, session.task);
  if (!session.lease.asked_missing) {
    session.lease.asked_missing = true;
    ctx.state.metrics.continuations += 1;
    session.lease.prompt = missing_prompt(ctx.state, session);
    return send_prompt(ctx, session);
  }
  const bool judged = session.lease.wrote && task != nullptr &&
                      task->status == TaskStatus::running && has_written_claim(*task) &&
                      unfinished_subtasks(ctx.state, *task).empty();
  if (!judged) return give_up_attempt(ctx, session, "its turn ended without a submission");
  task->summary =
      "(The Worker ended its turn twice without calling submit_work: judge the task by the changed "
      "files.)";
  task->review.attempts = 0;
  task->progress.sessions_lost = 0;
  move_task(ctx, *task, TaskStatus::submitted);
  session.lease.submitted = true;
  release_session(ctx, session);
}

void on_tool_failed(Context& ctx, Session& session, const ToolFailed& event) {
  session.seen_ms = ctx.now_ms;
  if (!is_busy(session) || session.lease.submitted) return;
  const std::string error = base::clip(event.tool, 60) + ": " + base::first_line(event.error, 300);
  const bool again = event.running && error == session.tool_errors.newest;
  session.tool_errors.newest = error;
  session.tool_errors.repeats = again ? session.tool_errors.repeats + 1 : 1;
  if (session.tool_errors.repeats < kToolErrorsMax) return;
  session.tool_errors.repeats = 0;
  session.tool_errors.warnings += 1;
  ctx.state.metrics.errors += 1;
  if (session.tool_errors.warnings == 1)
    return say_in_turn(ctx, session, recovery_prompt(ctx.state, session, error));
  const bool by_model = event.garbled && session.state == SessionState::working;
  if (session.tool_errors.warnings == 2 && by_model && has_fallback(ctx.state, session)) {
    // With this failure the fallback takes over, or a new session if the fallback has had its turn.
    session.model_use.failures = std::max(session.model_use.failures, kModelFailuresInSession - 1);
    return fail_turn(ctx, session, ErrorClass::garbled, error);
  }
  give_up_attempt(ctx, session, "the same tool error repeated: " + error);
}

void fail_turn(Context& ctx, Session& session, ErrorClass error_class, const std::string& words) {
  ctx.emit(AbortSession{session.id});
  // The error that the host reports for the abort itself says nothing of the cause.
  if (session.turn.error_class == ErrorClass::none) {
    session.turn.error_class = error_class;
    on_model_failure(ctx, session, error_class, words);
  }
  session.turn.premature_idle_due = true;
  arm(ctx, session, kSecondIdleMs);
}

void say_in_turn(Context& ctx, Session& session, std::string text) {
  session.effect = session.lease.sent = ctx.new_effect();
  ctx.state.metrics.prompts += 1;
  ctx.emit(PromptSession{session.effect, session.id, session.agent, session.model_use.named,
                         std::move(text), false});
}

void continue_or_give_up(Context& ctx, Session& session, const std::string& why, bool failed) {
  if (session.lease.early_review)
    return end_session(ctx, session, Outcome::error);  // no task waits for it
  session.lease.continuations += 1;
  if (session.lease.continuations > ctx.state.options.limits.continuations) {
    return give_up_attempt(ctx, session, why);
  }
  if (failed) return go_on_later(ctx, session, why, session.lease.continuations);
  ctx.state.metrics.continuations += 1;
  if (session.lease.began) session.lease.prompt = continuation_prompt(ctx.state, session, why);
  send_prompt(ctx, session);
}

void inspect_session(Context& ctx, Session& session) {
  session.turn.inspections += 1;
  if (session.turn.inspections > kInspectionsMax) {
    return give_up_attempt(ctx, session, "the host has lost its session", Outcome::timed_out);
  }
  session.turn.inspecting = true;
  session.effect = ctx.new_effect();
  ctx.emit(InspectSession{session.effect, session.id});
  arm(ctx, session, kAnswerStartMs);
}

void on_refused_call(Context& ctx, Session& session, const std::string& text) {
  ctx.state.metrics.refusals += 1;
  if (session.state == SessionState::ended) return;
  if (session.lease.submitted) return on_after_submission(ctx, session);
  session.lease.refusals += 1;
  const std::size_t head = text.find('\n');  // of a list
  session.lease.refusal =
      base::clip(base::one_line(head == std::string::npos ? text : text.substr(head + 1)), 200);
  if (session.lease.refusals < kRefusalsMax) return;
  give_up_attempt(ctx, session,
                  "its tool calls were refused " + std::to_string(kRefusalsMax) + " times in a row",
                  Outcome::denied);
}

}  // namespace orchestrator::core
