#pragma once

#include <string>

#include "core/state/context.h"

/// The Commander's session: the user's own, which the engine never drives while a turn of it runs,
/// and never leaves standing while the mission needs it.
namespace orchestrator::core {

void on_user_spoke(Context& ctx, const UserSpoke& event);
void on_turn_ending(Context& ctx, const TurnEnding& event);
void on_call_aborted(Context& ctx);
void on_commander_turn_started(Context& ctx);
/// The host asks its model again after `delay_ms`: so long it stands still for a reason.
void on_commander_retried(Context& ctx, TimeMs delay_ms);
void on_commander_turn_ended(Context& ctx, const TurnEnded& event);
void on_commander_idled(Context& ctx);
void on_commander_errored(Context& ctx, const SessionErrored& event);
/// A prompt of ours, or an inspection, could not be carried out.
void on_commander_prompt_failed(Context& ctx);
void on_commander_inspected(Context& ctx, const SessionInspected& event);
void on_root_deleted(Context& ctx);
/// Whether the timer was the Commander's.
void on_commander_timer(Context& ctx);

/// The mission has ended or needs a decision: the waiting `mission_run` returns, or the Commander
/// is woken as soon as it is quiescent.
void tell_commander(Context& ctx);
/// What is known of it besides what it is doing.
[[nodiscard]] Commander fresh_commander(const Commander& before);
/// A command of the user runs in the root session: a turn follows, whatever was before.
void commander_takes_over(Context& ctx);
/// A new process has taken the mission up by itself: wakes the Commander where it is needed, or
/// where it was `owed` the mission's end.
void recall_commander(Context& ctx, bool owed);
/// The user stopped or paused it: the waiting `mission_run` returns, and nothing is prompted.
void dismiss_commander(Context& ctx);

/// The waiting `mission_run` returns with this text.
void answer_waiting(Context& ctx, std::string text);
/// Planning begins, or, where the Commander has planned itself, the execution.
void leave_briefing(Context& ctx);

}  // namespace orchestrator::core
