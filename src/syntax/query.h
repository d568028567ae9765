// Raw tree-sitter queries. Private to src/syntax.

#ifndef ORCHESTRATOR_SYNTAX_QUERY_H_
#define ORCHESTRATOR_SYNTAX_QUERY_H_

#include <tree_sitter/api.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/text_pattern.h"
#include "syntax/found.h"
#include "syntax/language.h"
#include "syntax/parse.h"

namespace orchestrator::syntax {

class CompiledQuery {
 public:
  static base::Result<std::shared_ptr<const CompiledQuery>> compile(Language language,
                                                                    std::string_view text);
  /// Adds what it finds to `result`, each capture's node being one of the found.
  void run(TSNode root, std::string_view text, Source& source, std::size_t found_max,
           SearchResult& result) const;

 private:
  struct Predicate {
    enum class Test { equal, match, any_of };
    Test test = Test::equal;
    bool negated = false;
    std::uint32_t capture = 0;
    std::optional<std::uint32_t> other;  // equal: another capture
    std::vector<std::string> texts;
    std::optional<base::TextPattern> pattern;
  };
  struct QueryDeleter {
    void operator()(TSQuery* query) const { ts_query_delete(query); }
  };

  base::Result<void> read_predicates(std::uint32_t pattern);
  base::Result<Predicate> predicate_of(const std::vector<TSQueryPredicateStep>& steps) const;
  [[nodiscard]] std::string string_of(const TSQueryPredicateStep& step) const;
  [[nodiscard]] bool holds(const TSQueryMatch& match, std::string_view text) const;

  std::unique_ptr<TSQuery, QueryDeleter> query_;
  std::vector<std::vector<Predicate>> predicates_;  // by pattern
};

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_QUERY_H_
