// Does a text parse? Syntax errors of one file, with tree-sitter; and which of them an edit brought
// in.
//
// Pure functions: no files, no policy, no state; any thread. Hostile text costs at most the limits.
// tree-sitter is not the compiler: it accepts some broken code, and it does not expand macros, so
// that correct C and C++ can have "errors". Comparing before and after (`new_errors`) is what makes
// the answer useful.

#ifndef ORCHESTRATOR_SYNTAX_CHECK_H_
#define ORCHESTRATOR_SYNTAX_CHECK_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "syntax/language.h"

namespace orchestrator::syntax {

struct Limits {
  /// Longer texts are skipped.
  std::size_t bytes_max = std::size_t{1} << 20U;
  /// Wall time of one check; beyond it the text is skipped.
  std::chrono::milliseconds time_max{2000};
  /// Memory that parsing may take; beyond it the text is skipped. Checked now and then: a bit more
  /// can be taken.
  std::size_t memory_max = std::size_t{256} << 20U;
  /// Errors that are listed; further ones are only counted.
  std::size_t errors_max = 500;
};

enum class ErrorKind {
  error,    // something that does not belong here
  missing,  // something that should be here
};

struct SyntaxError {
  std::uint32_t line = 0;    // from 1
  std::uint32_t column = 0;  // from 1, in bytes
  ErrorKind kind = ErrorKind::error;
  std::string what;  // the missing or the unclosed token, where one is known: `;`, `{`
  std::string
      text;  // the line without outer white space; of a long one, up to 120 bytes around the error
  bool operator==(const SyntaxError&) const = default;
};

/// `12:5: missing ";" in: foo()`.
[[nodiscard]] std::string to_string(const SyntaxError& error);

/// Why nothing was checked.
enum class Skipped { no, too_large, binary, not_utf8, unknown_language, time_limit, memory_limit };

/// In words that finish "not checked: "; empty for `no`.
[[nodiscard]] std::string_view to_string(Skipped skipped);

struct ParseReport {
  Skipped skipped = Skipped::no;
  std::vector<SyntaxError> errors;  // in the order of the text
  std::size_t total = 0;            // >= errors.size()
  /// Checked, and without an error.
  [[nodiscard]] bool clean() const { return skipped == Skipped::no && total == 0; }
};

/// Parses the whole text. A UTF-8 byte order mark is ignored, as are the kinds of line ends. Throws
/// nothing but bad_alloc.
[[nodiscard]] ParseReport check_syntax(Language language, std::string_view text,
                                       const Limits& limits = {});

/// The same, the language taken from the path.
[[nodiscard]] ParseReport check_file(std::string_view path, std::string_view text,
                                     const Limits& limits = {});

/// The errors of `after` that `before` did not have. Errors are the same if kind, token and line
/// text are, wherever the line now is; two on equal lines are two. Empty if either was skipped
/// (nothing can be said). For a new file, `before` is `ParseReport{}`. Where `before` had more
/// errors than it lists, no more are believed to be new than the total grew by.
[[nodiscard]] std::vector<SyntaxError> new_errors(const ParseReport& before,
                                                  const ParseReport& after);

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_CHECK_H_
