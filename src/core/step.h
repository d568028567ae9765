#pragma once

#include "core/state/moves.h"
#include "orchestrator/step.h"

namespace orchestrator::core {

/// `orchestrator::step`, and which moves it made.
[[nodiscard]] Effects step_traced(State& state, const Event& event, Trace& trace);

}  // namespace orchestrator::core
