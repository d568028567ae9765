#include "engine/shared_engine.h"

#include "base/mutex.h"

namespace orchestrator::engine {
namespace {

struct Shared {
  base::Mutex mutex;
  std::unique_ptr<Engine> engine ORCH_GUARDED_BY(mutex);
  size_t uses ORCH_GUARDED_BY(mutex) = 0;
};

/// Never destroyed, because exit() may run destructors while the engine thread runs.
Shared& shared() {
  static Shared* const instance = new Shared;
  return *instance;
}

}  // namespace

EngineUse::EngineUse(const DirectoryFactory& factory) {
  base::Lock lock(shared().mutex);
  if (!shared().engine) shared().engine = std::make_unique<Engine>(factory);
  ++shared().uses;
  engine_ = shared().engine.get();
}

EngineUse::~EngineUse() {
  // Under the lock, so that a new engine never opens a directory that the old one still holds.
  base::Lock lock(shared().mutex);
  if (--shared().uses == 0) shared().engine.reset();
}

size_t engine_uses() {
  base::Lock lock(shared().mutex);
  return shared().uses;
}

}  // namespace orchestrator::engine
