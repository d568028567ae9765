#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace orchestrator::base {

/// A regular expression from an untrusted source: bytes, `.`, `[a-z]`, `\d \w \s \b` and their
/// opposites, `^ $`, groups, `|`, `* + ?`, `{n,m}`. Time is (size of the pattern) x (size of the
/// text), whatever they are; there are no back-references and nothing is captured. Any thread.
class TextPattern {
 public:
  /// At most 1 kB, and 4096 steps when it is unrolled.
  static Result<TextPattern> compile(std::string_view pattern);

  /// Whether it matches somewhere in the text.
  [[nodiscard]] bool found_in(std::string_view text) const;

 private:
  friend class TextPatternReader;
  enum class Op : std::uint8_t { set, fork, jump, start, end, edge, no_edge, accept };
  struct Step {
    Op op = Op::accept;
    std::uint32_t a = 0;  // set: index into sets_; fork, jump: where to go
    std::uint32_t b = 0;  // fork: or there
  };
  struct Set {
    std::uint64_t bits[4] = {0, 0, 0, 0};
    void add(unsigned char c) { bits[c >> 6U] |= std::uint64_t{1} << (c & 63U); }
    [[nodiscard]] bool has(unsigned char c) const {
      return ((bits[c >> 6U] >> (c & 63U)) & 1U) != 0;
    }
    void invert() {
      for (auto& word : bits) word = ~word;
    }
  };
  std::vector<Step> steps_;
  std::vector<Set> sets_;
};

}  // namespace orchestrator::base
