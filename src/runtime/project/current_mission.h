#pragma once

#include <string>

#include "orchestrator/mission.h"
#include "orchestrator/step.h"
#include "runtime/history/mission_store.h"

namespace orchestrator::runtime {

/// The mission of a directory: its state, its files, and why it cannot be moved. A stage that moves
/// it has a reference to it, a stage that only reads it a const one. Engine thread.
struct CurrentMission {
  MissionStore store;
  State state = {};
  HostMode mode = HostMode::serve;
  bool loaded = false;       ///< `state` is what the directory has
  std::string foreign = {};  ///< why the mission is not ours to move; empty: it is
  std::string failure = {};  ///< why the log cannot be written; empty: it can
  bool damaged = false;      ///< and its files hold less than was acknowledged

  /// A log takes what is recorded.
  [[nodiscard]] bool is_open() const { return store.is_open(); }
  /// The mission has ended, and its log is still open.
  [[nodiscard]] bool is_over() const { return store.is_open() && !is_active(state.phase); }
  [[nodiscard]] std::string outage_text() const {
    const std::string text = "The mission's state cannot be written: " + failure;
    if (damaged) {
      return text +
             ". Its files were damaged, too: as soon as they can be written, the mission goes on "
             "from what they hold.";
    }
    return text +
           ". Nothing that was acknowledged is lost; as soon as it can be written the mission is "
           "paused, and /resume goes on.";
  }
  /// Why nothing can be changed now, as a sentence for the caller; empty: it can.
  [[nodiscard]] std::string problem() const { return failure.empty() ? foreign : outage_text(); }
};

}  // namespace orchestrator::runtime
