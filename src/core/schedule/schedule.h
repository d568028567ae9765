#pragma once

#include "core/state/context.h"

namespace orchestrator::core {

/// Gives free slots to whatever may run now: reviews and rework before new work, long paths first.
/// Moves the mission on where a phase is over, and blocks it where nothing can move any more.
/// Called after every event of a running mission that has `moved` something; called again at once,
/// it finds nothing to do.
void schedule(Context& ctx);

}  // namespace orchestrator::core
