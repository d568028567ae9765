#include "core/mission/commander.h"

#include <algorithm>
#include <utility>

#include "core/models/budget.h"
#include "core/prompts/prompt.h"
#include "core/prompts/report.h"
#include "core/schedule/deadlock.h"
#include "core/sessions/session_lifecycle.h"
#include "core/sessions/waiters.h"
#include "core/state/phases.h"
#include "core/state/sessions.h"

namespace orchestrator::core {
namespace {

/// Turns ended in `briefing` without `mission_run` before the engine plans by itself.
constexpr std::uint32_t kEarlyEndsMax = 2;
constexpr TimeMs kRetryMs = 2'000;

/// Asks the host about the Commander if no event of it arrives within `delay_ms`.
void watch(Context& ctx, TimeMs delay_ms) {
  ctx.cancel_timer(ctx.state.commander.timer);
  ctx.state.commander.timer = ctx.start_timer(delay_ms);
}

void prompt_commander(Context& ctx, std::string text) {
  Commander& commander = ctx.state.commander;
  commander.turn.busy = true;
  commander.turn.prompted = true;
  commander.effect = ctx.new_effect();
  ctx.state.metrics.prompts += 1;
  ctx.emit(PromptSession{commander.effect, ctx.state.root_session, "commander", "", std::move(text),
                         false});
  watch(ctx, kAnswerStartMs);
}

/// Whether an idle Commander should be sent back to the mission.
bool wants_commander(const State& state) {
  return is_running(state.phase) && !state.dormant && state.commander.waiting.empty() &&
         (!state.commander.background || state.phase == Phase::briefing);
}

/// Whether the mission cannot go on without the Commander.
bool depends_on_commander(const State& state) {
  return !state.dormant && (state.phase == Phase::briefing || state.commander.owed);
}

void count_early_end(Context& ctx) {
  Commander& commander = ctx.state.commander;
  commander.continuations += 1;
  ctx.state.metrics.continuations += 1;
  if (ctx.state.phase != Phase::briefing) return;
  commander.early_ends += 1;
  if (commander.early_ends >= kEarlyEndsMax) leave_briefing(ctx);
}

/// The Commander is idle: prompts it with the report that it is owed, or sends it back to the
/// mission.
void act_on_idle(Context& ctx) {
  Commander& commander = ctx.state.commander;
  commander.turn.busy = false;
  commander.turn.cut_off = false;
  commander.turn.prompted = false;
  commander.turn.continued = false;
  commander.effect = 0;
  ctx.cancel_timer(commander.timer);
  if (commander.owed) {
    commander.owed = false;
    return prompt_commander(ctx, final_report(ctx.state));
  }
  if (!wants_commander(ctx.state)) return;
  const bool spent = commander.continuations >= ctx.state.options.limits.continuations;
  if (spent && ctx.state.phase != Phase::briefing) return;  // prompted again when the mission ends
  count_early_end(ctx);
  if (wants_commander(ctx.state)) prompt_commander(ctx, commander_continuation(ctx.state));
}

/// Counts a prompt or an inspection without an answer. False: the limit is reached, do not try
/// again.
bool may_try_again(Context& ctx) {
  Commander& commander = ctx.state.commander;
  commander.turn.unanswered += 1;
  if (commander.turn.unanswered <= ctx.state.options.limits.continuations) return true;
  commander.turn.busy = false;
  commander.turn.prompted = false;
  commander.owed = false;
  if (ctx.state.phase == Phase::briefing) leave_briefing(ctx);
  return false;
}

void repeat_prompt(Context& ctx) {
  const bool running = is_running(ctx.state.phase);
  prompt_commander(ctx, running ? commander_continuation(ctx.state) : final_report(ctx.state));
}

/// The host reports that a turn of the Commander runs. A tool call may take long, e.g. a question
/// to the user; a turn without any activity is aborted, so that the mission does not wait for ever.
void still_busy(Context& ctx, bool in_tool) {
  Commander& commander = ctx.state.commander;
  const bool briefing = ctx.state.phase == Phase::briefing;
  const bool began = !commander.turn.prompted;
  commander.turn.prompted = false;
  ctx.cancel_timer(commander.timer);
  if (!depends_on_commander(ctx.state)) return;
  // The answer has stalled: no event for `stall_s`, no tool runs, and no request waits for the
  // budget. Not in `run` mode, where the process would end with the turn.
  const bool is_deadlocked = began && !in_tool && commander.waiting.empty() &&
                             commander.metering.request.waiting.empty() &&
                             ctx.state.mode != HostMode::run;
  if (is_deadlocked && !commander.turn.cut_off) {
    commander.turn.cut_off = true;
    ctx.emit(AbortSession{ctx.state.root_session});
    watch(ctx, stall_ms(ctx.state));
    return;
  }
  commander.turn.unanswered = briefing && in_tool ? 0 : commander.turn.unanswered + 1;
  if (commander.turn.unanswered <= ctx.state.options.limits.continuations) {
    watch(ctx, stall_ms(ctx.state));
  } else if (briefing) {
    leave_briefing(ctx);
  }
}

}  // namespace

Commander fresh_commander(const Commander& before) {
  Commander commander;
  commander.background = before.background;
  commander.model = before.model;
  commander.metering.answer.tokens = before.metering.answer.tokens;
  commander.metering.answer.usd = before.metering.answer.usd;
  commander.metering.answer.bytes = before.metering.answer.bytes;
  return commander;
}

void commander_takes_over(Context& ctx) {
  Commander& commander = ctx.state.commander;
  ctx.cancel_timer(commander.timer);
  commander = fresh_commander(commander);
  commander.turn.busy = true;
  if (depends_on_commander(ctx.state)) watch(ctx, stall_ms(ctx.state));
}

void recall_commander(Context& ctx, bool owed) {
  Commander& commander = ctx.state.commander;
  const bool wanted = ctx.state.phase == Phase::briefing && wants_commander(ctx.state);
  if (wanted || (owed && !is_running(ctx.state.phase))) repeat_prompt(ctx);
  commander.owed = false;
}

void dismiss_commander(Context& ctx) {
  Commander& commander = ctx.state.commander;
  stop_waiting(ctx, ctx.state.root_session, final_report(ctx.state));
  if (!commander.waiting.empty()) answer_waiting(ctx, final_report(ctx.state));
  ctx.cancel_timer(commander.timer);
  commander.owed = false;
  commander.turn.prompted = false;
  commander.turn.continued = false;
  commander.effect = 0;
}

void tell_commander(Context& ctx) {
  Commander& commander = ctx.state.commander;
  if (stop_waiting(ctx, ctx.state.root_session, final_report(ctx.state))) return;
  if (!commander.waiting.empty()) return answer_waiting(ctx, final_report(ctx.state));
  if (!commander.turn.busy) return prompt_commander(ctx, final_report(ctx.state));
  commander.owed = true;
  watch(ctx, stall_ms(ctx.state));
}

void on(Context& ctx, const UserSpoke& event) {
  if (event.session != ctx.state.root_session) return;
  Commander& commander = ctx.state.commander;
  commander.turn.busy = true;
  commander.continuations = 0;
  commander.closing = false;
  commander.turn.cut_off = false;
  ctx.state.unblocks = 0;
  if (depends_on_commander(ctx.state)) watch(ctx, stall_ms(ctx.state));
  if (!is_running(ctx.state.phase)) return;
  const std::string report = interruption_report(ctx.state, event.text);
  if (stop_waiting(ctx, ctx.state.root_session, report) || commander.waiting.empty()) return;
  answer_waiting(ctx, report);
}

void on(Context& ctx, const TurnEnding& event) {
  Commander& commander = ctx.state.commander;
  if (event.session != ctx.state.root_session) return ctx.accept(event.request, "");
  if (event.request == commander.waiting) return;  // the host sent it twice
  if (commander.owed) {
    commander.owed = false;
    return ctx.accept(event.request, final_report(ctx.state));
  }
  if (commander.turn.continued || !wants_commander(ctx.state)) return ctx.accept(event.request, "");
  if (commander.continuations >= ctx.state.options.limits.continuations) {
    if (ctx.state.phase == Phase::briefing) leave_briefing(ctx);
    // The process must not end: the reply is held back like that of a mission_run.
    commander.waiting = event.request;
    return;
  }
  commander.turn.continued = true;
  ctx.accept(event.request, commander_continuation(ctx.state));
}

void on_call_aborted(Context& ctx) {
  Commander& commander = ctx.state.commander;
  commander.waiting = RequestId{};
  if (is_running(ctx.state.phase)) ctx.conclude(Phase::paused, "interrupted by the user");
}

void on_commander_turn_started(Context& ctx) {
  Commander& commander = ctx.state.commander;
  commander.turn.busy = true;
  commander.turn.prompted = false;
  commander.turn.unanswered = 0;
  if (depends_on_commander(ctx.state)) {
    watch(ctx, stall_ms(ctx.state));
  } else {
    ctx.cancel_timer(commander.timer);
  }
}

void on_commander_retried(Context& ctx, TimeMs delay_ms) {
  if (depends_on_commander(ctx.state)) watch(ctx, delay_ms + stall_ms(ctx.state));
}

void on_commander_turn_ended(Context& ctx, const TurnEnded& event) {
  Commander& commander = ctx.state.commander;
  // A continuation was put into this turn, and only this event shows that it ended all the same.
  if (commander.turn.continued && event.stopped && wants_commander(ctx.state)) count_early_end(ctx);
  commander.turn.continued = false;
}

void on_commander_idled(Context& ctx) {
  Commander& commander = ctx.state.commander;
  release_commander(ctx);
  // With a prompt of the engine on its way, this idle belongs to an older turn; the timer watches
  // the prompt.
  if (commander.turn.prompted) return;
  if (!commander.turn.premature_idle_due) return act_on_idle(ctx);
  commander.turn.premature_idle_due = false;
  watch(ctx, kSecondIdleMs);
}

void on_commander_errored(Context& ctx, const SessionErrored& event) {
  if (event.name == "ContextOverflowError") return;
  ctx.state.metrics.errors += 1;
  ctx.state.commander.turn.premature_idle_due = true;
  const bool foreground = !ctx.state.commander.background;
  const bool by_us = std::exchange(ctx.state.commander.turn.cut_off, false);
  if (event.name == "MessageAbortedError" && foreground && !by_us && is_running(ctx.state.phase)) {
    ctx.conclude(Phase::paused, "interrupted by the user");
  }
}

void on_commander_prompt_failed(Context& ctx) {
  Commander& commander = ctx.state.commander;
  commander.effect = 0;
  ctx.state.metrics.errors += 1;
  commander.owed = commander.turn.prompted && !is_running(ctx.state.phase);
  commander.turn.prompted = false;
  if (may_try_again(ctx)) watch(ctx, kRetryMs << std::min(commander.turn.unanswered, 5U));
}

void on_commander_inspected(Context& ctx, const SessionInspected& event) {
  Commander& commander = ctx.state.commander;
  commander.effect = 0;
  if (!event.exists) return on_root_deleted(ctx);
  if (event.busy) {
    still_busy(ctx, event.in_tool);
  } else if (!commander.turn.prompted || event.answered) {
    act_on_idle(ctx);
  } else if (may_try_again(ctx)) {
    repeat_prompt(ctx);
  }
}

void on_root_deleted(Context& ctx) {
  ctx.state.commander.turn.busy = false;
  ctx.cancel_timer(ctx.state.commander.timer);
  if (is_running(ctx.state.phase)) {
    ctx.conclude(Phase::paused, "its session was deleted; /resume in another session adopts it");
  }
}

void on_commander_timer(Context& ctx) {
  Commander& commander = ctx.state.commander;
  commander.timer = 0;
  if (commander.effect != 0 && !may_try_again(ctx)) return;
  commander.effect = ctx.new_effect();
  ctx.emit(InspectSession{commander.effect, ctx.state.root_session});
  watch(ctx, kAnswerStartMs);
}

void answer_waiting(Context& ctx, std::string text) {
  Commander& commander = ctx.state.commander;
  ctx.accept(commander.waiting, std::move(text));
  commander.waiting = RequestId{};
  commander.owed = false;
}

void leave_briefing(Context& ctx) {
  const bool planned = !ctx.state.tasks.empty();
  enter(ctx, planned ? Cause::plan_accepted : Cause::run_called,
        planned ? Phase::executing : Phase::planning);
}

}  // namespace orchestrator::core
