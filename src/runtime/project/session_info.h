#pragma once

#include <map>
#include <string>
#include <utility>

#include "engine/directory.h"
#include "orchestrator/describe.h"
#include "orchestrator/mission.h"

namespace orchestrator::runtime {

/// What the JS side is told of a session before each request of its model.
struct SessionInfo {
  Role role = Role::none;
  std::string card;
  bool capped = false;  ///< leave is asked for each of its model requests
  std::string stopped;  ///< why it may ask its model for nothing more

  ORCH_FIELDS(role, card, capped, stopped);
};

/// `foreign`: why the mission is not ours to move; `outage`: why its state cannot be written, and
/// so no child asks its model; each is empty where that is not so.
[[nodiscard]] SessionInfo role_answer(const State& state, const SessionId& session,
                                      const std::string& foreign, const std::string& outage);

/// Leaves the answers that are short and say yes where the host reads them in place: a reply wakes
/// it, and each waking costs its runtime a collection of garbage (docs/lab/benchmarks.md). Sessions
/// that have a card, or may not ask, ask for their answer.
class CachedSessionInfo {
 public:
  /// After each batch, before what it sends can be seen. `in_order`: the mission is ours, and its
  /// state can be written.
  void update(const State& state, bool in_order, engine::Outbox& outbox);

 private:
  std::map<SessionId, std::pair<Role, bool>> left_;  ///< role and `capped`, as the host reads them
};

}  // namespace orchestrator::runtime
