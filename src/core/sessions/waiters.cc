#include "core/sessions/waiters.h"

#include <algorithm>

#include "core/models/budget.h"
#include "core/state/sessions.h"

namespace orchestrator::core {

void on_wait_aborted(Context& ctx, std::size_t index) {
  std::vector<Waiter>& waiters = ctx.state.waiters;
  const auto it = waiters.begin() + static_cast<std::ptrdiff_t>(index);
  const bool root = it->session == ctx.state.root_session;
  waiters.erase(it);
  ctx.moved = true;  // its turn goes on, or the host reports its end
  if (root && is_running(ctx.state.phase)) ctx.conclude(Phase::paused, "interrupted by the user");
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

void end_delegating(Context& ctx, Session& session) {
  stop_waiting(ctx, session.id);
  ctx.cancel_timer(session.timer);
  session.turn.premature_idle_due = session.turn.failed = false;
  release_reservation(ctx, session);
  move_session(ctx, session, SessionState::idle);
}

}  // namespace orchestrator::core
