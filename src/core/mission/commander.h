#pragma once

#include <string>

#include "core/state/context.h"

/// The Commander's session, which is the user's own. The engine never prompts it during a turn, and
/// never leaves it idle while the mission needs it.
namespace orchestrator::core {

void on(Context& ctx, const UserSpoke& event);
void on(Context& ctx, const TurnEnding& event);
void on_call_aborted(Context& ctx);
void on_commander_turn_started(Context& ctx);
/// The host will repeat the Commander's request after `delay_ms`: until then silence is no stall.
void on_commander_retried(Context& ctx, TimeMs delay_ms);
void on_commander_turn_ended(Context& ctx, const TurnEnded& event);
void on_commander_idled(Context& ctx);
void on_commander_errored(Context& ctx, const SessionErrored& event);
/// The host could not carry out a prompt or an inspection of the Commander.
void on_commander_prompt_failed(Context& ctx);
void on_commander_inspected(Context& ctx, const SessionInspected& event);
void on_root_deleted(Context& ctx);
void on_commander_timer(Context& ctx);

/// The mission has ended or needs a decision: the waiting `mission_run` returns, or the Commander
/// is prompted as soon as it is idle.
void tell_commander(Context& ctx);
/// A Commander without a turn, with what stays known from `before`.
[[nodiscard]] Commander fresh_commander(const Commander& before);
/// A command of the user runs in the root session: its turn replaces any earlier one.
void commander_takes_over(Context& ctx);
/// A new process has taken up the mission by itself: prompts the Commander if the mission needs it,
/// or if it was `owed` the report of the mission's end.
void recall_commander(Context& ctx, bool owed);
/// The user stopped or paused the mission: the waiting `mission_run` returns, and the Commander is
/// not prompted.
void dismiss_commander(Context& ctx);

/// The waiting `mission_run` returns with this text.
void answer_waiting(Context& ctx, std::string text);
/// Begins planning, or execution if the Commander has submitted a plan itself.
void leave_briefing(Context& ctx);

}  // namespace orchestrator::core
