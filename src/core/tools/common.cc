#include "core/tools/common.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/phases.h"
#include "core/state/sessions.h"
#include "core/state/tasks.h"

namespace orchestrator::core {
namespace {

/// Whether a task is ready, or its Worker or Reviewer can go on.
bool has_movable_task(const State& state) {
  return std::ranges::any_of(state.tasks, [](const Task& task) {
    // Another task solves a conflict, and entrants do the work of a raced task.
    return task.status == TaskStatus::ready ||
           (is_in_work(task.status) && task.worktree.merge != MergeState::conflict &&
            !task.race.running);
  });
}

}  // namespace

std::string wrong_caller(const State& state, const SessionId& session, Role role,
                         const std::string& tool) {
  if (!is_active(state.phase)) {
    return tool + ": no mission is active in this directory; the user starts one with /task";
  }
  const Role actual = role_of_session(state, session);
  if (actual == role) return "";
  return tool + ": this session is " +
         (actual == Role::none ? "no session" : "the " + std::string(to_name(actual))) +
         " of mission " + state.mission.value + ", and only its " + std::string(to_name(role)) +
         " calls it";
}

std::string why_not_unblock(const State& state, const std::string& tool) {
  if (state.unblocks < state.options.limits.iterations) return "";
  return tool + ": mission " + state.mission.value + " was blocked and unblocked " +
         std::to_string(state.unblocks) +
         " times without the user: tell the user what is open, and that /resume or a message of "
         "theirs "
         "lets it go on";
}

void check_named_task(const TaskId& named, const TaskId& right, const TaskId& name,
                      std::vector<std::string>& problems) {
  if (named.empty() || named == right || named == name) return;
  problems.push_back("task: this session holds \"" + name.value + "\", not \"" +
                     base::clip(named.value, 60) + "\"");
}

void take_submission(Context& ctx, Session& session, const RequestId& call, std::string answer) {
  close_session(ctx, session);
  ctx.accept(call, std::move(answer));
}

void refuse_call(Context& ctx, const RequestId& request, const SessionId& session,
                 const std::string& text) {
  ctx.refuse(request, text);
  if (Session* child = find_session(ctx.state, session)) {
    on_refused_call(ctx, *child, text);
  } else {
    ctx.state.metrics.refusals += 1;
  }
}

bool unblock(Context& ctx) {
  State& state = ctx.state;
  if (state.phase != Phase::blocked || state.resume_phase == Phase::planning) return false;
  refresh_ready(ctx);
  const bool review = all_settled(state) && state.resume_phase == Phase::executing;
  if (!review && !has_movable_task(state)) return false;
  enter(ctx, Cause::work_appeared, Phase::executing);
  return true;
}

bool is_unplanned(const State& state) {
  const bool waits = state.phase == Phase::blocked || state.phase == Phase::paused;
  const Phase phase = waits ? state.resume_phase : state.phase;
  return phase == Phase::planning || (phase == Phase::briefing && state.tasks.empty());
}

}  // namespace orchestrator::core
