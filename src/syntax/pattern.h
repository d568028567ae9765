// Code patterns: code of a language in which `$X` matches one node, `$$$XS` any number of siblings,
// `$_` and `$$$` match without a capture, and a name used twice matches equal code.
//
// A pattern is compiled by the language's own grammar, so that it means what the code means. What
// matches what is written in docs/user/code-search.md; it follows ast-grep's default ("smart").

#ifndef ORCHESTRATOR_SYNTAX_PATTERN_H_
#define ORCHESTRATOR_SYNTAX_PATTERN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "syntax/language.h"
#include "syntax/variable.h"

namespace orchestrator::syntax {

/// Longer patterns and rewrites are refused.
inline constexpr std::size_t kPatternBytesMax = 4096;
/// Different names in one pattern.
inline constexpr std::size_t kVariablesMax = 32;

/// A node of a compiled pattern.
struct PatternNode {
  enum class Kind {
    leaf,      // a token: the same symbol, and if it is a named one, the same text
    inner,     // the same symbol, and children that match
    one,       // `$X`
    siblings,  // `$$$XS`
  };
  Kind kind = Kind::leaf;
  bool named = false;          // of `one`: only named nodes are taken
  std::uint16_t symbol = 0;    // leaf, inner
  std::uint16_t field = 0;     // the field that it fills in its parent, 0: none
  std::int32_t variable = -1;  // one, siblings: index into `names`, -1: anonymous
  std::uint32_t first_child = 0;
  std::uint32_t children = 0;
  std::string text;  // leaf
};

/// A piece of text that every match holds.
struct Literal {
  std::string text;
  bool word = false;  // a whole word: no letter, digit or `_` beside it
  bool operator==(const Literal&) const = default;
};

/// Plain data; any thread.
struct Pattern {
  Language language = Language::javascript;
  std::vector<PatternNode> nodes;  // nodes[0] is the root; children follow one another
  std::vector<std::string> names;  // of its variables
  std::vector<Literal> literals;   // the longest first; empty: nothing is sure
  std::optional<Literal> leading;  // every match begins with it, or with tokens before it that a
                                   // pattern need not name (`async`)
  bool matches_comments = false;   // it is one itself
};

/// An error says what does not parse, where in the pattern, and what to write instead.
[[nodiscard]] base::Result<Pattern> compile_pattern(Language language, std::string_view text);

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_PATTERN_H_
