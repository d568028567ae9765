#pragma once

#include <map>
#include <string>
#include <utility>

#include "engine/directory.h"
#include "orchestrator/effect.h"
#include "orchestrator/mission.h"

namespace orchestrator::runtime {

/// `foreign`: why the mission is not ours to move; `outage`: why its state cannot be written, and
/// so no child asks its model; each is empty where that is not so.
[[nodiscard]] SessionInfo session_info_of(const State& state, const SessionId& session,
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
