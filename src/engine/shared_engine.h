#pragma once

#include <memory>

#include "base/result.h"
#include "engine/engine.h"

namespace orchestrator::engine {

/// A use of this process's only engine: the first use starts it, the end of the last one stops it
/// and joins its thread. Each JS environment (the main thread, a Worker) has one. Any thread.
class EngineUse {
 public:
  /// Starts the engine if it does not run. `factory` is used only if this call starts it.
  explicit EngineUse(const DirectoryFactory& factory);
  /// Stops the engine, and waits for its end, if this was the last use. Never on the engine's
  /// thread.
  ~EngineUse();
  EngineUse(const EngineUse&) = delete;
  EngineUse& operator=(const EngineUse&) = delete;

  [[nodiscard]] Engine& engine() { return *engine_; }

 private:
  Engine* engine_;
};

/// Number of uses; 0: no engine runs.
size_t engine_uses();

}  // namespace orchestrator::engine
