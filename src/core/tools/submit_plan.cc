#include <algorithm>

#include "base/text.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/phases.h"
#include "core/state/plan_rules.h"
#include "core/state/tasks.h"
#include "core/tools/common.h"
#include "core/tools/handlers.h"
#include "core/worktrees/worktrees.h"

namespace orchestrator::core {
namespace {

std::string why_no_plan_now(const State& state) {
  if (state.phase == Phase::executing || state.phase == Phase::integrating) {
    return "submit_plan: mission " + state.mission.value + " is " +
           std::string(to_name(state.phase)) +
           "; change single tasks with update_todo (status or add)";
  }
  if (state.phase == Phase::paused) {
    return "submit_plan: mission " + state.mission.value +
           " is paused; the user continues it with /resume";
  }
  return state.phase == Phase::blocked ? why_not_unblock(state, "submit_plan") : "";
}

std::vector<Task> tasks_that_stay(const State& state) {
  std::vector<Task> kept;
  for (const Task& task : state.tasks) {
    if (is_settled(task.status)) kept.push_back(task);
  }
  return kept;
}

void adopt_plan(Context& ctx, const PlanArgs& plan, std::vector<Task> kept) {
  State& state = ctx.state;
  for (Task& task : state.tasks) {
    if (!is_settled(task.status)) end_task_sessions(ctx, task.id);
  }
  leave_worktrees(state);
  ctx.moved = ctx.graph_moved = true;
  state.tasks = std::move(kept);
  state.master_review.convergence_from =
      static_cast<std::uint32_t>(state.master_review.findings_by_iteration.size());
  for (const TaskSpec& spec : plan.tasks) state.tasks.push_back(make_task(state, spec));
  state.plan.summary = plan.summary;
  state.plan.decisions = plan.decisions;
  state.plan.verify_reason = plan.verify_reason;
  // The commands of an earlier plan are dropped: they may be the reason for the new plan.
  state.plan.verify = state.plan.verify_asked;
  for (const std::string& command : plan.verify) add_command(state.plan.verify, command);
}

/// Why this session may not submit a plan now; empty: it may.
std::string why_no_plan(const State& state, const SessionId& session) {
  if (!is_active(state.phase) || session != state.root_session) {
    std::string wrong = wrong_caller(state, session, Role::planner, "submit_plan");
    if (!wrong.empty()) return wrong;
  }
  const Session* planner = find_session(state, session);
  if (planner != nullptr && (planner->lease.submitted || planner->state == SessionState::ended)) {
    return "submit_plan: the mission waits for no plan of this session any more: end your turn";
  }
  return why_no_plan_now(state);
}

std::vector<std::string> plan_problems(const State& state, const PlanSubmitted& event,
                                       const std::vector<Task>& kept) {
  std::vector<std::string> problems = event.problems;
  if (event.args.tasks.empty() && problems.empty()) {
    problems.emplace_back("tasks: at least one is needed");
  }
  const bool verified = std::ranges::any_of(event.args.verify, [](const std::string& command) {
    return !base::trimmed(command).empty();
  });
  if (!verified && base::trimmed(event.args.verify_reason).empty()) {
    problems.emplace_back(
        "verify: empty; name the commands that prove the whole mission, or say in verify_reason "
        "why "
        "there are none");
  }
  base::append(problems, task_problems(state, kept, event.args.tasks, "tasks"));
  return problems;
}

/// The plan is accepted: its author may end its turn, other planning sessions are ended.
void close_planning(Context& ctx, const SessionId& author) {
  for (Session& session : ctx.state.sessions) {
    if (session.role != Role::planner) continue;
    if (session.id == author) {
      close_session(ctx, session);
    } else {
      end_session(ctx, session);
    }
  }
}

}  // namespace

void on_submit_plan(Context& ctx, const PlanSubmitted& event) {
  State& state = ctx.state;
  const std::string why = why_no_plan(state, event.session);
  if (!why.empty()) return refuse_call(ctx, event.request, event.session, why);
  std::vector<Task> kept = tasks_that_stay(state);
  const std::vector<std::string> problems = plan_problems(state, event, kept);
  if (!problems.empty()) {
    return refuse_call(
        ctx, event.request, event.session,
        base::listed("submit_plan: the plan was not accepted. Fix all of these and call it again:",
                     problems));
  }
  adopt_plan(ctx, event.args, std::move(kept));
  close_planning(ctx, event.session);
  if (state.phase == Phase::planning) enter(ctx, Cause::plan_accepted, Phase::executing);
  if (state.phase == Phase::blocked) {
    state.unblocks += 1;
    enter(ctx, Cause::work_appeared, Phase::executing);
  }
  const bool by_commander = event.session == state.root_session;
  if (by_commander) state.commander.continuations = 0;
  ctx.accept(event.request, "Plan taken: " + std::to_string(event.args.tasks.size()) + " tasks." +
                                (by_commander ? " Call mission_run to execute it."
                                              : " Your part is done: end your turn."));
}

}  // namespace orchestrator::core
