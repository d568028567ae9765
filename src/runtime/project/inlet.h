#pragma once

#include "engine/directory.h"
#include "orchestrator/event.h"

namespace orchestrator::runtime {

/// Entry into the pipeline for results that come later (from the pool, git or a language server).
/// Each call is the last action of a callback. Engine thread.
class Inlet {
 public:
  virtual ~Inlet() = default;
  /// Sends an event through the pipeline from `observe` on, and then calls `release`.
  virtual void enter(Happening happening, engine::Outbox& outbox) = 0;
  /// Sends the effects of the callback through `sync` and `emit`.
  virtual void release(engine::Outbox& outbox) = 0;
};

}  // namespace orchestrator::runtime
