// Finding fixed texts in bytes, before anything is parsed.

#ifndef ORCHESTRATOR_SYNTAX_PREFILTER_H_
#define ORCHESTRATOR_SYNTAX_PREFILTER_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "syntax/pattern.h"

namespace orchestrator::syntax {

/// The first place of a literal at or after `from`; npos if none. A word is not found within
/// another.
[[nodiscard]] std::size_t find_literal(std::string_view text, const Literal& literal,
                                       std::size_t from = 0);

/// Whether the text contains each literal.
[[nodiscard]] bool holds_all(std::string_view text, const std::vector<Literal>& literals);

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_PREFILTER_H_
