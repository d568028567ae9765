#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "engine/directory.h"
#include "orchestrator/event.h"
#include "runtime/project/missions.h"
#include "runtime/project/pipeline.h"
#include "runtime/project/timer.h"

namespace orchestrator::runtime {

/// An outage of the disk: the state goes back to what is durable, events of the host wait here, and
/// the log is tried again. Engine thread.
class Outage {
 public:
  /// The references must outlive this object.
  Outage(Pipeline& pipeline, Missions& missions) : p_(pipeline), missions_(missions) {}

  /// Begins an outage because `sync` failed with this error.
  void begin(const base::Error& error, engine::Outbox& outbox);
  /// Handles an event during the outage: a call is refused, an event of the host is kept.
  void hold_back(Happening& happening);
  /// The timer has fired: tries the log again. True: the outage is over, and the kept events are
  /// recorded.
  bool try_again(engine::Outbox& outbox);

 private:
  [[nodiscard]] std::string refusal() const;
  void fall_back();
  void forget_mission();
  bool load_anew(engine::Outbox& outbox);

  Pipeline& p_;
  Missions& missions_;
  std::vector<Happening> held_back_;
  std::optional<MissionStore::Back> back_;  ///< what was read back; empty: it cannot be read yet
  Timer timer_{kStorageTimer, 3000};
};

}  // namespace orchestrator::runtime
