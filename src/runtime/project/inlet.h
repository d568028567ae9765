#pragma once

#include "engine/directory.h"
#include "orchestrator/event.h"

namespace orchestrator::runtime {

/// Where results that come later (from the pool, from git, from a language server) enter the
/// pipeline: each call is the whole of a callback of the engine, or its end. Engine thread.
class Inlet {
 public:
  virtual ~Inlet() = default;
  /// An event: through the pipeline from `observe` on, and out.
  virtual void enter(Happening happening, engine::Outbox& outbox) = 0;
  /// What the callback has caused goes through `sync` and `emit`.
  virtual void release(engine::Outbox& outbox) = 0;
};

}  // namespace orchestrator::runtime
