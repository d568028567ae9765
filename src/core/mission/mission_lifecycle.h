#pragma once

#include <array>
#include <string>

#include "core/state/context.h"

/// Start, pause, end and resumption of a mission, and what each move between phases involves.
namespace orchestrator::core {

/// Starts the mission of a `/task`: fills a fresh state.
void start_mission(Context& ctx, const MissionRequested& event);
/// The timer of a stop or a pause: reports the sessions whose abort the host has not confirmed.
void on_stop_timer(Context& ctx);
/// The time budget is spent.
void on_deadline(Context& ctx);
/// The log or a snapshot could not be written: pauses the mission.
void on(Context& ctx, const StorageFailed& event);
/// Continues after `paused`, `blocked` or a crash. A `blocked` mission gets its limits back.
void resume_mission(Context& ctx);
/// The mission's process has died: forgets everything in flight. A running mission is dormant until
/// it is resumed.
void suspend_mission(Context& ctx);

/// Carries out what `Context::conclude` was called with, if it was: seals, blocks, pauses or
/// cancels the mission, interrupts or ends its sessions, and tells the Commander.
void carry_out_conclusion(Context& ctx);

}  // namespace orchestrator::core
