#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace orchestrator::fuzz {

[[noreturn]] inline void broken(const char* condition, const char* file, int line,
                                const std::string& more) {
  std::fprintf(stderr, "%s:%d: does not hold: %s %s\n", file, line, condition, more.c_str());
  std::abort();
}

}  // namespace orchestrator::fuzz

/// Asserts a property of every input; a fuzzer takes the abort for a crash and keeps the input.
#define REQUIRE(condition, ...)                                                               \
  do {                                                                                        \
    if (!(condition)) [[unlikely]]                                                            \
      ::orchestrator::fuzz::broken(#condition, __FILE__, __LINE__, std::string(__VA_ARGS__)); \
  } while (false)
