// Spells a pattern with metavariables so that a grammar can parse it. Private to src/syntax.

#ifndef ORCHESTRATOR_SYNTAX_SPELLING_H_
#define ORCHESTRATOR_SYNTAX_SPELLING_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "syntax/language.h"
#include "syntax/variable.h"

namespace orchestrator::syntax {

/// Code around a pattern that makes it valid: a class around a member, say.
struct Surroundings {
  std::string_view before;
  std::string_view after;
};
[[nodiscard]] std::span<const Surroundings> surroundings_of(Language language);

/// Substitutes for a metavariable in the parsed pattern. The first is the usual one.
[[nodiscard]] std::span<const std::string_view> stand_ins_of(Language language,
                                                             Variable::Kind kind);

/// A pattern as the grammar sees it.
struct Spelled {
  struct Hole {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    const Variable* variable = nullptr;
  };
  std::string text;
  std::uint32_t begin = 0;  // of the pattern within the text
  std::uint32_t end = 0;
  std::vector<Hole> holes;  // the metavariables' places, in order
};
/// `choice` has an index into stand_ins_of() for each variable.
[[nodiscard]] Spelled spell(Language language, std::string_view pattern,
                            const std::vector<Variable>& variables,
                            const std::vector<std::size_t>& choice, const Surroundings& around);

/// Where a byte of the spelled text was in the pattern.
[[nodiscard]] std::size_t original_offset(const Spelled& spelled, std::size_t offset);

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_SPELLING_H_
