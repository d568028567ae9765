#pragma once

#include "core/state/context.h"

/// Handlers of the events of tools: calls of our tools, and commands that the host ran.
namespace orchestrator::core {

void on_submit_plan(Context& ctx, const PlanSubmitted& event);
void on_submit_work(Context& ctx, const WorkSubmitted& event);
void on_submit_review(Context& ctx, const ReviewSubmitted& event);
void on_update_todo(Context& ctx, const TodoUpdated& event);
/// Records a receipt for a command that the host ran in a mission session.
void on_command_ran(Context& ctx, const CommandRan& event);
void on_file_written(Context& ctx, const FileWritten& event);
void on_delegate_task(Context& ctx, const DelegateCalled& event);
void on_get_task_result(Context& ctx, const ResultAsked& event);
void on_cancel_task(Context& ctx, const CancelCalled& event);

}  // namespace orchestrator::core
