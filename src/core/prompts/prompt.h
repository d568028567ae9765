#pragma once

#include <string>

#include "orchestrator/mission.h"

/// What the engine writes to models: the first line is the contract's (section 4), the rest is the
/// card of the job. Role instructions are not here; they are data in `agents/`.
namespace orchestrator::core {

[[nodiscard]] std::string planner_prompt(const State& state);
[[nodiscard]] std::string worker_prompt(const State& state, const Task& task);
[[nodiscard]] std::string rework_prompt(const State& state, const Task& task);
[[nodiscard]] std::string reviewer_prompt(const State& state, const Task& task);
/// `review.shadow: "file"`: to the Reviewer, and what it found to the Worker.
[[nodiscard]] std::string early_review_prompt(const State& state, const Task& task);
[[nodiscard]] std::string early_review_notes(const std::vector<Finding>& findings);
[[nodiscard]] std::string master_prompt(const State& state);
/// For a session whose turn ended without what it was asked for; `why` says what happened.
[[nodiscard]] std::string continuation_prompt(const State& state, const Session& session,
                                              const std::string& why);
/// For a Worker that stopped without handing anything in: it is asked once.
[[nodiscard]] std::string missing_prompt(const State& state, const Session& session);
/// Put into a running turn that meets the same tool error again and again.
[[nodiscard]] std::string recovery_prompt(const State& state, const Session& session,
                                          const std::string& error);
/// For a Commander that ended its turn while the mission needs it.
[[nodiscard]] std::string commander_continuation(const State& state);

}  // namespace orchestrator::core
