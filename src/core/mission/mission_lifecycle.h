#pragma once

#include <array>
#include <string>

#include "core/state/context.h"

/// A mission from its start to its end: what each move between phases entails.
namespace orchestrator::core {

/// `/task` was given and may start: fills a fresh state.
void start_mission(Context& ctx, const MissionRequested& event);
/// The time for the host to confirm the aborts of a stop or a pause is over: sessions that have
/// not stopped are named. Whether the timer was this one.
void on_stop_timer(Context& ctx);
/// The time budget is spent.
void on_deadline(Context& ctx);
/// Goes on after `paused`, `blocked` or a crash. A `blocked` mission gets its measures back.
void resume_mission(Context& ctx);
/// Its process has died: nothing of it is in flight any more. What runs sleeps until it is resumed.
void suspend_mission(Context& ctx);

/// Carries out what `Context::conclude` was called with, if it was: seals, blocks, pauses or
/// cancels the mission, interrupts or ends its sessions, and tells the Commander.
void carry_out_conclusion(Context& ctx);

}  // namespace orchestrator::core
