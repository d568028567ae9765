#pragma once

#include <string>
#include <vector>

#include "orchestrator/event.h"
#include "orchestrator/mission.h"

/// Rules that a plan keeps, whoever wrote it.
namespace orchestrator::core {

/// Everything that is wrong with these tasks beside those that stay (`kept`); `where` names the
/// list in messages, e.g. `tasks`.
[[nodiscard]] std::vector<std::string> task_problems(const State& state,
                                                     const std::vector<Task>& kept,
                                                     const std::vector<TaskSpec>& added,
                                                     const std::string& where);
[[nodiscard]] Task make_task(const State& state, const TaskSpec& spec);

/// Adds a command, trimmed, unless it is empty or there.
void add_command(std::vector<std::string>& commands, const std::string& command);
/// The first of `stem`1, `stem`2, … that no task has; where these are too long, of `otherwise`1, ….
[[nodiscard]] TaskId numbered_id(const State& state, const std::string& stem,
                                 const std::string& otherwise);
/// Ids of the mission that look like this one, for a refusal: ` Nearest: T1, T2.` or nothing.
[[nodiscard]] std::string nearest_ids(const State& state, const TaskId& id);

}  // namespace orchestrator::core
