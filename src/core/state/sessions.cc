#include "core/state/sessions.h"

#include "base/assert.h"
#include "core/state/trace.h"

namespace orchestrator::core {

void move_session(Context& ctx, Session& session, SessionState to) {
  const SessionState from = session.state;
  if (from == to) return;
  ORCH_ASSERT(session_move_exists(from, to));
  if (ctx.trace != nullptr) ctx.trace->sessions.push_back({from, to});
  session.state = to;
  // A slot is free, or the next one may be started.
  if (!holds_slot(to) || (is_starting(from) && !is_starting(to))) ctx.moved = true;
}

}  // namespace orchestrator::core
