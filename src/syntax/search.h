// Searching one text for what a pattern, or a tree-sitter query, describes.

#ifndef ORCHESTRATOR_SYNTAX_SEARCH_H_
#define ORCHESTRATOR_SYNTAX_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "syntax/check.h"
#include "syntax/language.h"
#include "syntax/pattern.h"

namespace orchestrator::syntax {

/// Bytes of the searched text.
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool operator==(const Span&) const = default;
};

struct Found {
  Span span;                  // the node
  std::uint32_t own_end = 0;  // <= span.end: up to what the pattern asks for
  std::uint32_t line = 0;     // of the begin, from 1
  std::uint32_t column = 0;   // from 1, in bytes
  std::uint32_t end_line = 0;
  struct Capture {
    std::string name;
    Span span;  // empty: nothing
    bool operator==(const Capture&) const = default;
  };
  std::vector<Capture> captures;
  bool operator==(const Found&) const = default;
};

struct SearchResult {
  Skipped skipped = Skipped::no;
  std::vector<Found> found;  // in the order of the text, the outer before the inner
  bool more = false;         // there are further ones
  std::size_t parsed_bytes = 0;
};

struct SearchLimits {
  Limits parse;
  std::size_t found_max = 10'000;
  /// What is not parsed is not looked at: off, everything is. The results are the same.
  bool prefilter = true;
};

class CompiledQuery;

/// What is looked for, in one language. Immutable; any thread.
class Search {
 public:
  static base::Result<Search> for_pattern(Language language, std::string_view pattern);
  /// A tree-sitter query with the predicates #eq?, #match?, #any-of? and their #not- forms.
  static base::Result<Search> for_query(Language language, std::string_view query);

  [[nodiscard]] Language language() const { return pattern_.language; }
  /// Null if it is a query.
  [[nodiscard]] const Pattern* pattern() const { return query_ ? nullptr : &pattern_; }

  /// Throws nothing but bad_alloc. A UTF-8 byte order mark counts as text that is not code.
  [[nodiscard]] SearchResult run(std::string_view text, const SearchLimits& limits = {}) const;

 private:
  Search() = default;
  Pattern pattern_;
  std::shared_ptr<const CompiledQuery> query_;
};

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_SEARCH_H_
