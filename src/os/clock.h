#pragma once

#include <cstdint>

namespace orchestrator::os {

/// Time, behind an interface so that tests can turn it by hand. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall clock, milliseconds since the Unix epoch. May jump.
  virtual uint64_t now_ms() = 0;
  /// Never goes back; the zero point means nothing.
  virtual uint64_t monotonic_ns() = 0;
};

/// The machine's own clock. Lives as long as the process.
Clock& posix_clock();

}  // namespace orchestrator::os
