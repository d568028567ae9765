#pragma once

#include <cstdint>

namespace orchestrator::os {

/// Time behind an interface, so that tests can set it. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall clock, milliseconds since the Unix epoch. May jump.
  virtual std::uint64_t now_ms() = 0;
  /// Monotonic; the zero point is arbitrary.
  virtual std::uint64_t monotonic_ns() = 0;
};

/// The machine's own clock. Lives as long as the process.
Clock& posix_clock();

}  // namespace orchestrator::os
