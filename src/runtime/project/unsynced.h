#pragma once

#include <string>
#include <utility>
#include <vector>

#include "orchestrator/effect.h"
#include "orchestrator/event.h"

namespace orchestrator::runtime {

/// Events since the log was last durable. If they never become durable, the calls among them are
/// refused and the events of the host are recorded again later. Engine thread.
class Unsynced {
 public:
  void note(const Happening& happening);
  void note_request(const RequestId& request) { requests_.push_back(request); }
  /// All these events are durable now.
  void clear();
  /// Whether this request is among them, so that it must not be accepted yet.
  [[nodiscard]] bool holds(const RequestId& request) const;
  std::vector<RequestId> take_requests() { return std::exchange(requests_, {}); }
  /// Takes the events of the host, in order.
  std::vector<Happening> take_facts() { return std::exchange(facts_, {}); }

 private:
  std::vector<RequestId> requests_;
  std::vector<Happening> facts_;
};

/// The request that waits for a reply to this event; null: none.
[[nodiscard]] const RequestId* waiting_request(const Happening& happening);

}  // namespace orchestrator::runtime
