#pragma once

#include <string>
#include <vector>

#include "core/context.h"

/// What models hand in: plans, work, reviews, changes of the plan. Each call is checked whole first;
/// a refusal lists every problem and changes nothing.
namespace orchestrator::core {

void on_plan(Context& ctx, const PlanSubmitted& event);
void on_work(Context& ctx, const WorkSubmitted& event);
void on_review(Context& ctx, const ReviewSubmitted& event);
void on_todo(Context& ctx, const TodoUpdated& event);

/// Keeps a receipt of a command that the host ran in a mission session.
void on_command_ran(Context& ctx, const CommandRan& event);
void on_file_written(Context& ctx, const FileWritten& event);

/// Refuses a call, and counts that against the session that made it.
void refuse_call(Context& ctx, const RequestId& request, const SessionId& session, std::string text);
/// "<head>\n- problem\n- problem"
[[nodiscard]] std::string listed(std::string head, const std::vector<std::string>& problems);

}  // namespace orchestrator::core
