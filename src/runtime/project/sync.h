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

/// The stage `sync`: makes durable what was recorded (fdatasync), and knows what is not yet. Engine
/// thread.
class Sync {
 public:
  /// Both outlive it.
  Sync(CurrentMission& mission, Emit& emit) : mission_(mission), emit_(emit) {}

  void note(const Happening& happening) { unsynced_.note(happening); }
  /// A "yes" to this request rests on what is recorded: it becomes a "no" where that is lost.
  void await_disk(const RequestId& request) { unsynced_.note_request(request); }

  /// All that was recorded is durable. False: it cannot be (`take_failure` says why), and nothing
  /// of it has happened.
  bool run();
  [[nodiscard]] std::optional<base::Error> take_failure() { return std::exchange(failure_, {}); }
  /// The callers of what is not durable are refused, and all that it would have let out is
  /// forgotten; replies that stand in no log are given. Answers the facts of the host among it.
  std::vector<Happening> drop(const std::string& why);

 private:
  CurrentMission& mission_;
  Emit& emit_;
  Unsynced unsynced_;
  std::optional<base::Error> failure_;
};

}  // namespace orchestrator::runtime
