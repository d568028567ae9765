#pragma once

#include "core/state/context.h"

namespace orchestrator::core {

/// `mission_run`: the Commander's call that waits until the mission is sealed or needs it.
void on(Context& ctx, const RunCalled& event);

}  // namespace orchestrator::core
