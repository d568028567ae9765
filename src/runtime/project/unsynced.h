#pragma once

#include <string>
#include <utility>
#include <vector>

#include "orchestrator/effect.h"
#include "orchestrator/event.h"

namespace orchestrator::runtime {

/// What has happened since the log was last durable, and what is to be made of it when it never
/// becomes so: whoever waits is refused, and what the host has told is told again later. Engine
/// thread.
class Unsynced {
 public:
  void note(const Happening& happening);
  void note_request(const RequestId& request) { requests_.push_back(request); }
  /// All of it is durable.
  void settle();
  /// A request among it that nobody may be told "done" about.
  [[nodiscard]] bool holds(const RequestId& request) const;
  std::vector<RequestId> take_requests() { return std::exchange(requests_, {}); }
  /// Facts of the host, in their order.
  std::vector<Happening> take_facts() { return std::exchange(facts_, {}); }

 private:
  std::vector<RequestId> requests_;
  std::vector<Happening> facts_;
};

/// The request that waits for an answer to this; null: nobody does.
[[nodiscard]] const RequestId* waiting_request(const Happening& happening);

}  // namespace orchestrator::runtime
