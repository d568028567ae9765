#include "core/sessions/host_events.h"

#include <algorithm>

#include "base/text.h"
#include "core/models/budget.h"
#include "core/models/error_class.h"
#include "core/models/limiter.h"
#include "core/sessions/session_lifecycle.h"
#include "core/sessions/waiters.h"
#include "core/state/checkouts.h"
#include "core/state/sessions.h"

namespace orchestrator::core {
namespace {

void turn_over(Context& ctx, Session& session) {
  release_reservation(ctx, session);
  session.turn.retrying = false;
  if (session.lease.submitted) return release_session(ctx, session);
  if (session.turn.denied.empty()) {
    if (blames_model(session.turn.error_class)) return go_on_after_model_failure(ctx, session);
    const bool stopped =
        !session.turn.failed && session.lease.began && session.role == Role::worker;
    if (stopped) return on_worker_stopped(ctx, session);
  }
  const std::string why = !session.turn.denied.empty()
                              ? "the permission for it was refused: " + session.turn.denied
                          : session.turn.failed ? "its turn failed"
                                                : "its turn ended without a submission";
  continue_or_give_up(ctx, session, why, session.turn.failed);
}

/// The host says that it works: whatever looked like its end was none.
void still_works(Context& ctx, Session& session) {
  session.turn.premature_idle_due = false;
  session.turn.failed = false;
  note_opened(ctx.state, session);
  if (!session.lease.submitted) move_session(ctx, session, SessionState::working);
  arm(ctx, session, stall_ms(ctx.state));
}

/// Its time for the task is over.
void run_out(Context& ctx, Session& session) {
  const std::string minutes = std::to_string(ctx.state.options.timeouts.task_min);
  give_up_attempt(ctx, session, "it took longer than " + minutes + " minutes", Outcome::timed_out);
}

}  // namespace

void on_created(Context& ctx, Session& session, const SessionCreated& event) {
  if (!session.id.empty() || event.session.empty()) return;
  const bool taken =
      event.session == ctx.state.root_session || find_session(ctx.state, event.session) != nullptr;
  if (taken) {
    const EffectFailed failed{event.effect, "its session id is already in use"};
    return on_effect_failed(ctx, session, failed);
  }
  session.id = event.session;
  session.effect = 0;
  ctx.emit(WatchSession{event.session});
  if (session.state == SessionState::ended) {  // while it was being made
    ctx.emit(AbortSession{event.session});
    return;
  }
  Task* task = find_task(ctx.state, session.task);
  if (task != nullptr && session.role == Role::worker) task->session = event.session;
  // Idle: asked for by the process before this one; it is dispatched when all are known.
  if (session.state == SessionState::creating) send_prompt(ctx, session);
}

void on_accepted(Context& ctx, Session& session) {
  session.effect = 0;
  if (session.state == SessionState::prompting) move_session(ctx, session, SessionState::waiting);
}

void on_effect_failed(Context& ctx, Session& session, const EffectFailed& event) {
  session.effect = 0;
  if (session.state == SessionState::ended) return;
  ctx.state.metrics.errors += 1;
  // Of the process before: what has become of it is being asked. Or a word into a turn that waits
  // for a delegated task: the turn goes on without it.
  if (session.state == SessionState::idle || session.state == SessionState::delegating) return;
  const std::string error = base::clip(event.error, 200);
  if (session.turn.inspecting) {
    session.turn.inspecting = false;  // its timer asks again
    return;
  }
  if (!session.metering.request.waiting
           .empty()) {  // it asks for leave to answer: the host has the prompt all the same
    if (session.state == SessionState::prompting) move_session(ctx, session, SessionState::waiting);
    return;
  }
  on_host_trouble(ctx);
  if (session.id.empty()) {
    continue_or_give_up(ctx, session, "the host could not make a session: " + error, true);
  } else if (is_busy(session) && !session.lease.submitted) {  // else its work came in all the same
    continue_or_give_up(ctx, session, "the host refused the prompt: " + error, true);
  }
}

void on_turn_started(Context& ctx, Session& session) {
  session.seen_ms = ctx.now_ms;
  session.turn.inspections = 0;
  if (session.lease.submitted && is_busy(session)) return on_after_submission(ctx, session);
  if (session.state != SessionState::prompting && session.state != SessionState::waiting) return;
  session.lease.began = true;
  note_opened(ctx.state, session);
  reserve_unasked(ctx, session);
  move_session(ctx, session, SessionState::working);
  arm(ctx, session, stall_ms(ctx.state));
}

void on_idled(Context& ctx, Session& session) {
  session.seen_ms = ctx.now_ms;
  session.turn.aborting = false;
  if (!holds_slot(session)) release_reservation(ctx, session);
  // An idle that meets a prompt on its way belongs to an older turn; the answer timer watches it.
  if (!is_busy(session) || session.state == SessionState::prompting) return;
  if (session.turn.premature_idle_due) {
    session.turn.premature_idle_due = false;
    session.turn.failed = true;
    arm(ctx, session, kSecondIdleMs);
  } else if (session.state == SessionState::delegating) {
    end_delegating(ctx, session);
  } else if (session.state == SessionState::waiting) {
    inspect_session(ctx, session);  // older too, or the start of the answer was not told
  } else {
    turn_over(ctx, session);
  }
}

void on_errored(Context& ctx, Session& session, const SessionErrored& event) {
  session.seen_ms = ctx.now_ms;
  if (!is_busy(session)) return;
  if (event.name == "ContextOverflowError") return;  // the host compacts and goes on by itself
  if (session.lease
          .submitted) {  // the plugin has ended its turn, so the error counts against nothing
    session.turn.premature_idle_due = true;
    return arm(ctx, session, kSecondIdleMs);
  }
  ctx.state.metrics.errors += 1;
  const bool told = session.turn.premature_idle_due || session.turn.failed;
  session.turn.premature_idle_due = true;
  // Not its model's: the call that waits is cut off, and goes on as one that was interrupted.
  if (session.state == SessionState::delegating) return arm(ctx, session, kSecondIdleMs);
  if (told) return;
  session.turn.error_class = classify(event.name, event.message, event.status);
  if (blames_model(session.turn.error_class))
    on_model_failure(ctx, session, session.turn.error_class,
                     event.message.empty() ? event.name : event.message);
}

void on_deleted(Context& ctx, Session& session) {
  session.turn.aborting = false;
  release_reservation(ctx, session);
  if (session.state == SessionState::ended) return;
  move_session(ctx, session, SessionState::idle);  // there is nothing left to abort
  give_up_attempt(ctx, session, "its session was deleted");
}

void on_inspected(Context& ctx, Session& session, const SessionInspected& event) {
  session.effect = 0;
  session.turn.inspecting = false;
  if (!is_busy(session)) return;
  const bool silent = ctx.now_ms - session.seen_ms >= stall_ms(ctx.state);
  if (!event.exists) {
    on_deleted(ctx, session);
  } else if (event.busy && (event.in_tool || !silent)) {
    session.turn.inspections = 0;
    still_works(ctx, session);
  } else if (event.busy) {
    fail_turn(ctx, session, ErrorClass::network, "its answer stopped arriving");
  } else {
    session.turn.inspections = 0;
    session.lease.began = session.lease.began || event.answered;
    session.turn.failed = session.turn.failed || !event.answered;
    turn_over(ctx, session);
  }
}

void on_session_timer(Context& ctx, Session& session) {
  session.timer = 0;
  if (session.state == SessionState::closing) return end_closing(ctx, session);
  // A request that waits for the budget is no silence of its model.
  if (!session.metering.request.waiting.empty() && !lease_over(ctx, session))
    return arm(ctx, session, stall_ms(ctx.state));
  const TimeMs silent_ms = ctx.now_ms - session.seen_ms;
  const bool in_turn = session.state == SessionState::working;
  if (session.state == SessionState::creating) {
    session.effect = 0;
    continue_or_give_up(ctx, session, "the host did not make a session in time", true);
  } else if (lease_over(ctx, session)) {
    run_out(ctx, session);
  } else if (session.state == SessionState::delegating) {
    end_delegating(ctx, session);
  } else if (session.state == SessionState::backing_off) {
    send_prompt(ctx, session);
  } else if (in_turn && !session.turn.premature_idle_due && !session.turn.failed &&
             silent_ms < stall_ms(ctx.state)) {
    arm(ctx, session, stall_ms(ctx.state) - silent_ms);
  } else if (is_busy(session)) {
    inspect_session(ctx, session);
  }
}

}  // namespace orchestrator::core
