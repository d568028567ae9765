#include "core/state/sessions.h"

#include <algorithm>

#include "base/assert.h"
#include "orchestrator/step.h"

namespace orchestrator::core {

void move_session(Context& ctx, Session& session, SessionState to) {
  const SessionState from = session.state;
  if (from == to) return;
  ORCH_ASSERT(session_move_exists(from, to));
  if (ctx.moves != nullptr) ctx.moves->sessions.push_back({from, to});
  session.state = to;
  // A slot is free, or another session may be started.
  if (!holds_slot(to) || (is_starting(from) && !is_starting(to))) ctx.moved = true;
}

bool is_busy(const Session& session) {
  return session.state == SessionState::prompting || session.state == SessionState::waiting ||
         session.state == SessionState::working || session.state == SessionState::closing ||
         session.state == SessionState::delegating;
}

bool holds_slot(const Session& session) { return holds_slot(session.state); }

std::size_t slots_used(const State& state) {
  return static_cast<std::size_t>(std::ranges::count_if(
      state.sessions, [](const Session& session) { return holds_slot(session.state); }));
}

TimeMs stall_ms(const State& state) {
  return static_cast<TimeMs>(state.options.timeouts.stall_s) * 1000;
}

Session* live_session(State& state, Role role, const TaskId& task) {
  for (auto it = state.sessions.rbegin(); it != state.sessions.rend(); ++it) {
    if (it->role == role && it->task == task && it->state != SessionState::ended) return &*it;
  }
  return nullptr;
}

Role role_of_session(const State& state, const SessionId& session) {
  if (session.empty()) return Role::none;
  if (session == state.root_session) return Role::commander;
  const Session* child = find_session(state, session);
  return child == nullptr ? Role::none : child->role;
}

bool is_waiting_session(const State& state, const SessionId& session) {
  return !session.empty() &&
         std::ranges::find(state.waiters, session, &Waiter::session) != state.waiters.end();
}

}  // namespace orchestrator::core

namespace orchestrator {

Role role_of(const State& state, const SessionId& session) {
  return core::role_of_session(state, session);
}

}  // namespace orchestrator
