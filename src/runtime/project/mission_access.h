#pragma once

#include <string>

#include "codec/message.h"
#include "engine/directory.h"
#include "orchestrator/effect.h"
#include "orchestrator/event.h"
#include "orchestrator/mission.h"
#include "runtime/project/log.h"

namespace orchestrator::runtime {

/// The mission of a directory, as the parts of its Project use it: what it is, and the only ways to
/// move it. Engine thread.
class MissionAccess {
 public:
  virtual ~MissionAccess() = default;
  [[nodiscard]] virtual const State& state() const = 0;
  /// A log takes what is recorded.
  [[nodiscard]] virtual bool is_open() const = 0;
  /// Why nothing can be changed now, for whoever asks; empty: it can.
  [[nodiscard]] virtual std::string problem() const = 0;

  /// Into the log, and one step of the core. Its effects leave with the batch.
  virtual void record(Happening happening, engine::Outbox& outbox) = 0;
  /// The same for what was put off: kept, or refused, where nothing can be recorded any more.
  virtual void record_late(Happening happening, engine::Outbox& outbox) = 0;
  /// As if the host had told it just now.
  virtual void take(codec::Incoming incoming, engine::Outbox& outbox) = 0;
  /// All that was recorded is on the disk. False: it cannot be, nothing of it has happened, and
  /// that has been said.
  virtual bool make_durable(engine::Outbox& outbox) = 0;
  /// Lets out what was caused; at the end of a callback from the pool or from a process.
  virtual void release(engine::Outbox& outbox) = 0;

  /// With the batch's effects, in their order.
  virtual void reply(const RequestId& request, bool ok, std::string text) = 0;
  /// Yes, before all of the batch's effects: nothing that lasts has changed.
  virtual void reply_first(const RequestId& request) = 0;
  /// A "yes" to this request rests on what is recorded: it is none where that is lost.
  virtual void await_disk(const RequestId& request) = 0;
  virtual void show(Effect effect) = 0;
  virtual void note(LogLevel level, const std::string& line) = 0;
};

}  // namespace orchestrator::runtime
