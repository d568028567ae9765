#include "core/step.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/mission/commander.h"
#include "core/mission/mission_lifecycle.h"
#include "core/mission/mission_run.h"
#include "core/mission/process_start.h"
#include "core/mission/user_commands.h"
#include "core/models/budget.h"
#include "core/models/limiter.h"
#include "core/schedule/deadlock.h"
#include "core/schedule/race.h"
#include "core/schedule/schedule.h"
#include "core/sessions/host_events.h"
#include "core/sessions/permission.h"
#include "core/sessions/recovery.h"
#include "core/sessions/session_lifecycle.h"
#include "core/sessions/waiters.h"
#include "core/state/pending.h"
#include "core/state/sessions.h"
#include "core/tools/handlers.h"
#include "core/tools/todo_file.h"
#include "core/worktrees/external_changes.h"
#include "core/worktrees/merge_queue.h"
#include "core/worktrees/warm_pool.h"
#include "core/worktrees/worktrees.h"
#include "orchestrator/step.h"

namespace orchestrator {
namespace core {
namespace {

/// Calls `child` for an event of a child session, `root` for one of the Commander's session.
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
  // An error has its own event, also that of a turn that is being aborted for this very answer.
  if (event.failed || (session != nullptr && session->turn.premature_idle_due)) return;
  if (!event.empty) {
    on_good_answer(ctx, session);
  } else if (session != nullptr && event.stopped) {
    session->turn.error_class = ErrorClass::empty;
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

/// Hands each event to the part of the mission that deals with it. An overload stands here for an
/// event that must be routed; every other event goes to the `on(Context&, …)` that its subject's
/// header declares.
struct Dispatch {
  Context& ctx;

  void operator()(const PlanSubmitted& event) {
    if (is_awaited(event)) on_submit_plan(ctx, event);
  }
  void operator()(const WorkSubmitted& event) {
    if (is_awaited(event)) on_submit_work(ctx, event);
  }
  void operator()(const ReviewSubmitted& event) {
    if (is_awaited(event)) on_submit_review(ctx, event);
  }
  void operator()(const CallAborted& event) {
    const Pending pending = owner_of_call(ctx.state, event.request);
    if (pending.owner == Owner::waiter) on_wait_aborted(ctx, pending.index);
    if (pending.owner == Owner::commander) on_call_aborted(ctx);
  }

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
      if (!root && session->state == SessionState::closing) charge_answer(ctx, session, event);
      return;
    }
    if (root || tells_model(*session)) note_model(ctx, session, event.model);
    judge_answer(ctx, session, event);
    charge_answer(ctx, session, event);
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

  void operator()(const SessionCompacted& event) {
    if (Session* session = find_session(ctx.state, event.session)) session->lease.compacted = true;
  }

  void operator()(const SessionDeleted& event) {
    route(
        ctx, event.session, [&](Session& session) { on_deleted(ctx, session); },
        [&] { on_root_deleted(ctx); });
  }

  template <class Other>
  void operator()(const Other& event) {
    on(ctx, event);
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

/// Whether this step prompts the Commander. Such a step does not also pause the mission for its
/// budget.
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

Effects step_with_moves(State& state, const Event& event, MovesMade& moves) {
  return run_step(Context{state, event.at_ms, {}, &moves}, event);
}

}  // namespace core

Effects step(State& state, const Event& event) {
  return core::run_step(core::Context{state, event.at_ms, {}, nullptr}, event);
}

}  // namespace orchestrator
