#pragma once

#include <cstdint>
#include <vector>

#include "orchestrator/effect.h"
#include "orchestrator/event.h"

namespace orchestrator::runtime {

/// Lets successors start first. A submission that opens or prompts sessions gets its answer when
/// their first requests are on their way, or after a short while: the host works off all sessions
/// of a process on one thread and their git snapshots one by one, and what the submitter still has
/// to say is needed by nobody. Nothing here is durable; a lost answer belongs to a lost call.
class HeldReplies {
 public:
  static constexpr std::uint64_t kLongestMs = 1500;

  /// Takes the answer to a submission out of the effects of its step, if it is to wait.
  /// True: something is held that was not before.
  bool hold(const Happening& happening, Effects& effects, std::uint64_t now_ms);
  /// `session` is about to send a request.
  void started(const SessionId& session);
  /// What this answer speaks of has not happened after all: it is never given.
  void withdraw(const RequestId& request);
  /// The answers that need not wait any longer.
  Effects due(std::uint64_t now_ms);
  [[nodiscard]] bool empty() const { return held_.empty(); }

 private:
  struct Held {
    Effect answer;
    std::vector<EffectId> creating;
    std::vector<SessionId> starting;
    std::uint64_t deadline_ms = 0;
  };
  void follow(const SessionCreated& created, const Effects& effects);
  void forget(EffectId effect);

  std::vector<Held> held_;
};

}  // namespace orchestrator::runtime
