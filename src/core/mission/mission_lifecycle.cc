#include "core/mission/mission_lifecycle.h"

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"
#include "core/mission/commander.h"
#include "core/mission/mission_flags.h"
#include "core/models/budget.h"
#include "core/models/limiter.h"
#include "core/sessions/recovery.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/phases.h"
#include "core/state/tasks.h"
#include "core/worktrees/warm_pool.h"
#include "core/worktrees/worktrees.h"
#include "orchestrator/step.h"

namespace orchestrator {

std::string why_not_start(const State& state, const MissionRequested& request) {
  if (is_active(state.phase)) {
    return "Mission " + state.mission.value + " (\"" + base::first_line(state.objective, 80) +
           "\") is " + std::string(to_name(state.phase)) + " in session " +
           state.root_session.value + (state.dormant ? ", and its process has ended" : "") +
           "; a directory holds one mission at a time. " +
           (state.dormant ? "Continue it with /resume, or end it with /stop; then start this one."
                          : "Wait for it, stop it with /stop, or continue it with /resume; then "
                            "start this one.");
  }
  const core::MissionFlags command = core::parse_mission_flags(request.arguments, request.mode);
  std::vector<std::string> problems = command.problems;
  if (request.session.empty())
    problems.emplace_back("the session that it is to belong to is not named");
  if (problems.empty()) return "";
  std::string text = "The mission was not started:";
  for (const std::string& problem : problems) text += "\n- " + problem;
  return text;
}

namespace core {

namespace {

constexpr std::uint32_t kExtremeDepth = 3;

void start_clock(Context& ctx, TimeMs time_ms) {
  if (time_ms <= 0) return;
  ctx.state.budget.deadline_ms = ctx.now_ms + time_ms;
  ctx.state.clock.deadline_timer = ctx.start_timer(time_ms);
}

void stop_clock(Context& ctx) {
  Budget& budget = ctx.state.budget;
  if (budget.deadline_ms > 0) {
    budget.time_left_ms = std::max<TimeMs>(budget.deadline_ms - ctx.now_ms, 0);
  }
  budget.deadline_ms = 0;
  ctx.cancel_timer(ctx.state.clock.deadline_timer);
}

/// Options of `/extreme-mission`: raises those that the user left at their defaults.
void make_extreme(Options& options) {
  const Options defaults;
  if (options.parallel.max == defaults.parallel.max) options.parallel.max = kParallelMax;
  if (options.parallel.initial == defaults.parallel.initial) options.parallel.initial = 10;
  if (options.limits.depth == defaults.limits.depth) options.limits.depth = kExtremeDepth;
  if (options.review.shadow == defaults.review.shadow) options.review.shadow = ShadowReview::file;
}

void set_limits(State& state, const MissionFlags& command) {
  const Options& options = state.options;
  state.parallel_max = std::max(1U, command.parallel.value_or(options.parallel.max));
  state.parallel =
      std::clamp(command.parallel.value_or(options.parallel.initial), 1U, state.parallel_max);
  state.budget.tokens_max = command.budget_tokens.value_or(options.budget.tokens);
  state.budget.usd_max = command.budget_usd.value_or(options.budget.usd);
  const double minutes = options.budget.minutes > 0 ? std::min(options.budget.minutes, 1e7) : 0;
  state.budget.time_max_ms = command.time_ms.value_or(static_cast<TimeMs>(minutes * 60e3));
}

}  // namespace

void start_mission(Context& ctx, const MissionRequested& event) {
  const MissionFlags command = parse_mission_flags(event.arguments, event.mode);
  State& state = ctx.state;
  state = State{};
  state.mission = event.mission;
  state.phase = Phase::briefing;
  state.objective = command.objective;
  state.root_session = event.session;
  state.started_at = ctx.now_ms;
  state.mode = event.mode;
  state.plan.agents = event.agents;
  state.seed = event.seed;
  state.options = event.options;
  state.extreme = event.extreme;
  if (event.extreme) make_extreme(state.options);
  // Ids start above those of every earlier mission, so that late events of theirs match nothing
  // here.
  state.clock.next_effect = state.clock.next_timer =
      static_cast<std::uint64_t>(ctx.now_ms) * 1000 + 1;
  set_limits(state, command);
  state.plan.verify = state.plan.verify_asked = event.options.verify;
  // `opencode run` ends with the Commander's turn, so a mission cannot run in the background.
  state.commander.background = command.background && event.mode != HostMode::run;
  ctx.emit(WatchSession{event.session});
  start_clock(ctx, state.budget.time_max_ms);
  if (command.isolation.value_or(state.options.isolation) == Isolation::worktree)
    begin_worktrees(ctx);
  drive_warm_pool(ctx);
  commander_takes_over(ctx);
  ctx.accept(event.request, state.objective);
}

namespace {

/// How long the host may take to confirm the aborts of a stop or a pause.
constexpr TimeMs kAbortMs = 2'000;

void await_aborts(Context& ctx) {
  ctx.cancel_timer(ctx.state.clock.stop_timer);
  if (std::ranges::any_of(ctx.state.sessions,
                          [](const Session& session) { return session.turn.aborting; }))
    ctx.state.clock.stop_timer = ctx.start_timer(kAbortMs);
}

}  // namespace

namespace {

/// Aborts sessions whose turns may still run after a crash: the host has not been asked yet.
void abort_unknown_turns(Context& ctx) {
  if (!ctx.state.recovery.needed && !is_recovering(ctx.state)) return;
  for (Session& session : ctx.state.sessions) {
    if (session.state == SessionState::idle && !session.id.empty()) abort_turn(ctx, session);
  }
}

}  // namespace

namespace {

void block_mission(Context& ctx, const std::string& reason) {
  enter(ctx, Cause::measure_spent, Phase::blocked, reason);
  for (Session& session : ctx.state.sessions) interrupt_session(ctx, session);
  await_aborts(ctx);
  ctx.emit(ShowToast{"warning", "Mission blocked: " + base::clip(base::one_line(reason), 300)});
  tell_commander(ctx);
}

void seal_mission(Context& ctx) {
  ORCH_ASSERT(all_settled(ctx.state));
  enter(ctx, Cause::review_passed, Phase::sealed);
  ctx.state.master_review.proved_by = ctx.state.plan.verify;
  ctx.state.receipts.clear();
  stop_clock(ctx);
  ctx.emit(ShowToast{"success", "Mission sealed: " + base::first_line(ctx.state.objective, 120)});
  tell_commander(ctx);
}

void cancel_mission(Context& ctx, const std::string& reason) {
  enter(ctx, Cause::stopped, Phase::cancelled, reason);
  abort_unknown_turns(ctx);
  abandon_recovery(ctx);
  for (Session& session : ctx.state.sessions) end_session(ctx, session);
  await_aborts(ctx);
  stop_clock(ctx);
  dismiss_commander(ctx);
}

void pause_mission(Context& ctx, const std::string& reason) {
  enter(ctx, Cause::paused, Phase::paused, reason);
  for (Session& session : ctx.state.sessions) interrupt_session(ctx, session);
  await_aborts(ctx);
  stop_clock(ctx);
  ctx.emit(ShowToast{
      "warning", "Mission paused: " + base::first_line(reason, 160) + ". /resume continues it."});
  dismiss_commander(ctx);
}

}  // namespace

void carry_out_conclusion(Context& ctx) {
  if (!ctx.conclusion) return;
  const Conclusion conclusion = std::move(*ctx.conclusion);
  ctx.conclusion.reset();
  switch (conclusion.phase) {
    case Phase::sealed:
      return seal_mission(ctx);
    case Phase::blocked:
      return block_mission(ctx, conclusion.reason);
    case Phase::paused:
      return pause_mission(ctx, conclusion.reason);
    case Phase::cancelled:
      return cancel_mission(ctx, conclusion.reason);
    case Phase::none:
    case Phase::briefing:
    case Phase::planning:
    case Phase::executing:
    case Phase::integrating:
    case Phase::failed:
      break;
  }
  ORCH_ASSERT(false);
}

void on_deadline(Context& ctx) {
  ctx.state.clock.deadline_timer = 0;
  if (is_running(ctx.state.phase)) ctx.conclude(Phase::paused, "the time budget is spent");
}

void on_stop_timer(Context& ctx) {
  State& state = ctx.state;
  state.clock.stop_timer = 0;
  std::string names;
  for (Session& session : state.sessions) {
    if (!session.turn.aborting) continue;
    session.turn.aborting = false;
    ctx.emit(AbortSession{session.id});
    const std::string role(to_name(session.role));
    names += (names.empty() ? "" : ", ") + session.id.value + " (" + role +
             (session.task.empty() ? "" : " of " + session.task.value) + ")";
  }
  if (!names.empty()) {
    ctx.emit(ShowToast{"error", "Not confirmed within 2 s that these sessions have stopped: " +
                                    base::clip(names, 600) +
                                    ". The abort was sent again; check these sessions."});
  }
}

namespace {

/// A person resumes the mission: resets the counters of its limits.
void restore_measures(Context& ctx) {
  State& state = ctx.state;
  state.plan.attempts = state.plan.sessions_lost = 0;
  state.master_review.attempts = state.master_review.sessions_lost = 0;
  state.master_review.convergence_from =
      static_cast<std::uint32_t>(state.master_review.findings_by_iteration.size());
  if (state.resume_phase == Phase::integrating &&
      state.iteration >= state.options.limits.iterations) {
    state.options.limits.iterations = state.iteration + 1;
  }
  for (Task& task : state.tasks) {
    task.progress.preemptions = 0;
    if (task.status != TaskStatus::blocked) continue;
    task.attempt = 0;
    task.progress.retries = 0;
    task.review.attempts = 0;
    task.progress.sessions_lost = 0;
    move_task(ctx, task, TaskStatus::pending);
  }
}

/// Grants a spent budget once more; one that is not spent continues.
void restore_budget(Context& ctx) {
  Budget& budget = ctx.state.budget;
  grant_budget(ctx.state);
  if (ctx.state.clock.deadline_timer != 0) return;
  start_clock(ctx, budget.time_left_ms > 0 ? budget.time_left_ms : budget.time_max_ms);
}

}  // namespace

void suspend_mission(Context& ctx) {
  State& state = ctx.state;
  forget_turns(ctx);
  forget_tree_calls(state);
  state.recovery = Recovery{};
  state.recovery.needed = true;
  state.clock.deadline_timer = 0;
  state.clock.stop_timer = 0;
  if (state.budget.deadline_ms > 0) {
    state.budget.time_left_ms = std::max<TimeMs>(state.budget.deadline_ms - state.updated_at, 0);
    state.budget.deadline_ms = 0;
  }
  state.dormant = is_running(state.phase);
}

void on(Context& ctx, const StorageFailed& event) {
  if (is_running(ctx.state.phase)) {
    ctx.conclude(Phase::paused, "its state could not be written: " + base::clip(event.reason, 300));
  }
}

void resume_mission(Context& ctx) {
  State& state = ctx.state;
  state.dormant = false;
  ctx.moved = ctx.graph_moved = true;
  state.unblocks = 0;
  forget_cooldowns(state);
  if (state.phase == Phase::blocked || state.phase == Phase::paused) {
    restore_measures(ctx);
    enter(ctx, Cause::resumed, state.resume_phase);
  }
  restore_budget(ctx);
  begin_recovery(ctx);
}

}  // namespace core
}  // namespace orchestrator
