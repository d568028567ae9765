#pragma once

#include "orchestrator/effect.h"
#include "orchestrator/mission.h"

namespace orchestrator::fuzz {

/// What must hold after any step, whatever was told before it; stops the process where it does not.
void check_step(const State& before, const State& after, const Effects& effects);

/// What must hold of any state by itself, and costs more: it survives being written as a snapshot
/// and being read again, and everything that is said of it keeps its size.
void check_state(const State& state);

}  // namespace orchestrator::fuzz
