#include "core/step.h"

#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "core/mission/commander.h"
#include "core/mission/mission_lifecycle.h"
#include "core/mission/mission_run.h"
#include "core/models/budget.h"
#include "core/models/limiter.h"
#include "core/prompts/prompt.h"
#include "core/schedule/deadlock.h"
#include "core/schedule/race.h"
#include "core/schedule/schedule.h"
#include "core/sessions/host_events.h"
#include "core/sessions/permission.h"
#include "core/sessions/recovery.h"
#include "core/sessions/session_lifecycle.h"
#include "core/sessions/waiters.h"
#include "core/state/checkouts.h"
#include "core/state/holders.h"
#include "core/state/path_claims.h"
#include "core/state/pending.h"
#include "core/state/sessions.h"
#include "core/tools/handlers.h"
#include "core/tools/todo_file.h"
#include "core/worktrees/external_changes.h"
#include "core/worktrees/merge_queue.h"
#include "core/worktrees/warm_pool.h"
#include "core/worktrees/worktrees.h"

namespace orchestrator {
namespace core {
namespace {

/// Host events of a child go to the pool; those of the root session to the Commander.
template <class Child, class Root>
void route(Context& ctx, const SessionId& id, Child&& child, Root&& root) {
  if (id == ctx.state.root_session && !id.empty()) {
    root();
  } else if (Session* session = find_session(ctx.state, id)) {
    child(*session);
  }
}

/// What an answer says of its model.
void judge_answer(Context& ctx, Session* session, const TurnEnded& event) {
  // Its error is told by itself, also that of a turn that is being aborted for this very answer.
  if (event.failed || (session != nullptr && session->turn.errored)) return;
  if (!event.empty) {
    on_good_answer(ctx, session);
  } else if (session != nullptr && event.stopped) {
    session->turn.fault = Fault::empty;
  }
}

/// Whether the end of an answer may say which model the session asks: it may come late, and be of a
/// turn before the newest prompt, which named another.
bool tells_model(const Session& session) {
  const bool in_turn = session.state == SessionState::working ||
                       session.state == SessionState::closing ||
                       session.state == SessionState::delegating;
  return in_turn && session.model_use.told.empty() && session.model_use.named.empty();
}

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

/// Those of a process that lives on: nothing that they watched is there any more.
void drop_timers(Context& ctx) {
  State& state = ctx.state;
  for (Session& session : state.sessions) ctx.cancel_timer(session.timer);
  ctx.cancel_timer(state.commander.timer);
  ctx.cancel_timer(state.recovery.timer);
  ctx.cancel_timer(state.clock.deadline_timer);
  ctx.cancel_timer(state.limiter.timer);
}

void watch_all(Context& ctx) {
  ctx.emit(WatchSession{ctx.state.root_session});
  for (const Session& session : ctx.state.sessions) {
    if (session.state != SessionState::ended) ctx.emit(WatchSession{session.id});
  }
}

/// One overload for each event: all that can happen, and who deals with it.
struct Dispatch {
  Context& ctx;

  void operator()(const MissionRequested& event) {
    const std::string why = why_not_start(ctx.state, event);
    if (why.empty()) {
      start_mission(ctx, event);
    } else {
      ctx.refuse(event.request, why);
    }
  }

  void operator()(const StopRequested& event) {
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

  void operator()(const ResumeRequested& event) {
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

  void operator()(const UserSpoke& event) {
    if (event.session == ctx.state.root_session) on_user_spoke(ctx, event);
  }

  /// What was going on in the host is over.
  void lose_turns(HostMode mode) {
    State& state = ctx.state;
    const bool owed = state.commander.owed;
    state.commander = fresh_commander(state.commander);
    state.commander.owed = owed;
    state.mode = mode;
    suspend_mission(ctx);
    if (is_active(state.phase)) watch_all(ctx);
  }

  void operator()(const ProcessStarted& event) {
    State& state = ctx.state;
    const Commander before = state.commander;
    lose_turns(event.mode);
    if (event.mode == HostMode::run || state.options.resume == ResumePolicy::manual) return;
    if (state.dormant) resume_mission(ctx);
    recall_commander(ctx, before.owed);
  }

  /// Nobody has stopped anything: what ran goes on, whatever `resume` says of new processes.
  void operator()(const HostReloaded& event) {
    State& state = ctx.state;
    const bool slept = state.dormant;
    // A call that waited was this turn's; the mission's end must find another way to the Commander.
    const bool owed = state.commander.owed;
    drop_timers(ctx);
    lose_turns(event.mode);
    if (state.dormant && !slept) resume_mission(ctx);
    if (!slept) recall_commander(ctx, owed);
  }

  void operator()(const RunCalled& event) { on_mission_run(ctx, event); }
  void operator()(const PlanSubmitted& event) {
    if (is_awaited(event)) on_submit_plan(ctx, event);
  }
  void operator()(const WorkSubmitted& event) {
    if (is_awaited(event)) on_submit_work(ctx, event);
  }
  void operator()(const ReviewSubmitted& event) {
    if (is_awaited(event)) on_submit_review(ctx, event);
  }
  void operator()(const TodoUpdated& event) { on_update_todo(ctx, event); }
  void operator()(const CallAborted& event) {
    const Pending pending = owner_of_call(ctx.state, event.request);
    if (pending.owner == Owner::waiter) on_wait_aborted(ctx, pending.index);
    if (pending.owner == Owner::commander) on_call_aborted(ctx);
  }
  void operator()(const CommandRan& event) { on_command_ran(ctx, event); }
  void operator()(const FileWritten& event) { on_file_written(ctx, event); }

  // ---- what comes of an effect goes to its owner

  void operator()(const SessionCreated& event) {
    const Pending pending = owner_of_effect(ctx.state, event.effect);
    if (pending.owner == Owner::session) on_created(ctx, session(pending), event);
  }

  void operator()(const PromptAccepted& event) {
    const Pending pending = owner_of_effect(ctx.state, event.effect);
    if (pending.owner == Owner::session) on_accepted(ctx, session(pending));
    if (pending.owner == Owner::commander) ctx.state.commander.effect = 0;
  }

  void operator()(const SessionInspected& event) {
    const Pending pending = owner_of_effect(ctx.state, event.effect);
    if (pending.owner == Owner::session) on_inspected(ctx, session(pending), event);
    if (pending.owner == Owner::commander) on_commander_inspected(ctx, event);
  }

  void operator()(const SessionsFound& event) {
    if (owner_of_effect(ctx.state, event.effect).owner == Owner::recovery)
      on_sessions_found(ctx, event);
  }

  void operator()(const DirectoryDisposed& event) {
    const Pending pending = owner_of_effect(ctx.state, event.effect);
    if (pending.owner == Owner::worktree) on_directory_disposed(ctx, worktree(pending));
  }

  void operator()(const DirectoryOpened& event) {
    const Pending pending = owner_of_effect(ctx.state, event.effect);
    if (pending.owner == Owner::worktree) on_directory_opened(ctx, worktree(pending), event.opened);
  }

  void operator()(const WorktreesAnswered& event) {
    if (event.effect == 0) return;
    ctx.moved = true;  // also where the answer is late: git is free again
    const Pending pending = owner_of_effect(ctx.state, event.effect);
    if (pending.owner == Owner::worktrees) {
      prepares_race(ctx.state) ? on_race_prepared(ctx, event) : on_snapshot_answered(ctx, event);
    } else if (pending.owner == Owner::merge) {
      on_merge_answered(ctx, event);
    } else if (pending.owner == Owner::worktree) {
      on_tree_answered(ctx, worktree(pending), event);
    }
  }

  void operator()(const EffectFailed& event) {
    const Pending pending = owner_of_effect(ctx.state, event.effect);
    switch (pending.owner) {
      case Owner::session:
        return on_effect_failed(ctx, session(pending), event);
      case Owner::recovery:
        return on_recovery_failed(ctx);
      case Owner::worktree:
        on_directory_disposed(ctx, worktree(pending));
        return on_directory_opened(ctx, worktree(pending), false);
      case Owner::commander:
        return on_commander_prompt_failed(ctx);
      case Owner::none:
      case Owner::deadline:
      case Owner::limiter:
      case Owner::merge:
      case Owner::permission:
      case Owner::stop:
      case Owner::waiter:
      case Owner::worktrees:
        return;  // no effect of the host
    }
  }

  void operator()(const TimerFired& event) {
    const Pending pending = owner_of_timer(ctx.state, event.timer);
    switch (pending.owner) {
      case Owner::session:
        return on_session_timer(ctx, session(pending));
      case Owner::commander:
        return on_commander_timer(ctx);
      case Owner::recovery:
        return on_recovery_timer(ctx);
      case Owner::permission:
        return on_permission_timer(ctx, pending.index);
      case Owner::stop:
        return on_stop_timer(ctx);
      case Owner::limiter:
        return on_limiter_timer(ctx);
      case Owner::worktrees:
        return on_tree_timer(ctx);
      case Owner::deadline:
        return on_deadline(ctx);
      case Owner::none:
      case Owner::merge:
      case Owner::waiter:
      case Owner::worktree:
        return;  // no timer
    }
  }

  void operator()(const TurnEnding& event) { on_turn_ending(ctx, event); }

  void operator()(const TurnStarted& event) {
    route(
        ctx, event.session,
        [&](Session& session) {
          note_model(ctx, &session, event.model);
          on_turn_started(ctx, session);
        },
        [&] {
          note_model(ctx, nullptr, event.model);
          on_commander_turn_started(ctx);
        });
  }

  void operator()(const TurnEnded& event) {
    if (event.session.empty()) return;
    const bool root = event.session == ctx.state.root_session;
    Session* session = root ? nullptr : find_session(ctx.state, event.session);
    if (!root && session == nullptr) return;
    if (!is_active(ctx.state.phase)) {  // its answers are paid for all the same
      if (!root && session->state == SessionState::closing) settle(ctx, session, event);
      return;
    }
    if (root || tells_model(*session)) note_model(ctx, session, event.model);
    judge_answer(ctx, session, event);
    settle(ctx, session, event);
    if (root) on_commander_turn_ended(ctx, event);
  }

  void operator()(const SessionIdled& event) {
    route(
        ctx, event.session, [&](Session& session) { on_idled(ctx, session); },
        [&] { on_commander_idled(ctx); });
  }

  void operator()(const SessionErrored& event) {
    route(
        ctx, event.session, [&](Session& session) { on_errored(ctx, session, event); },
        [&] { on_commander_errored(ctx, event); });
  }

  void operator()(const SessionRetried& event) {
    const bool known = role_of_session(ctx.state, event.session) != Role::none;
    if (!known || !is_active(ctx.state.phase)) return;
    on_retried(ctx, event);
    if (event.session == ctx.state.root_session) on_commander_retried(ctx, event.delay_ms);
  }

  void operator()(const ToolFailed& event) {
    if (Session* session = find_session(ctx.state, event.session))
      on_tool_failed(ctx, *session, event);
  }
  void operator()(const RequestAsked& event) { on_request_asked(ctx, event); }
  void operator()(const LoadChanged& event) { on_load_changed(ctx, event); }
  void operator()(const FilesChanged& event) { on_files_changed(ctx, event); }
  void operator()(const WriteRefused& event) { on_write_refused(ctx, event); }
  void operator()(const DelegateCalled& event) { on_delegate_task(ctx, event); }
  void operator()(const ResultAsked& event) { on_get_task_result(ctx, event); }
  void operator()(const CancelCalled& event) { on_cancel_task(ctx, event); }

  void operator()(const SessionCompacted& event) {
    if (Session* session = find_session(ctx.state, event.session)) session->lease.compacted = true;
  }

  void operator()(const SessionDeleted& event) {
    route(
        ctx, event.session, [&](Session& session) { on_deleted(ctx, session); },
        [&] { on_root_deleted(ctx); });
  }

  /// An event that concerns one subject alone: the subject's header declares `on(Context&, …)`.
  template <class Other>
  void operator()(const Other& event) {
    on(ctx, event);
  }

  void operator()(const TodoEdited& event) { on_todo_edited(ctx, event); }
  void operator()(const StorageFailed& event) {
    if (is_running(ctx.state.phase)) {
      ctx.conclude(Phase::paused,
                   "its state could not be written: " + base::clip(event.reason, 300));
    }
  }

 private:
  /// A submission that was found in the host must answer what its session was last asked for; an
  /// older one was taken or refused long ago.
  template <class Submission>
  [[nodiscard]] bool is_awaited(const Submission& event) const {
    return !event.harvested || belongs_to_present_card(ctx.state, event.session, event.prompt);
  }
  [[nodiscard]] Session& session(Pending pending) const {
    return ctx.state.sessions[pending.index];
  }
  [[nodiscard]] Worktree& worktree(Pending pending) const {
    return ctx.state.worktrees.trees[pending.index];
  }
};

/// Nobody is prompted in the very step that pauses the mission.
bool prompts_commander(const Context& ctx) {
  return std::ranges::any_of(ctx.effects, [&](const Effect& effect) {
    const auto* prompt = std::get_if<PromptSession>(&effect);
    return prompt != nullptr && prompt->session == ctx.state.root_session;
  });
}

Effects run_step(Context ctx, const Event& event) {
  State& state = ctx.state;
  std::visit(Dispatch{ctx}, event.what);
  carry_out_conclusion(ctx);
  const bool dispatches = is_running(state.phase) && !state.dormant && !is_recovering(state);
  end_cooldowns(ctx);
  if (ctx.moved) let_requests_out(ctx);
  if (dispatches && ctx.moved) schedule(ctx);
  carry_out_conclusion(ctx);
  drop_worktrees(ctx);
  const bool prompts = prompts_commander(ctx);
  if (dispatches && is_running(state.phase) && !prompts) check_budget(ctx);
  carry_out_conclusion(ctx);
  if (is_running(state.phase) && !state.dormant) {
    watch_models(ctx, prompts && is_capped(state));
  } else {
    ctx.cancel_timer(state.limiter.timer);
  }
  state.last_seq = event.seq;
  state.updated_at = event.at_ms;
  return std::move(ctx.effects);
}

}  // namespace

Effects step_traced(State& state, const Event& event, Trace& trace) {
  return run_step(Context{state, event.at_ms, {}, &trace}, event);
}

}  // namespace core

Effects step(State& state, const Event& event) {
  return core::run_step(core::Context{state, event.at_ms, {}, nullptr}, event);
}

std::vector<std::string> vouched_files(const State& state, const SessionId& session) {
  const Session* reviewer = find_session(state, session);
  if (reviewer == nullptr) return {};
  std::vector<std::string> files;
  for (const Task& task : state.tasks) {
    const bool whole = reviewer->role == Role::master_reviewer;
    if (!whole && task.id != reviewer->task) continue;
    // What a dropped task has written is there all the same.
    if (!whole || task.status != TaskStatus::dropped)
      files.insert(files.end(), task.files.begin(), task.files.end());
    files.insert(files.end(), task.progress.touched.begin(), task.progress.touched.end());
  }
  std::ranges::sort(files);
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

std::string directory_of(const State& state, const SessionId& session) {
  const Session* child = find_session(state, session);
  return child == nullptr ? "" : core::directory_of(state, child->task);
}

Role role_of(const State& state, const SessionId& session) {
  return core::role_of_session(state, session);
}

std::string system_card(const State& state, const SessionId& session) {
  const Session* child = find_session(state, session);
  if (child == nullptr || !child->lease.compacted) return "";
  const Task* task = find_task(state, child->task);
  switch (child->role) {
    case Role::planner:
      return core::planner_prompt(state);
    case Role::worker:
      return task == nullptr ? "" : core::worker_prompt(state, *task);
    case Role::reviewer:
      return task == nullptr ? "" : core::reviewer_prompt(state, *task);
    case Role::master_reviewer:
      return core::master_prompt(state);
    case Role::commander:
    case Role::none:
      return "";
  }
  return "";
}

namespace {

/// What a person reads at the end of a turn that its submission has ended.
std::string handed_in_text(const Session& child) {
  const std::string head = "Submitted. ";
  switch (child.role) {
    case Role::planner:
      return head + "The plan is taken, and this session is done.";
    case Role::worker:
      return head + "This session waits for its review.";
    case Role::reviewer:
      return child.lease.early_review ? head + "This session waits for the whole work."
                                      : head + "The review is taken, and this session is done.";
    case Role::master_reviewer:
      return head + "The review of the whole is taken, and this session is done.";
    case Role::commander:
    case Role::none:
      break;
  }
  return head + "This session is done.";
}

}  // namespace

std::string why_not_ask(const State& state, const Session& child) {
  const bool stopped = state.phase == Phase::paused || state.phase == Phase::cancelled ||
                       state.phase == Phase::failed;
  // Of a mission that does not run any more a person may ask it again, as soon as its turn is over.
  const bool handed_in =
      child.lease.submitted && (is_running(state.phase) || child.state == SessionState::closing);
  if (handed_in && !stopped) return handed_in_text(child);
  if (!stopped && !child.turn.aborting) return "";
  return "Mission " + state.mission.value + " is " +
         (stopped ? std::string(to_name(state.phase)) : "done with this session") +
         ": its model is asked for nothing more.";
}

std::string why_not_write(const State& state, const SessionId& session, const std::string& path,
                          bool was_child) {
  const bool ours = is_active(state.phase) && (session == state.root_session || was_child ||
                                               find_session(state, session) != nullptr);
  if (ours && core::is_reserved_path(base::project_path(path))) {
    return "Write refused: " + base::clip(path, 200) +
           " is kept by the mission's engine or by git. Only the Commander and the user "
           "change the plan; leave these files alone.";
  }
  const Session* child = find_session(state, session);
  std::string over = "Write refused: this session's part in mission " + state.mission.value +
                     " is over; end your turn.";
  if (child != nullptr && child->turn.aborting) return over;  // also of a mission that was stopped
  if (!is_active(state.phase)) return "";
  if (child == nullptr) return was_child && session != state.root_session ? over : "";
  const std::string clean = base::project_path(path);
  if (clean.empty()) {
    return "Write refused: " + base::clip(path, 200) +
           " is outside the project; write inside its directory.";
  }
  if (child->state == SessionState::ended) return over;
  if (child->role == Role::worker && child->lease.submitted) {
    return "Write refused: " + child->task.value +
           " is handed in and being judged as it is. End your turn; if something is found, it "
           "comes back to you.";
  }
  // In a worktree of its own nobody else's claim counts: what collides is brought together later.
  if (!core::directory_of(state, child->task).empty()) return "";
  Task nobodys;
  const Task* own = find_task(state, child->task);
  const Task* holder = core::holder_of(state, own == nullptr ? nobodys : *own, clean);
  if (holder == nullptr) return "";
  return "Write refused: " + clean + " belongs to task " + holder->id.value + " (" +
         base::clip(holder->title, 80) + "), which is " + std::string(to_name(holder->status)) +
         " now. Leave it; say in your submission what it should change, or do your part without "
         "it.";
}

}  // namespace orchestrator
