#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace orchestrator::sim {

/// What happened in a run: a hash over all of it, and its last lines where somebody wants them.
class Trace {
 public:
  /// `lines_max` 0: only the hash.
  explicit Trace(std::size_t lines_max) : lines_max_(lines_max) {}

  void note(std::uint64_t now_ms, std::string_view kind, std::string_view text) {
    hash_ = (hash_ ^ std::hash<std::string_view>{}(text) ^ now_ms) * 0x100000001B3U;
    if (lines_max_ == 0) return;
    if (lines_.size() == lines_max_) lines_.pop_front();
    constexpr std::size_t kLineBytesMax = 400;
    lines_.push_back(std::to_string(now_ms % 1'000'000'000) + " " + std::string(kind) + " " +
                     std::string(text.substr(0, kLineBytesMax)));
  }
  [[nodiscard]] bool wants_lines() const { return lines_max_ > 0; }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  [[nodiscard]] const std::deque<std::string>& lines() const { return lines_; }

 private:
  std::size_t lines_max_;
  std::deque<std::string> lines_;
  std::uint64_t hash_ = 0xCBF29CE484222325U;
};

}  // namespace orchestrator::sim
