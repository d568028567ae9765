#pragma once

#include <cstdint>

#include "engine/directory.h"

namespace orchestrator::runtime {

/// A timer of the project itself, which coalesces: while it runs, another start changes nothing.
/// Engine thread.
class Timer {
 public:
  constexpr Timer(std::uint64_t id, std::uint64_t delay_ms) : id_(id), delay_ms_(delay_ms) {}

  void start(engine::Outbox& outbox) {
    if (runs_) return;
    runs_ = true;
    outbox.start_timer(id_, delay_ms_);
  }
  /// Called when the engine has called on_timer with its id.
  void fired() { runs_ = false; }
  [[nodiscard]] bool runs() const { return runs_; }

 private:
  std::uint64_t id_;
  std::uint64_t delay_ms_;
  bool runs_ = false;
};

/// First id of the project's own timers; ids of the mission's timers are small.
constexpr std::uint64_t kOwnTimers = std::uint64_t{1} << 62U;
constexpr std::uint64_t kDeriveTimer = kOwnTimers;
constexpr std::uint64_t kProgressTimer = kOwnTimers + 2;
constexpr std::uint64_t kStorageTimer = kOwnTimers + 3;
constexpr std::uint64_t kTodoTimer = kOwnTimers + 4;
constexpr std::uint64_t kLoadTimer = kOwnTimers + 5;

}  // namespace orchestrator::runtime
