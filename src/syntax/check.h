// The syntax errors of one file, found with tree-sitter, and which of them an edit added.
//
// Pure functions: no files, no policy, no state; any thread. Hostile text costs at most the limits.
// tree-sitter is not the compiler: it accepts some broken code, and it does not expand macros, so
// that correct C and C++ can have "errors". Comparing before and after (`new_errors`) is what makes
// the answer useful.

#ifndef ORCHESTRATOR_SYNTAX_CHECK_H_
#define ORCHESTRATOR_SYNTAX_CHECK_H_

#include <string_view>
#include <vector>

#include "syntax/language.h"
#include "syntax/report.h"

namespace orchestrator::syntax {

/// Parses the whole text. A UTF-8 byte order mark is ignored, as are the kinds of line ends. Throws
/// nothing but bad_alloc.
[[nodiscard]] ParseReport check_syntax(Language language, std::string_view text,
                                       const Limits& limits = {});

/// The same, the language taken from the path.
[[nodiscard]] ParseReport check_file(std::string_view path, std::string_view text,
                                     const Limits& limits = {});

/// The errors of `after` that `before` did not have. Errors are the same if kind, token and line
/// text are, wherever the line now is; two on equal lines are two. Empty if either was skipped
/// (then nothing is known). For a new file, `before` is `ParseReport{}`. Where `before` had more
/// errors than it lists, at most as many count as new as the total grew by.
[[nodiscard]] std::vector<SyntaxError> new_errors(const ParseReport& before,
                                                  const ParseReport& after);

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_CHECK_H_
