#pragma once

#include <string>
#include <vector>

#include "orchestrator/event.h"
#include "orchestrator/mission.h"

/// Gate 2: what language servers found in the files that a Worker hands in.
namespace orchestrator::core {

/// The new errors, if the work is to be refused for them: each a sentence. A server may be wrong:
/// errors that have been refused three times in a row, or six submissions in a row with whatever
/// errors, are no longer refused; the Reviewer judges them. Counts the refusal in `task`.
[[nodiscard]] std::vector<std::string> refused_errors(Task& task, const Diagnosis& diagnosis);

/// The work is taken: keeps what its Reviewer is to know.
void keep_diagnosis(Task& task, const Diagnosis& diagnosis);

}  // namespace orchestrator::core
