#pragma once

#include <stdexcept>
#include <string>

namespace orchestrator::base {

/// A broken assumption of our own. The addon runs in the user's process, so the failure is thrown,
/// not fatal: the engine catches it at the edge of one directory, drops that directory's state and
/// recovers it from the log.
class AssertionFailure : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Throws AssertionFailure; called by ORCH_ASSERT alone.
[[noreturn]] inline void assertion_failed(const char* condition, const char* file, int line) {
  throw AssertionFailure("assertion failed: " + std::string(condition) + " at " + file + ":" +
                         std::to_string(line));
}

}  // namespace orchestrator::base

/// Always on, in every build. For bugs only: what input can cause is a Result.
#define ORCH_ASSERT(condition)                                                \
  do {                                                                        \
    if (!(condition)) [[unlikely]]                                            \
      ::orchestrator::base::assertion_failed(#condition, __FILE__, __LINE__); \
  } while (false)
