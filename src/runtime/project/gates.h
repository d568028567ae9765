#pragma once

#include <set>
#include <string>
#include <vector>

#include "codec/message.h"
#include "runtime/project/current_mission.h"
#include "runtime/project/emit.h"
#include "runtime/project/hold.h"
#include "runtime/project/observe.h"
#include "runtime/project/record.h"
#include "runtime/project/sync.h"
#include "runtime/project/world.h"

namespace orchestrator::runtime {

/// Checks before and after tools of mission sessions: may it write (claims), may its command begin,
/// which syntax errors has its write caused (docs/design/gates.md). Engine thread; parsing runs on
/// the pool.
class Gates {
 public:
  /// The references must outlive this object.
  Gates(const CurrentMission& mission, const World& world, Observe& observe, Hold& hold,
        Record& record, Sync& sync, Emit& emit)
      : mission_(mission),
        world_(world),
        observe_(observe),
        hold_(hold),
        record_(record),
        sync_(sync),
        emit_(emit) {}

  void answer(const codec::WriteAsked& asked, engine::Outbox& outbox);
  void answer(const codec::CheckAsked& asked, engine::Outbox& outbox);
  void answer(const codec::CommandAsked& asked, engine::Outbox& outbox);

  /// Forgets the hints of an earlier mission.
  void forget() { told_unknown_.clear(); }

 private:
  const CurrentMission& mission_;
  const World& world_;
  Observe& observe_;
  Hold& hold_;
  Record& record_;
  Sync& sync_;
  Emit& emit_;
  std::set<SessionId> told_unknown_;  ///< sessions that were informed of files without a grammar
};

}  // namespace orchestrator::runtime
