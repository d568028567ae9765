#pragma once

#include "core/state/context.h"

/// Tool calls that return when a task is finished, or blocked. A turn whose call waits holds no
/// slot, and gets one again before the call is answered, so that no tree of tasks waits for its own
/// leaves.
namespace orchestrator::core {

/// The call `request` of session `id` waits for the task from now on.
void wait_for_task(Context& ctx, const RequestId& request, const SessionId& id, const TaskId& task);
/// Calls whose task is finished, or blocked, return, as far as there are slots for their turns.
void answer_waiters(Context& ctx);

}  // namespace orchestrator::core
