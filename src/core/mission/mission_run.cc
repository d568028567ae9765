#include "core/mission/mission_run.h"

#include <algorithm>

#include "base/text.h"
#include "core/mission/commander.h"
#include "core/mission/mission_lifecycle.h"
#include "core/prompts/report.h"
#include "core/state/plan_rules.h"
#include "core/tools/common.h"

namespace orchestrator::core {
namespace {

std::string background_text() {
  return "The mission runs in the background. You will be woken when it is sealed or needs a "
         "decision.\n\nNow: tell the user so in a sentence and end your turn.";
}

void take_run_arguments(State& state, const RunArgs& args) {
  std::string notes = base::trimmed(args.notes);
  const std::string objective = base::trimmed(args.objective);
  if (!objective.empty() && objective != base::trimmed(state.objective)) {
    notes = objective + (notes.empty() ? "" : "\n" + notes);
  }
  if (!notes.empty()) state.plan.notes = base::clip(notes, 16'000);
  for (const std::string& line : args.acceptance) {
    if (!base::trimmed(line).empty() &&
        std::ranges::find(state.plan.acceptance, line) == state.plan.acceptance.end()) {
      state.plan.acceptance.push_back(line);
    }
  }
  for (const std::string& command : args.verify) {
    add_command(state.plan.verify_asked, command);
    add_command(state.plan.verify, command);
  }
}

/// Problems of the arguments. Each call may add acceptance criteria and verify commands, up to a
/// limit.
std::vector<std::string> run_problems(const State& state, const RunCalled& event) {
  constexpr std::size_t kLinesMax = 200;
  std::vector<std::string> problems = event.problems;
  const auto check = [&](const char* name, std::size_t known, std::size_t more) {
    if (more == 0 || known + more <= kLinesMax) return;
    problems.push_back(std::string(name) + ": " + std::to_string(known) + " are kept and " +
                       std::to_string(more) + " more were given; at most " +
                       std::to_string(kLinesMax) +
                       " are kept: join some, or leave out what is "
                       "there already");
  };
  check("acceptance", state.plan.acceptance.size(), event.args.acceptance.size());
  check("verify", state.plan.verify_asked.size(), event.args.verify.size());
  return problems;
}

}  // namespace

void on(Context& ctx, const RunCalled& event) {
  State& state = ctx.state;
  Commander& commander = state.commander;
  if (state.mission.empty() || (!is_active(state.phase) && event.session != state.root_session)) {
    return ctx.refuse(event.request,
                      "mission_run: no mission is active in this directory; the user starts one "
                      "with /task <objective>");
  }
  if (event.session != state.root_session) {
    return refuse_call(ctx, event.request, event.session,
                       "mission_run: mission " + state.mission.value + " belongs to session " +
                           state.root_session.value + "; the user can adopt it here with /resume");
  }
  const std::vector<std::string> problems = run_problems(state, event);
  if (!problems.empty()) {
    return refuse_call(ctx, event.request, event.session,
                       base::listed("mission_run: nothing was started:", problems));
  }
  if (!commander.waiting.empty()) {
    if (commander.waiting == event.request) return;  // the host sent it twice
    answer_waiting(ctx, "A newer mission_run call waits for the mission now.");
  }
  commander.turn.busy = true;
  commander.turn.prompted = false;
  commander.turn.continued = false;
  commander.turn.unanswered = 0;
  commander.continuations = 0;
  ctx.cancel_timer(commander.timer);
  if (is_active(state.phase)) take_run_arguments(state, event.args);
  if (state.dormant) resume_mission(ctx);
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

}  // namespace orchestrator::core
