#include <chrono>

#include "os/clock.h"

namespace orchestrator::os {
namespace {

class PosixClock final : public Clock {
 public:
  std::uint64_t now_ms() override {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  }
  std::uint64_t monotonic_ns() override {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
  }
};

}  // namespace

Clock& posix_clock() {
  static PosixClock* const clock =
      new PosixClock;  // leaked: threads may outlive static destruction
  return *clock;
}

}  // namespace orchestrator::os
