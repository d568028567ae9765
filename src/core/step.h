#pragma once

#include "core/state/moves.h"
#include "orchestrator/step.h"

namespace orchestrator::core {

/// `orchestrator::step`, and which moves it made.
[[nodiscard]] Effects step_with_moves(State& state, const Event& event, MovesMade& moves);

}  // namespace orchestrator::core
