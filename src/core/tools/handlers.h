#pragma once

#include "core/state/context.h"

/// Handlers of the events of tools: calls of our tools, and commands that the host ran.
namespace orchestrator::core {

void on_submit_plan(Context& ctx, const PlanSubmitted& event);
void on_submit_work(Context& ctx, const WorkSubmitted& event);
void on_submit_review(Context& ctx, const ReviewSubmitted& event);
void on(Context& ctx, const TodoUpdated& event);
/// Records a receipt for a command that the host ran in a mission session.
void on(Context& ctx, const CommandRan& event);
void on(Context& ctx, const FileWritten& event);
void on(Context& ctx, const DelegateCalled& event);
void on(Context& ctx, const ResultAsked& event);
void on(Context& ctx, const CancelCalled& event);

}  // namespace orchestrator::core
