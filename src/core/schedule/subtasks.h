#pragma once

#include "core/state/context.h"

/// Subtasks: tasks that a Worker has delegated from its own.
namespace orchestrator::core {

/// Drops the unfinished subtasks of tasks that are settled or gone.
void drop_orphans(Context& ctx);
/// Adds the changed files of subtasks that are not in work to their parent's changed files and
/// claim, except files that another task holds by now.
void keep_subtask_claims(State& state);

}  // namespace orchestrator::core
