#include "core/commander.h"

#include <algorithm>

#include "core/mission.h"
#include "core/plan.h"
#include "core/prompt.h"
#include "core/report.h"
#include "core/submission.h"

namespace orchestrator::core {
namespace {

/// Turns ended in `briefing` without `mission_run` before the engine plans by itself.
constexpr std::uint32_t kEarlyEndsMax = 2;
/// The real idle follows a premature one within half a second (host contract A.1).
constexpr TimeMs kSecondIdleMs = 5'000;

void prompt_commander(Context& ctx, std::string text) {
  Commander& commander = ctx.state.commander;
  commander.busy = true;
  commander.effect = ctx.new_effect();
  ctx.state.metrics.prompts += 1;
  ctx.emit(PromptSession{commander.effect, ctx.state.root_session, "commander", "", std::move(text), false});
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

/// Whether an idle Commander should be sent back to the mission.
bool wants_commander(const State& state) {
  return is_running(state.phase) && !state.dormant && state.commander.waiting.empty() &&
         (!state.commander.background || state.phase == Phase::briefing);
}

void count_early_end(Context& ctx) {
  Commander& commander = ctx.state.commander;
  commander.continuations += 1;
  ctx.state.metrics.continuations += 1;
  if (ctx.state.phase != Phase::briefing) return;
  commander.early_ends += 1;
  if (commander.early_ends >= kEarlyEndsMax) leave_briefing(ctx);
}

void act_on_idle(Context& ctx) {
  Commander& commander = ctx.state.commander;
  commander.busy = false;
  commander.continued = false;
  ctx.cancel_timer(commander.timer);
  if (commander.effect != 0) return;  // a prompt is on its way already
  if (commander.owed) {
    commander.owed = false;
    prompt_commander(ctx, final_report(ctx.state));
    return;
  }
  if (!wants_commander(ctx.state)) return;
  if (commander.continuations >= ctx.state.options.limits.continuations &&
      ctx.state.phase != Phase::briefing) {
    return;  // the mission goes on without it; its end wakes it
  }
  count_early_end(ctx);
  prompt_commander(ctx, commander_continuation(ctx.state));
}

std::string background_text() {
  return "The mission runs in the background. You will be woken when it is sealed or needs a "
         "decision.\n\nNow: tell the user so in a sentence and end your turn.";
}

void take_run_arguments(State& state, const RunArgs& args) {
  std::string notes = trimmed(args.notes);
  const std::string objective = trimmed(args.objective);
  if (!objective.empty() && objective != trimmed(state.objective)) {
    notes = objective + (notes.empty() ? "" : "\n" + notes);
  }
  if (!notes.empty()) state.notes = clip(notes, 16'000);
  for (const std::string& line : args.acceptance) {
    if (!trimmed(line).empty() && std::ranges::find(state.acceptance, line) == state.acceptance.end()) {
      state.acceptance.push_back(line);
    }
  }
  for (const std::string& command : args.verify) {
    const std::string clean = trimmed(command);
    if (!clean.empty() && std::ranges::find(state.verify, clean) == state.verify.end()) {
      state.verify.push_back(clean);
    }
  }
}

}  // namespace

Role role_of_session(const State& state, const SessionId& session) {
  if (session.empty()) return Role::none;
  if (session == state.root_session) return Role::commander;
  const Session* child = find_session(state, session);
  return child == nullptr ? Role::none : child->role;
}

void made_progress(Context& ctx) { ctx.state.commander.continuations = 0; }

void tell_commander(Context& ctx) {
  State& state = ctx.state;
  Commander& commander = state.commander;
  if (!commander.waiting.empty()) {
    answer_waiting(ctx, final_report(state));
    return;
  }
  // The user stopped it: nothing is prompted after that.
  if (state.phase == Phase::cancelled || state.phase == Phase::paused) return;
  if (commander.busy || commander.effect != 0) {
    commander.owed = true;
  } else {
    prompt_commander(ctx, final_report(state));
  }
}

void on_run(Context& ctx, const RunCalled& event) {
  State& state = ctx.state;
  Commander& commander = state.commander;
  if (state.mission.empty()) {
    ctx.refuse(event.request, "mission_run: no mission is active in this directory; the user starts one with /task <objective>");
    return;
  }
  if (event.session != state.root_session) {
    return refuse_call(ctx, event.request, event.session,
                       "mission_run: mission " + state.mission.value + " belongs to session " + state.root_session.value +
                           "; the user can adopt it here with /resume");
  }
  if (!event.problems.empty()) {
    return refuse_call(ctx, event.request, event.session, listed("mission_run: nothing was started:", event.problems));
  }
  commander.continued = false;
  if (!commander.waiting.empty()) answer_waiting(ctx, "A newer mission_run call waits for the mission now.");
  if (is_active(state.phase)) take_run_arguments(state, event.args);
  if (state.phase == Phase::briefing) leave_briefing(ctx);
  if (!is_running(state.phase)) {
    commander.owed = false;
    ctx.accept(event.request, final_report(state));
  } else if (commander.background) {
    ctx.accept(event.request, background_text());
  } else {
    commander.waiting = event.request;
  }
}

void on_user_spoke(Context& ctx, const UserSpoke& event) {
  Commander& commander = ctx.state.commander;
  commander.busy = true;
  commander.continuations = 0;
  if (commander.waiting.empty() || !is_running(ctx.state.phase)) return;
  answer_waiting(ctx, interruption_report(ctx.state, event.text));
}

void on_turn_ending(Context& ctx, const TurnEnding& event) {
  Commander& commander = ctx.state.commander;
  if (event.session != ctx.state.root_session) return ctx.accept(event.request, "");
  if (commander.owed) {
    commander.owed = false;
    return ctx.accept(event.request, final_report(ctx.state));
  }
  if (!wants_commander(ctx.state)) return ctx.accept(event.request, "");
  if (commander.continuations >= ctx.state.options.limits.continuations) {
    if (ctx.state.phase == Phase::briefing) leave_briefing(ctx);
    commander.waiting = event.request;  // the process must not end: its turn is held like a mission_run
    return;
  }
  commander.continued = true;
  ctx.accept(event.request, commander_continuation(ctx.state));
}

void on_call_aborted(Context& ctx, const CallAborted& event) {
  Commander& commander = ctx.state.commander;
  if (commander.waiting != event.request || event.request.empty()) return;
  commander.waiting = RequestId{};
  if (is_running(ctx.state.phase)) pause_mission(ctx, "interrupted by the user");
}

void on_commander_turn_started(Context& ctx) {
  ctx.state.commander.busy = true;
  ctx.cancel_timer(ctx.state.commander.timer);
}

void on_commander_turn_ended(Context& ctx, const TurnEnded& event) {
  Commander& commander = ctx.state.commander;
  // Only now is it certain that the turn into which a continuation was put has really ended.
  if (commander.continued && event.stopped && wants_commander(ctx.state)) count_early_end(ctx);
  commander.continued = false;
}

void on_commander_idled(Context& ctx) {
  Commander& commander = ctx.state.commander;
  if (commander.errored) {
    commander.errored = false;
    ctx.cancel_timer(commander.timer);
    commander.timer = ctx.start_timer(kSecondIdleMs);
    return;
  }
  act_on_idle(ctx);
}

void on_commander_errored(Context& ctx, const SessionErrored& event) {
  if (event.name == "ContextOverflowError") return;
  ctx.state.metrics.errors += 1;
  ctx.state.commander.errored = true;
  const bool foreground = !ctx.state.commander.background;
  if (event.name == "MessageAbortedError" && foreground && is_running(ctx.state.phase)) {
    pause_mission(ctx, "interrupted by the user");
  }
}

bool on_commander_timer(Context& ctx, TimerId timer) {
  if (ctx.state.commander.timer != timer) return false;
  ctx.state.commander.timer = 0;
  act_on_idle(ctx);
  return true;
}

}  // namespace orchestrator::core
