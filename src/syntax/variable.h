// Metavariables of patterns and rewrites.

#ifndef ORCHESTRATOR_SYNTAX_VARIABLE_H_
#define ORCHESTRATOR_SYNTAX_VARIABLE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace orchestrator::syntax {

/// Whether it is part of a word of code.
[[nodiscard]] inline bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80U) != 0;
}
/// Whether a metavariable's name may begin with it.
[[nodiscard]] inline bool is_name_start(char c) { return (c >= 'A' && c <= 'Z') || c == '_'; }

/// A metavariable as it is written in a pattern or a rewrite.
struct Variable {
  enum class Kind {
    one,       // `$X`: a named node
    any,       // `$$X`: a node, named or not
    siblings,  // `$$$XS`
  };
  Kind kind = Kind::one;
  std::string name;       // empty: anonymous (`$_`, `$_REST`, `$$$`)
  std::size_t begin = 0;  // where it is written, in bytes
  std::size_t end = 0;
};

/// The metavariables of a text in their order. Any text is fine.
[[nodiscard]] std::vector<Variable> variables_in(std::string_view text);

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_VARIABLE_H_
