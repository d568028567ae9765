#pragma once

#include "orchestrator/effect.h"
#include "orchestrator/mission.h"

namespace orchestrator::fuzz {

/// Invariants after any step, whatever the events before it; stops the process at a violation.
void check_step(const State& before, const State& after, const Effects& effects);

/// Invariants of a single state that cost more to check: the state is the same after it is written
/// as a snapshot and read again, and every text about it keeps its size limit.
void check_state(const State& state);

}  // namespace orchestrator::fuzz
