#pragma once

#include "core/state/context.h"

/// Tool calls that return when a task is finished or blocked. A turn whose call waits holds no
/// slot, so that subtasks of any depth can run, and gets a slot again before its call is answered.
namespace orchestrator::core {

/// The call `request` of session `id` waits for the task from now on.
void wait_for_task(Context& ctx, const RequestId& request, const SessionId& id, const TaskId& task);
/// Answers the calls whose task is finished or blocked, as far as there are slots for their turns.
void answer_waiters(Context& ctx);

}  // namespace orchestrator::core
