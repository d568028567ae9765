#pragma once

#include "engine/directory.h"
#include "runtime/project/pipeline.h"
#include "runtime/project/timer.h"

namespace orchestrator::runtime {

/// Watches the machine's load while a mission runs, and records a change as an event. Engine
/// thread.
class LoadWatch {
 public:
  /// `pipeline` must outlive this object.
  explicit LoadWatch(Pipeline& pipeline) : p_(pipeline) {}

  /// Called after each batch: starts the timer if a mission runs.
  void follow(engine::Outbox& outbox) {
    if (p_.world.machine && is_wanted()) timer_.start(outbox);
  }
  /// The timer has fired.
  void look(engine::Outbox& outbox);

 private:
  [[nodiscard]] bool is_wanted() const;

  Pipeline& p_;
  Timer timer_{kLoadTimer, 5'000};
};

}  // namespace orchestrator::runtime
