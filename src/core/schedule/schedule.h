#pragma once

#include "core/state/context.h"

namespace orchestrator::core {

/// Gives free slots to the tasks that may begin: reviews and rework before new work, long chains of
/// dependencies first. Moves the mission to its next phase when one is over, and blocks it when
/// nothing can go on. Called after every event of a running mission that set `moved`; a second call
/// at once changes nothing.
void schedule(Context& ctx);

}  // namespace orchestrator::core
