#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace orchestrator::base {

/// A queue with two limits for many producers and one consumer that takes all there is at once. A
/// short lock and a vector swap: producers never wait for the consumer's work.
template <class T>
class BoundedQueue {
 public:
  /// Holds at most `count_max` items whose costs (bytes, say) add up to at most `cost_max`.
  BoundedQueue(size_t count_max, size_t cost_max) : count_max_(count_max), cost_max_(cost_max) {}

  enum class Push {
    first,  ///< taken, and the queue was empty: wake the consumer
    taken,  ///< taken behind others: the consumer has been woken already
    full,   ///< refused; nothing changed
    closed  ///< refused for good
  };

  /// Never blocks on the consumer. Any thread.
  Push push(T item, size_t cost) {
    Lock lock(mutex_);
    if (closed_) return Push::closed;
    if (items_.size() >= count_max_ || cost > cost_max_ - cost_) return Push::full;
    const bool first = items_.empty();
    items_.push_back(std::move(item));
    cost_ += cost;
    return first ? Push::first : Push::taken;
  }

  /// Swaps the content, in order of arrival, with `out`, which is cleared first (its capacity is
  /// reused).
  void take_all(std::vector<T>& out) {
    out.clear();
    Lock lock(mutex_);
    items_.swap(out);
    cost_ = 0;
  }

  /// From now on push() answers `closed`; what is inside can still be taken.
  void close() {
    Lock lock(mutex_);
    closed_ = true;
  }

 private:
  const size_t count_max_;
  const size_t cost_max_;
  Mutex mutex_;
  std::vector<T> items_ ORCH_GUARDED_BY(mutex_);
  size_t cost_ ORCH_GUARDED_BY(mutex_) = 0;
  bool closed_ ORCH_GUARDED_BY(mutex_) = false;
};

}  // namespace orchestrator::base
