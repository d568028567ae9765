#include "runtime/project/session_info.h"

#include "codec/json.h"
#include "core/models/budget.h"
#include "orchestrator/step.h"

namespace orchestrator::runtime {

SessionInfo session_info_of(const State& state, const SessionId& session,
                            const std::string& foreign, const std::string& outage) {
  // The budget of another process's mission is not checked here; and during an outage a person may
  // still talk in the root session.
  const bool ours = foreign.empty() && (outage.empty() || session != state.root_session);
  const bool capped = ours && is_active(state.phase) && core::is_capped(state);
  const Session* child = find_session(state, session);
  const std::string stopped = child == nullptr ? "" : why_not_ask(state, *child);
  return {role_of(state, session), system_card(state, session), capped,
          child == nullptr || !stopped.empty() ? stopped : outage};
}

void CachedSessionInfo::update(const State& state, bool in_order, engine::Outbox& outbox) {
  std::map<SessionId, std::pair<Role, bool>> now;
  if (in_order && is_active(state.phase)) {
    const bool capped = core::is_capped(state);
    now[state.root_session] = {Role::commander, capped};
    for (const Session& session : state.sessions) {
      if (session.id.empty() || session.state == SessionState::ended || session.lease.compacted)
        continue;
      if (why_not_ask(state, session).empty()) now[session.id] = {session.role, capped};
    }
  }
  for (const auto& [session, was] : left_) {
    if (!now.contains(session)) outbox.set_session_info(session.value, "");
  }
  for (const auto& [session, is] : now) {
    const auto was = left_.find(session);
    if (was != left_.end() && was->second == is) continue;
    outbox.set_session_info(session.value, codec::dump(session_info_of(state, session, "", "")));
  }
  left_ = std::move(now);
}

}  // namespace orchestrator::runtime
