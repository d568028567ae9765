#pragma once

#include <string>

#include "orchestrator/mission.h"
#include "orchestrator/step.h"
#include "runtime/history/mission_store.h"

namespace orchestrator::runtime {

/// The mission of a directory: its state, its files, and why it cannot be changed now. A stage that
/// changes it has a reference to it, a stage that only reads it a const reference. Engine thread.
struct CurrentMission {
  MissionStore store;
  State state = {};
  HostMode mode = HostMode::serve;
  bool loaded = false;       ///< `state` was loaded from the directory
  std::string foreign = {};  ///< why this process may not change the mission; empty: it may
  std::string failure = {};  ///< why the log cannot be written; empty: it can
  bool damaged = false;      ///< its files contain less than was acknowledged

  /// Whether a log is open.
  [[nodiscard]] bool is_open() const { return store.is_open(); }
  /// Whether the mission has ended and its log is still open.
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
  /// Why the mission cannot be changed now, as a sentence for the caller; empty: it can.
  [[nodiscard]] std::string problem() const { return failure.empty() ? foreign : outage_text(); }
};

}  // namespace orchestrator::runtime
