#include "core/submission.h"

#include <utility>

#include "core/commander.h"
#include "core/mission.h"
#include "core/session_pool.h"

namespace orchestrator::core {

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
  return tool + ": mission " + state.mission.value + " was blocked and set going " +
         std::to_string(state.unblocks) +
         " times without a person: tell the user what is open, and that /resume or a word of "
         "theirs "
         "lets it go on";
}

void check_named_task(const TaskId& named, const TaskId& right, const TaskId& name,
                      std::vector<std::string>& problems) {
  if (named.empty() || named == right || named == name) return;
  problems.push_back("task: this session holds \"" + name.value + "\", not \"" +
                     clip(named.value, 60) + "\"");
}

std::string listed(std::string head, const std::vector<std::string>& problems) {
  for (const std::string& problem : problems) head += "\n- " + problem;
  return head;
}

void append(std::vector<std::string>& problems, std::vector<std::string> more) {
  for (std::string& problem : more) problems.push_back(std::move(problem));
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

}  // namespace orchestrator::core
