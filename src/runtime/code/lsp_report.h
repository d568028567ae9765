#pragma once

#include <set>
#include <string>

#include "orchestrator/mission.h"
#include "runtime/code/language_servers.h"

namespace orchestrator::runtime {

/// What goes into the event of a submission: the errors that are new, and what is not known. Errors
/// that speak of the server's surroundings, and those that may be older than the mission, are
/// notes. A language without a server is a note once: `told` keeps the languages.
[[nodiscard]] Diagnosis diagnosis_of(const CheckReport& report, std::set<std::string>& told);

/// The answer of `lsp_diagnostics`: errors first, bounded, with what was left out and which files
/// were not checked.
[[nodiscard]] std::string listing_of(const CheckReport& report);

}  // namespace orchestrator::runtime
