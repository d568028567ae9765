// The declarations of a file: names with their kinds and lines.

#ifndef ORCHESTRATOR_SYNTAX_OUTLINE_H_
#define ORCHESTRATOR_SYNTAX_OUTLINE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "syntax/check.h"
#include "syntax/language.h"

namespace orchestrator::syntax {

struct Symbol {
  std::string kind;  // "function", "class", "method", "field", "key"…
  std::string name;
  std::uint32_t line = 0;      // from 1
  std::uint32_t end_line = 0;  // with it
  std::uint32_t depth = 0;     // how many other symbols contain it
  bool operator==(const Symbol&) const = default;
};

struct Outline {
  Skipped skipped = Skipped::no;
  std::vector<Symbol> symbols;  // in the order of the text
  bool more = false;            // there are further ones
};

/// Functions inside of functions are left out. Throws nothing but bad_alloc.
[[nodiscard]] Outline outline_of(Language language, std::string_view text,
                                 std::size_t symbols_max = 2'000, const Limits& limits = {});

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_OUTLINE_H_
