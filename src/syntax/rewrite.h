// Replacing what a pattern matches by a text with the same metavariables.

#ifndef ORCHESTRATOR_SYNTAX_REWRITE_H_
#define ORCHESTRATOR_SYNTAX_REWRITE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unified_diff.h"
#include "syntax/search.h"

namespace orchestrator::syntax {

/// Immutable; any thread.
class Rewrite {
 public:
  /// An error names the metavariables of the rewrite that the pattern does not have.
  static base::Result<Rewrite> compile(const Pattern& pattern, std::string_view rewrite);

  struct Result {
    std::string text;               // the whole new text
    std::vector<base::Edit> edits;  // one for each replaced match
    std::size_t nested = 0;         // matches within replaced ones, left as they were
  };
  /// `found` comes from a search of this text by that pattern. Of matches within one another the
  /// outermost is replaced. Lines that a metavariable brings in are indented as where they go.
  [[nodiscard]] Result apply(std::string_view text, const std::vector<Found>& found) const;

 private:
  struct Piece {
    std::string text;        // before the variable
    std::string name;        // empty: the end
    std::size_t indent = 0;  // of the rewrite's line that contains the variable
  };
  [[nodiscard]] std::string expand(std::string_view text, const Found& found) const;

  std::vector<Piece> pieces_;
};

struct Verdict {
  std::string why_not;  // empty: write it
  ParseReport before;   // how the old text parsed
};
/// Whether a rewritten text may be written: not with syntax errors that the old one did not have,
/// and not where that cannot be known.
[[nodiscard]] Verdict judge_rewrite(Language language, std::string_view before,
                                    std::string_view after, const Limits& limits = {});

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_REWRITE_H_
