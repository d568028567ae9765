// Searching one text by a pattern or a tree-sitter query.

#ifndef ORCHESTRATOR_SYNTAX_SEARCH_H_
#define ORCHESTRATOR_SYNTAX_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "syntax/found.h"
#include "syntax/language.h"
#include "syntax/pattern.h"
#include "syntax/report.h"

namespace orchestrator::syntax {

struct SearchLimits {
  Limits parse;
  std::size_t found_max = 10'000;
  /// Whether to parse only the pieces that may match. Off: the whole text; the results are the
  /// same.
  bool prefilter = true;
};

class CompiledQuery;

/// A compiled pattern or query of one language. Immutable; any thread.
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
