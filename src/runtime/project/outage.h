#pragma once

#include <vector>

#include "base/result.h"
#include "engine/directory.h"
#include "orchestrator/event.h"
#include "runtime/project/missions.h"
#include "runtime/project/pipeline.h"
#include "runtime/project/timer.h"

namespace orchestrator::runtime {

/// A disk that fails: the state goes back to what is durable, events of the host wait here, and the
/// log is tried again. Engine thread.
class Outage {
 public:
  /// Both outlive it.
  Outage(Pipeline& pipeline, Missions& missions) : p_(pipeline), missions_(missions) {}

  /// `sync` has failed with this error.
  void begin(const base::Error& error, engine::Outbox& outbox);
  /// While it lasts: an event that is waited for is refused, another one is kept.
  void hold_back(Happening& happening);
  /// The timer has fired. True: it is over, and what was kept is recorded.
  bool try_again(engine::Outbox& outbox);

 private:
  void fall_back();
  void forget_mission();
  bool load_anew(engine::Outbox& outbox);

  Pipeline& p_;
  Missions& missions_;
  std::vector<Happening> held_back_;
  bool fallen_back_ = false;  ///< the state is what the disk has
  bool has_mission_ = true;   ///< the disk has one
  Timer timer_{kStorageTimer, 3000};
};

}  // namespace orchestrator::runtime
