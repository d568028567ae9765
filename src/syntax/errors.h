// The errors in a tree. Private to src/syntax.

#ifndef ORCHESTRATOR_SYNTAX_ERRORS_H_
#define ORCHESTRATOR_SYNTAX_ERRORS_H_

#include <tree_sitter/api.h>

#include "syntax/parse.h"
#include "syntax/report.h"

namespace orchestrator::syntax {

/// The errors in a tree of the source's text; a null tree is reported as skipped.
[[nodiscard]] ParseReport report_of(const TSTree* tree, Source& source, const Limits& limits);

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_ERRORS_H_
