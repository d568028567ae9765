#include "core/mission/user_commands.h"

#include "base/text.h"
#include "core/mission/commander.h"
#include "core/mission/mission_lifecycle.h"
#include "core/models/budget.h"
#include "orchestrator/step.h"

namespace orchestrator::core {
namespace {

std::string why_not_resume(const State& state, const ResumeRequested& event) {
  const std::string mission = state.mission.value;
  if (!is_active(state.phase)) {
    std::string last = ".";
    if (!mission.empty()) {
      last = "; the last one, " + mission + ", is " + std::string(to_name(state.phase)) + ".";
    }
    return "/resume: no mission waits in this directory" + last + " /task <objective> starts one.";
  }
  if (event.session.empty()) return "/resume: no session is named that is to have the mission";
  const std::string named = base::trimmed(event.arguments);
  if (!named.empty() && named != mission) {
    return "/resume: the mission of this directory is " + mission + ", not \"" +
           base::clip(named, 60) + "\"";
  }
  if (const Session* child = find_session(state, event.session)) {
    return "/resume: this session is the " + std::string(to_name(child->role)) + " of mission " +
           mission + "; type it in another session, e.g. " + state.root_session.value;
  }
  if (is_running(state.phase) && !state.dormant && event.session == state.root_session) {
    return "/resume: mission " + mission + " is running (" + progress_title(state) + ")";
  }
  return "";
}

}  // namespace

void on(Context& ctx, const MissionRequested& event) {
  const std::string why = why_not_start(ctx.state, event);
  if (why.empty()) {
    start_mission(ctx, event);
  } else {
    ctx.refuse(event.request, why);
  }
}

void on(Context& ctx, const StopRequested& event) {
  const std::string words = base::trimmed(event.arguments);
  const State& state = ctx.state;
  if (!words.empty() && words != "--pause") {
    return ctx.refuse(event.request, "/stop: \"" + base::clip(words, 60) +
                                         "\" is not known; write /stop or /stop --pause");
  }
  if (!is_active(state.phase)) {
    return ctx.refuse(event.request, "/stop: no mission is active in this directory");
  }
  if (words.empty()) {
    ctx.conclude(Phase::cancelled, "stopped by the user");
  } else if (state.phase == Phase::paused) {
    return ctx.refuse(event.request, "/stop --pause: mission " + state.mission.value +
                                         " is paused already; /resume goes on");
  } else {
    ctx.conclude(Phase::paused, "paused by the user");
  }
  carry_out_conclusion(ctx);
  ctx.accept(event.request, status_text(state));
}

void on(Context& ctx, const ResumeRequested& event) {
  State& state = ctx.state;
  const std::string why = why_not_resume(state, event);
  if (!why.empty()) return ctx.refuse(event.request, why);
  if (!state.commander.waiting.empty()) {
    ctx.accept(state.commander.waiting,
               "Another session has adopted the mission.\n\nNow: end your turn.");
  }
  if (state.root_session != event.session) release_commander(ctx);
  state.root_session = event.session;
  state.mode = event.mode;
  ctx.emit(WatchSession{event.session});
  if (!is_running(state.phase) || state.dormant) resume_mission(ctx);
  commander_takes_over(ctx);
  ctx.accept(event.request, "The mission goes on (" + progress_title(state) +
                                "): " + base::first_line(state.objective, 200) +
                                "\n\nCall mission_run to go on with it.");
}

}  // namespace orchestrator::core
