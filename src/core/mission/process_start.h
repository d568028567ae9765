#pragma once

#include "core/state/context.h"

/// The engine begins in a new process, or again in the same one: the turns that ran in the host are
/// lost, and the mission goes on or sleeps.
namespace orchestrator::core {

void on(Context& ctx, const ProcessStarted& event);
void on(Context& ctx, const HostReloaded& event);

}  // namespace orchestrator::core
