#pragma once

#include <string>
#include <vector>

#include "core/state/context.h"

/// What models hand in: plans, work, reviews, changes of the plan. Each call is checked whole
/// first; a refusal lists every problem and changes nothing.
namespace orchestrator::core {

/// Why this session may not hand in what only `role` does, or nothing.
[[nodiscard]] std::string wrong_caller(const State& state, const SessionId& session, Role role,
                                       const std::string& tool);
/// Why a blocked mission may not go on by a call of `tool` alone, or nothing: models unblock it
/// only so often before a person has spoken.
[[nodiscard]] std::string why_not_unblock(const State& state, const std::string& tool);
/// `task` may be left out of a call; a wrong one is refused with the right one, or with `name`,
/// which is what the session's card calls it.
void check_named_task(const TaskId& named, const TaskId& right, const TaskId& name,
                      std::vector<std::string>& problems);
/// While blocked: goes on where something can run again. Whether it does.
bool unblock(Context& ctx);
/// A plan is still to come, and would not keep what is added before it.
[[nodiscard]] bool is_unplanned(const State& state);
/// Refuses a call, and counts that against the session that made it.
void refuse_call(Context& ctx, const RequestId& request, const SessionId& session,
                 const std::string& text);

}  // namespace orchestrator::core
