#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/mutex.h"

namespace orchestrator::engine {

/// Queue of batches from the engine thread to one JS thread. Batches that were not taken when it
/// closes can be recovered, so that a terminated Worker loses none.
class Mailbox {
 public:
  Mailbox(size_t batches_max, std::function<void()> wake)
      : batches_max_(batches_max), wake_(std::move(wake)) {}

  enum class Put { taken, full, closed };

  /// Engine thread. Wakes the JS side if the mailbox was empty. Moves from `batch` only if it
  /// accepts it.
  Put put(std::string& batch) {
    base::Lock wake_lock(wake_mutex_);
    bool first = false;
    {
      base::Lock lock(mutex_);
      if (closed_) return Put::closed;
      if (batches_.size() >= batches_max_) {
        was_full_ = true;
        return Put::full;
      }
      first = batches_.empty();
      batches_.push_back(std::move(batch));
    }
    if (first) wake_();
    return Put::taken;
  }

  struct Taken {
    std::optional<std::string> batch;
    bool room_again = false;  ///< a put was refused before: wake the engine
  };

  /// JS side: the oldest batch.
  Taken take() {
    base::Lock lock(mutex_);
    Taken taken;
    if (closed_) return taken;
    if (!batches_.empty()) {
      taken.batch = std::move(batches_.front());
      batches_.pop_front();
    }
    if (batches_.empty()) taken.room_again = std::exchange(was_full_, false);
    return taken;
  }

  /// True: this call closed it. When it returns, `wake` is not running and is not called again.
  bool close() {
    base::Lock wake_lock(wake_mutex_);
    base::Lock lock(mutex_);
    return !std::exchange(closed_, true);
  }

  bool closed() {
    base::Lock lock(mutex_);
    return closed_;
  }

  /// Engine thread, after close(): the batches that the JS side has not taken.
  std::deque<std::string> leftovers() {
    base::Lock lock(mutex_);
    return std::exchange(batches_, {});
  }

 private:
  const size_t batches_max_;
  const std::function<void()> wake_;
  base::Mutex wake_mutex_;  // held while waking; taken before mutex_
  base::Mutex mutex_;
  std::deque<std::string> batches_ ORCH_GUARDED_BY(mutex_);
  bool closed_ ORCH_GUARDED_BY(mutex_) = false;
  bool was_full_ ORCH_GUARDED_BY(mutex_) = false;
};

}  // namespace orchestrator::engine
