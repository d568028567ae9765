#pragma once

#include <string>
#include <vector>

#include "orchestrator/event.h"
#include "orchestrator/mission.h"

/// Rules for every plan and every delegated task.
namespace orchestrator::core {

/// Problems of these new tasks, which join the tasks `kept`; `where` names the list in messages,
/// e.g. `tasks`.
[[nodiscard]] std::vector<std::string> task_problems(const State& state,
                                                     const std::vector<Task>& kept,
                                                     const std::vector<TaskSpec>& added,
                                                     const std::string& where);
[[nodiscard]] Task make_task(const State& state, const TaskSpec& spec);

/// Adds a command, trimmed, unless it is empty or in the list already.
void add_command(std::vector<std::string>& commands, const std::string& command);
/// The first free id of `stem`1, `stem`2, …; if these are too long, of `otherwise`1, ….
[[nodiscard]] TaskId numbered_id(const State& state, const std::string& stem,
                                 const std::string& otherwise);
/// Task ids that are similar to this one, for a refusal: ` Nearest: T1, T2.` or nothing.
[[nodiscard]] std::string nearest_ids(const State& state, const TaskId& id);

}  // namespace orchestrator::core
