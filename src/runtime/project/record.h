#pragma once

#include "engine/directory.h"
#include "orchestrator/event.h"
#include "runtime/project/current_mission.h"
#include "runtime/project/derived.h"
#include "runtime/project/emit.h"
#include "runtime/project/engine_log.h"
#include "runtime/project/sync.h"
#include "runtime/project/world.h"

namespace orchestrator::runtime {

/// The stage `record`: appends an event to the log and steps the state. Its effects wait in `emit`.
/// Engine thread.
class Record {
 public:
  /// The references must outlive this object.
  Record(CurrentMission& mission, const World& world, const EngineLog& log, Sync& sync, Emit& emit,
         Derived& derived)
      : mission_(mission), world_(world), log_(log), sync_(sync), emit_(emit), derived_(derived) {}

  void add(Happening happening, engine::Outbox& outbox);

 private:
  void step_unlogged(Event event);

  CurrentMission& mission_;
  const World& world_;
  const EngineLog& log_;
  Sync& sync_;
  Emit& emit_;
  Derived& derived_;
};

}  // namespace orchestrator::runtime
