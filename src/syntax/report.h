// What a bounded parse reports: the syntax errors of a text, or why it was not parsed.

#ifndef ORCHESTRATOR_SYNTAX_REPORT_H_
#define ORCHESTRATOR_SYNTAX_REPORT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_REPORT_H_
