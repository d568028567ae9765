#pragma once

#include <cstdint>
#include <string_view>

/// Random numbers from a seed: the same seed gives the same numbers with every machine and
/// compiler.
namespace orchestrator::sim {

/// A good 64-bit hash (the finalizer of splitmix64).
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) { return mix(a ^ mix(b)); }

class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) : state_(mix(seed)) {}

  constexpr std::uint64_t next() { return mix(state_++); }
  /// A number from 0 to `below` - 1.
  constexpr std::uint32_t pick(std::uint32_t below) {
    return below == 0 ? 0 : static_cast<std::uint32_t>(next() % below);
  }
  constexpr std::uint32_t between(std::uint32_t least, std::uint32_t most) {
    return least + pick(most - least + 1);
  }
  constexpr bool chance(std::uint32_t percent) { return pick(100) < percent; }

 private:
  std::uint64_t state_;
};

}  // namespace orchestrator::sim
