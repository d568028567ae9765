#pragma once

#include <string>
#include <vector>

#include "core/state/context.h"

/// Functions that the tool handlers share. A handler checks the whole call first; a refusal lists
/// every problem and changes nothing.
namespace orchestrator::core {

/// Why this session may not call a tool of `role`; empty: it may.
[[nodiscard]] std::string wrong_caller(const State& state, const SessionId& session, Role role,
                                       const std::string& tool);
/// Why a call of `tool` may not unblock the mission; empty: it may. The number of times that models
/// unblock it before a person speaks is limited.
[[nodiscard]] std::string why_not_unblock(const State& state, const std::string& tool);
/// Checks the argument `task`, which may be left out of a call. A wrong one is a problem that names
/// the right one, or `name`, which the session's card uses for it.
void check_named_task(const TaskId& named, const TaskId& right, const TaskId& name,
                      std::vector<std::string>& problems);
/// Unblocks a blocked mission if a task can go on again; true: it goes on.
bool unblock(Context& ctx);
/// Whether a plan is still to come, which would replace tasks that are added now.
[[nodiscard]] bool is_unplanned(const State& state);
/// Refuses a call, and counts the refusal for its session.
void refuse_call(Context& ctx, const RequestId& request, const SessionId& session,
                 const std::string& text);
/// Accepts a submission: closes its session and answers the call.
void take_submission(Context& ctx, Session& session, const RequestId& call, std::string answer);

}  // namespace orchestrator::core
