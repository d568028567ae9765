#pragma once

#include <string_view>

#include "lsp/server.h"

namespace orchestrator::lsp {

/// The errors of `now` (in `text`) that `before` (in `text_before`) does not have. Errors of the
/// same code and message are the same at any place; where there are more of them than there
/// were, those are new whose line's text bore none before.
[[nodiscard]] Diagnostics new_errors(const Diagnostics& now, std::string_view text,
                                     const Diagnostics& before, std::string_view text_before);

}  // namespace orchestrator::lsp
