#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "sim/random.h"

namespace orchestrator::sim {

/// Trace of a run: a hash over all its lines, and its last lines on request. The hash is the same
/// with every machine and compiler.
class Trace {
 public:
  /// `lines_max` 0: only the hash.
  explicit Trace(std::size_t lines_max) : lines_max_(lines_max) {}

  void note(std::uint64_t now_ms, std::string_view kind, std::string_view text) {
    hash_ = mix(hash_ ^ now_ms, fnv1a(text));
    if (lines_max_ == 0) return;
    if (lines_.size() == lines_max_) lines_.pop_front();
    constexpr std::size_t kLineBytesMax = 400;
    lines_.push_back(std::to_string(now_ms % 1'000'000'000) + " " + std::string(kind) + " " +
                     std::string(text.substr(0, kLineBytesMax)));
  }
  /// Mixes a file's content at the end of the run into the hash.
  void mix_in(std::string_view name, std::string_view content) {
    hash_ = mix(hash_ ^ fnv1a(name), fnv1a(content));
  }
  [[nodiscard]] bool wants_lines() const { return lines_max_ > 0; }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  [[nodiscard]] const std::deque<std::string>& lines() const { return lines_; }

 private:
  /// 64-bit FNV-1a hash.
  static std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = 0xCBF29CE484222325U;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    return hash;
  }

  std::size_t lines_max_;
  std::deque<std::string> lines_;
  std::uint64_t hash_ = 0xCBF29CE484222325U;
};

}  // namespace orchestrator::sim
