#pragma once

#include "engine/directory.h"
#include "runtime/project/pipeline.h"
#include "runtime/project/timer.h"

namespace orchestrator::runtime {

/// Looks how busy the machine is, while a mission runs; a change is an event. Engine thread.
class LoadWatch {
 public:
  /// It outlives this.
  explicit LoadWatch(Pipeline& pipeline) : p_(pipeline) {}

  /// After each batch.
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
