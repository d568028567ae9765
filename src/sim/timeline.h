#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace orchestrator::sim {

/// The virtual clock: what is due is done in the order of its time, and of its asking where the
/// times are equal.
class Timeline {
 public:
  using Act = std::function<void()>;

  [[nodiscard]] std::uint64_t now_ms() const { return now_ms_; }
  /// Done in so many milliseconds, unless the process that asked for it dies before.
  void after(std::uint64_t delay_ms, Act act) { push(delay_ms, life_, std::move(act)); }
  /// Done by the world outside, whatever becomes of the process.
  void outside(std::uint64_t delay_ms, Act act) { push(delay_ms, 0, std::move(act)); }
  /// The process has died: what it was going to do is not done.
  void end_life() { ++life_; }
  [[nodiscard]] std::uint64_t life() const { return life_; }

  /// Does the next thing that is due. False: nothing is.
  bool step() {
    while (!queue_.empty()) {
      // The queue is ordered by time alone, so moving the act out of its top spoils nothing.
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
