#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace orchestrator::sim {

/// The virtual clock. Actions run in the order of their times, and in the order of their requests
/// if the times are equal.
class Timeline {
 public:
  using Act = std::function<void()>;

  [[nodiscard]] std::uint64_t now_ms() const { return now_ms_; }
  /// Runs `act` after `delay_ms`, unless the process dies before.
  void after(std::uint64_t delay_ms, Act act) { push(delay_ms, life_, std::move(act)); }
  /// Runs `act` after `delay_ms`, even if the process dies before.
  void outside(std::uint64_t delay_ms, Act act) { push(delay_ms, 0, std::move(act)); }
  /// The process has died: its pending actions are dropped.
  void end_life() { ++life_; }
  [[nodiscard]] std::uint64_t life() const { return life_; }

  /// Runs the next action. False: there is none.
  bool step() {
    while (!queue_.empty()) {
      // Moving the action out of the top keeps the order, which depends on the time alone.
      Due due = std::move(const_cast<Due&>(queue_.top()));
      queue_.pop();
      if (due.life != 0 && due.life != life_) continue;
      now_ms_ = due.at_ms > now_ms_ ? due.at_ms : now_ms_;
      due.act();
      return true;
    }
    return false;
  }

 private:
  struct Due {
    std::uint64_t at_ms = 0;
    std::uint64_t order = 0;
    std::uint64_t life = 0;
    Act act;
    bool operator<(const Due& other) const {
      return at_ms != other.at_ms ? at_ms > other.at_ms : order > other.order;
    }
  };
  void push(std::uint64_t delay_ms, std::uint64_t life, Act act) {
    queue_.push({now_ms_ + delay_ms, ++order_, life, std::move(act)});
  }

  std::priority_queue<Due> queue_;
  std::uint64_t now_ms_ = 1'750'000'000'000;
  std::uint64_t order_ = 0;
  std::uint64_t life_ = 1;
};

}  // namespace orchestrator::sim
