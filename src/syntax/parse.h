// One bounded parse: which texts are skipped, and the limits while it runs. Private to src/syntax.

#ifndef ORCHESTRATOR_SYNTAX_PARSE_H_
#define ORCHESTRATOR_SYNTAX_PARSE_H_

#include <chrono>
#include <cstdint>
#include <string_view>

#include "syntax/grammar.h"
#include "syntax/language.h"
#include "syntax/report.h"

namespace orchestrator::syntax {

/// Whether a byte is a continuation byte of a UTF-8 character.
[[nodiscard]] inline bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// The reason to skip a text; `no` if it may be parsed.
[[nodiscard]] Skipped unfit(std::string_view text, const Limits& limits);

/// The text, and the time and memory left for it. tree-sitter asks `stop` every hundred operations;
/// an operation may lex far (an unclosed string), so `read` hands the text out in chunks and ends
/// it when the limit is reached. Counts allocations from now on. One thread.
class Source {
 public:
  Source(std::string_view text, const Limits& limits);

  [[nodiscard]] std::string_view text() const { return text_; }
  /// The limit that was reached, `no` as long as none was.
  [[nodiscard]] Skipped stopped() const { return stopped_; }
  /// Another text (or part of one) within what is left of the limits.
  void read_next(std::string_view text) { text_ = text; }

  bool check_limits();

  static const char* read(void* payload, std::uint32_t offset, TSPoint, std::uint32_t* length);
  static bool stop(TSParseState* state) {
    return static_cast<Source*>(state->payload)->check_limits();
  }

 private:
  std::string_view text_;
  std::chrono::steady_clock::time_point deadline_;
  std::int64_t bytes_max_;
  Skipped stopped_ = Skipped::no;
};

/// Without a UTF-8 byte order mark.
[[nodiscard]] std::string_view without_mark(std::string_view text);

/// Null if a limit was reached: a tree may then be of a text cut short. `before`: the tree of an
/// older text, edited (ts_tree_edit) to fit this one; equal parts are reused.
[[nodiscard]] TreePtr parse(Language language, Source& source, const TSTree* before = nullptr);

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_PARSE_H_
