#include "core/sessions/blocking_calls.h"

#include <algorithm>

#include "core/models/limiter.h"
#include "core/prompts/notes.h"
#include "core/sessions/host_events.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/sessions.h"
#include "core/state/tasks.h"

namespace orchestrator::core {
namespace {

/// Takes the turn up again, for its last answer.
void go_on_working(Context& ctx, Session& session, TimeMs since_ms) {
  session.lease.since_ms += ctx.now_ms - since_ms;
  session.seen_ms = ctx.now_ms;
  move_session(ctx, session, SessionState::working);
  arm(ctx, session, stall_ms(ctx.state));
}

}  // namespace

void wait_for_task(Context& ctx, const RequestId& request, const SessionId& id,
                   const TaskId& task) {
  State& state = ctx.state;
  if (std::ranges::find(state.waiters, request, &Waiter::request) != state.waiters.end()) return;
  state.waiters.push_back({request, id, task, ctx.now_ms});
  Session* session = find_session(state, id);
  if (session == nullptr || session->state == SessionState::delegating) return;
  on_turn_started(ctx, *session);  // the call may have overtaken that
  ctx.cancel_timer(session->timer);
  session->effect = 0;  // what was asked about its turn is known: it makes a call
  session->turn.inspecting = false;
  move_session(ctx, *session, SessionState::delegating);
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
    const bool stands = session.state == SessionState::delegating &&
                        !session.turn.premature_idle_due && !session.turn.failed &&
                        !is_waiting_session(state, session.id);
    if (stands && has_room_for(state, session)) go_on_working(ctx, session, ctx.now_ms);
  }
}

}  // namespace orchestrator::core
