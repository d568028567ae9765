#pragma once

#include "core/state/context.h"

/// Subtasks: tasks that a Worker has delegated from its own.
namespace orchestrator::core {

/// Parts of a task that is settled, or not there any more, are dropped.
void drop_orphans(Context& ctx);
/// What a part that is not worked on any more has changed is its whole's change, and its whole's
/// claim, unless another task holds it by now.
void keep_subtask_claims(State& state);

}  // namespace orchestrator::core
