// A text and its tree, kept so that parsing the next version of a file costs only its changes.

#ifndef ORCHESTRATOR_SYNTAX_PARSED_TEXT_H_
#define ORCHESTRATOR_SYNTAX_PARSED_TEXT_H_

#include <cstddef>
#include <memory>
#include <string>

#include "syntax/check.h"

namespace orchestrator::syntax {

/// Never changes once it is made: any thread may read it.
class ParsedText {
 public:
  ParsedText();
  ~ParsedText();
  ParsedText(const ParsedText&) = delete;
  ParsedText& operator=(const ParsedText&) = delete;

  [[nodiscard]] const ParseReport& report() const { return report_; }
  /// Memory that it holds, about.
  [[nodiscard]] std::size_t bytes() const { return text_.size() + tree_bytes_; }
  /// Whether the report is that of `check_syntax`. A tree that grew out of an older one may, in a
  /// text with errors, differ from the one that a fresh parse makes.
  [[nodiscard]] bool from_nothing() const { return from_nothing_; }

 private:
  friend std::shared_ptr<const ParsedText> parse_text(Language language, std::string text,
                                                      const ParsedText* before,
                                                      const Limits& limits);
  struct Tree;

  std::string text_;  // empty where it was skipped
  std::unique_ptr<Tree> tree_;
  std::size_t tree_bytes_ = 0;
  ParseReport report_;
  bool from_nothing_ = true;
};

/// Parses `text` and reuses the equal parts of `before`, an older version in the same language, or
/// null. Never null; the limits are those of `check_syntax`. Throws nothing but
/// bad_alloc.
[[nodiscard]] std::shared_ptr<const ParsedText> parse_text(Language language, std::string text,
                                                           const ParsedText* before = nullptr,
                                                           const Limits& limits = {});

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_PARSED_TEXT_H_
