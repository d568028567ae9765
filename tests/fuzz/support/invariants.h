#pragma once

#include "orchestrator/effect.h"
#include "orchestrator/mission.h"

namespace orchestrator::fuzz {

/// Invariants after any step, whatever the events before it; stops the process at a violation.
void check_step(const State& before, const State& after, const Effects& effects);

/// What must hold of any state by itself, and costs more: it survives being written as a snapshot
/// and being read again, and everything that is said of it keeps its size.
void check_state(const State& state);

}  // namespace orchestrator::fuzz
