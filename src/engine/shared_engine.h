#pragma once

#include <memory>

#include "base/result.h"
#include "engine/engine.h"

namespace orchestrator::engine {

/// The one engine of this process, started by the first user and stopped, its thread joined, with
/// the last. A user is a JS environment (the main thread, a Worker). Any thread.
class EngineUse {
 public:
  /// Starts the engine if it does not run. `factory` counts for the start alone.
  explicit EngineUse(const DirectoryFactory& factory);
  /// Waits for the engine's end if this was the last use. Never on the engine's thread.
  ~EngineUse();
  EngineUse(const EngineUse&) = delete;
  EngineUse& operator=(const EngineUse&) = delete;

  [[nodiscard]] Engine& engine() { return *engine_; }

 private:
  Engine* engine_;
};

/// How many uses there are; 0: no engine runs.
size_t engine_uses();

}  // namespace orchestrator::engine
