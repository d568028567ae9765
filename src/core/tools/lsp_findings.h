#pragma once

#include <string>
#include <vector>

#include "orchestrator/event.h"
#include "orchestrator/mission.h"

/// Gate 2: errors that language servers report in submitted files.
namespace orchestrator::core {

/// The new errors for which the work must be refused, a sentence each; empty: it passes. Because a
/// server may be wrong, the same errors are refused at most three times in a row, and any errors at
/// most six times in a row; after that the Reviewer judges them. Counts the refusal in `task`.
[[nodiscard]] std::vector<std::string> refused_errors(Task& task, const Diagnosis& diagnosis);

/// Keeps the report of accepted work for its Reviewer.
void keep_diagnosis(Task& task, const Diagnosis& diagnosis);

}  // namespace orchestrator::core
