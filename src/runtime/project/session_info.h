#pragma once

#include <map>
#include <string>
#include <utility>

#include "engine/directory.h"
#include "orchestrator/effect.h"
#include "orchestrator/mission.h"

namespace orchestrator::runtime {

/// Information about a session for the JS side. `foreign`: why this process may not change the
/// mission; `outage`: why its state cannot be written, so that no child may ask its model. Each is
/// empty if it does not apply.
[[nodiscard]] SessionInfo session_info_of(const State& state, const SessionId& session,
                                          const std::string& foreign, const std::string& outage);

/// Publishes the short positive answers where the JS side can read them without a message: a reply
/// wakes the host's thread, and each wake-up costs its runtime a garbage collection
/// (docs/lab/benchmarks.md). Sessions with a card, or that may not ask their model, send a query.
class CachedSessionInfo {
 public:
  /// Called after each batch, before its messages are visible. `in_order`: this process may change
  /// the mission, and its state can be written.
  void update(const State& state, bool in_order, engine::Outbox& outbox);

 private:
  std::map<SessionId, std::pair<Role, bool>> left_;  ///< role and `capped`, as published
};

}  // namespace orchestrator::runtime
