#pragma once

#include <string_view>

#include "base/result.h"

namespace orchestrator::syntax {

/// Refuses a query whose shape makes tree-sitter hang or overflow its stack: `+` upon what may
/// match nothing, as in
/// `(_)*+` or `((_)?)+`, over which `ts_query_new` (core 0.25) never comes to an end, and nesting
/// beyond 100, which it follows by recursion. The error names the byte. Everything else, and
/// whether it is a query at all, is for `ts_query_new` to say. Any thread; linear.
[[nodiscard]] base::Result<void> check_query_shape(std::string_view text);

}  // namespace orchestrator::syntax
