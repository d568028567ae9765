// The tree-sitter grammar of a language. Private to src/syntax.

#ifndef ORCHESTRATOR_SYNTAX_GRAMMAR_H_
#define ORCHESTRATOR_SYNTAX_GRAMMAR_H_

#include <tree_sitter/api.h>

#include <memory>

#include "syntax/language.h"

namespace orchestrator::syntax {

/// Never null; lives as long as the process.
[[nodiscard]] const TSLanguage* grammar_of(Language language);

struct TreeDeleter {
  void operator()(TSParser* parser) const { ts_parser_delete(parser); }
  void operator()(TSTree* tree) const { ts_tree_delete(tree); }
};
using ParserPtr = std::unique_ptr<TSParser, TreeDeleter>;
using TreePtr = std::unique_ptr<TSTree, TreeDeleter>;

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_GRAMMAR_H_
