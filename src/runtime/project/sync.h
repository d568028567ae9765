#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "orchestrator/event.h"
#include "runtime/project/current_mission.h"
#include "runtime/project/emit.h"
#include "runtime/project/unsynced.h"

namespace orchestrator::runtime {

/// The stage `sync`: makes recorded events durable (fdatasync), and keeps track of those that are
/// not yet. Engine thread.
class Sync {
 public:
  /// The references must outlive this object.
  Sync(CurrentMission& mission, Emit& emit) : mission_(mission), emit_(emit) {}

  void note(const Happening& happening) { unsynced_.note(happening); }
  /// A positive reply to this request depends on recorded events: if they are lost, the request is
  /// refused instead.
  void await_disk(const RequestId& request) { unsynced_.note_request(request); }

  /// Makes all recorded events durable. False: the disk failed (`take_failure` says why), and these
  /// events count as not having happened.
  bool run();
  [[nodiscard]] std::optional<base::Error> take_failure() { return std::exchange(failure_, {}); }
  /// Discards the events that are not durable: refuses their calls with `why` and drops their
  /// effects; replies to unlogged requests stay. Returns the discarded events of the host.
  std::vector<Happening> drop(const std::string& why);

 private:
  CurrentMission& mission_;
  Emit& emit_;
  Unsynced unsynced_;
  std::optional<base::Error> failure_;
};

}  // namespace orchestrator::runtime
