#pragma once

#include <string>

#include "orchestrator/mission.h"

/// Prompts that the engine writes to models. The first line is fixed by the product contract
/// (section 4), the rest is the card. Role instructions are data, in `agents/`.
namespace orchestrator::core {

[[nodiscard]] std::string planner_prompt(const State& state);
[[nodiscard]] std::string worker_prompt(const State& state, const Task& task);
[[nodiscard]] std::string rework_prompt(const State& state, const Task& task);
[[nodiscard]] std::string reviewer_prompt(const State& state, const Task& task);
/// The early review's prompts (`review.shadow: "file"`): to the Reviewer, and with its findings to
/// the Worker.
[[nodiscard]] std::string early_review_prompt(const State& state, const Task& task);
[[nodiscard]] std::string early_review_notes(const std::vector<Finding>& findings);
[[nodiscard]] std::string master_prompt(const State& state);
/// For a session whose turn ended without a submission; `why` says what happened.
[[nodiscard]] std::string continuation_prompt(const State& state, const Session& session,
                                              const std::string& why);
/// For a Worker that stopped without a submission: asks, once, what is missing.
[[nodiscard]] std::string missing_prompt(const State& state, const Session& session);
/// Put into a running turn that repeats the same tool error.
[[nodiscard]] std::string recovery_prompt(const State& state, const Session& session,
                                          const std::string& error);
/// For a Commander whose turn ended while the mission needs it.
[[nodiscard]] std::string commander_continuation(const State& state);

}  // namespace orchestrator::core
