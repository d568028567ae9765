#include "core/session_pool.h"

#include <algorithm>

#include "core/mission.h"
#include "core/prompt.h"
#include "core/task_graph.h"

namespace orchestrator::core {
namespace {

/// An answer begins well within this time, even on a busy machine; else the host is asked.
constexpr TimeMs kAnswerStartMs = 15'000;
/// The real idle follows a premature one within half a second (host contract A.1).
constexpr TimeMs kSecondIdleMs = 5'000;
/// A tool result that refuses is read and answered; so many in a row are a loop.
constexpr std::uint32_t kRefusalsMax = 8;
constexpr TimeMs kBackoffFirstMs = 500;
constexpr TimeMs kBackoffMaxMs = 60'000;

TimeMs stall_ms(const State& state) {
  return static_cast<TimeMs>(state.options.timeouts.stall_s) * 1000;
}

bool is_busy(const Session& session) {
  return session.state == SessionState::prompting || session.state == SessionState::waiting ||
         session.state == SessionState::working || session.state == SessionState::closing;
}

void arm(Context& ctx, Session& session, TimeMs delay_ms) {
  ctx.cancel_timer(session.timer);
  session.timer = ctx.start_timer(delay_ms);
}

void inspect(Context& ctx, Session& session) {
  session.effect = ctx.new_effect();
  ctx.emit(InspectSession{session.effect, session.id});
  arm(ctx, session, kAnswerStartMs);
}

Session* find_by_effect(State& state, EffectId effect) {
  if (effect == 0) return nullptr;
  const auto it = std::ranges::find(state.sessions, effect, &Session::effect);
  return it == state.sessions.end() ? nullptr : &*it;
}

std::string model_for(const State& state, Role role) {
  const auto it = state.options.models.find(std::string(to_name(role)));
  return it == state.options.models.end() ? "" : it->second;
}

void send_prompt(Context& ctx, Session& session) {
  session.state = SessionState::prompting;
  session.submitted = false;
  session.errored = false;
  session.failed = false;
  session.effect = ctx.new_effect();
  session.seen_ms = ctx.now_ms;
  ctx.state.metrics.prompts += 1;
  ctx.emit(PromptSession{session.effect, session.id, session.agent,
                         model_for(ctx.state, session.role), session.prompt, false});
  arm(ctx, session, kAnswerStartMs);
}

void block_task(Context& ctx, Task& task, const std::string& why) {
  task.note = why;
  move_task(ctx, task, TaskStatus::blocked);
}

/// This session will not bring it: the next one may, if the measure allows one more.
void give_up_attempt(Context& ctx, Session& session, const std::string& why) {
  const Role role = session.role;
  Task* task = find_task(ctx.state, session.task);
  const std::uint32_t attempts = ctx.state.options.limits.attempts;
  end_session(ctx, session);
  if (role == Role::worker && task != nullptr && is_in_work(task->status)) {
    task->note = why;
    if (task->attempt < attempts) {
      move_task(ctx, *task, TaskStatus::ready);
    } else {
      block_task(ctx, *task, why + " (attempt " + std::to_string(task->attempt) + " of " +
                                 std::to_string(attempts) + ")");
    }
  } else if (role == Role::reviewer && task != nullptr && task->status == TaskStatus::reviewing) {
    if (task->review_attempts < attempts) {
      move_task(ctx, *task, TaskStatus::submitted);
    } else {
      block_task(ctx, *task, "no Reviewer gave a verdict: " + why);
    }
  }
}

/// A turn is over and what was asked for has not come.
void continue_or_give_up(Context& ctx, Session& session, const std::string& why, bool failed) {
  session.continuations += 1;
  if (session.continuations > ctx.state.options.limits.continuations) {
    give_up_attempt(ctx, session, why);
    return;
  }
  ctx.state.metrics.continuations += 1;
  session.prompt = continuation_prompt(ctx.state, session, why);
  if (!failed) {
    send_prompt(ctx, session);
    return;
  }
  session.state = SessionState::backing_off;
  TimeMs delay_ms = std::min(kBackoffMaxMs, kBackoffFirstMs << session.continuations);
  // Deterministic jitter: the mission's seed and the effect counter differ for each session.
  delay_ms += static_cast<TimeMs>((ctx.state.seed ^ (ctx.state.next_effect * 2654435761U)) %
                                  static_cast<std::uint64_t>(delay_ms));
  arm(ctx, session, delay_ms);
}

/// The lease is over: a Worker may still get a rework, all others are done for good.
void release(Context& ctx, Session& session) {
  ctx.cancel_timer(session.timer);
  session.effect = 0;
  const Task* task = find_task(ctx.state, session.task);
  const bool may_rework =
      session.role == Role::worker && task != nullptr && is_in_work(task->status);
  session.state = may_rework ? SessionState::idle : SessionState::ended;
  if (session.state == SessionState::ended) session.prompt.clear();
}

void turn_over(Context& ctx, Session& session) {
  if (session.submitted) {
    release(ctx, session);
  } else {
    continue_or_give_up(
        ctx, session,
        session.failed ? "its turn failed" : "its turn ended without a submission", session.failed);
  }
}

}  // namespace

bool holds_slot(const Session& session) {
  return session.state == SessionState::creating || session.state == SessionState::backing_off ||
         is_busy(session);
}

std::size_t slots_used(const State& state) {
  return static_cast<std::size_t>(std::ranges::count_if(state.sessions, holds_slot));
}

bool slot_free(const State& state) { return slots_used(state) < state.parallel; }

Session* live_session(State& state, Role role, const TaskId& task) {
  for (auto it = state.sessions.rbegin(); it != state.sessions.rend(); ++it) {
    if (it->role == role && it->task == task && it->state != SessionState::ended) return &*it;
  }
  return nullptr;
}

void open_session(Context& ctx, Role role, const Task* task, const std::string& agent,
                  std::string prompt) {
  State& state = ctx.state;
  Session session;
  session.role = role;
  session.agent = agent;
  session.state = SessionState::creating;
  session.effect = ctx.new_effect();
  session.prompt = std::move(prompt);
  session.started_ms = session.seen_ms = ctx.now_ms;
  std::string title = role == Role::planner ? "Plan" : "Mission review";
  if (task != nullptr) {
    session.task = task->id;
    session.attempt = task->attempt;
    title = task->id.value + " " + std::string(to_name(role)) + ": " + first_line(task->title, 60);
  }
  ctx.emit(CreateSession{session.effect, state.root_session, state.mission, role, session.task,
                         session.attempt, title});
  session.timer = ctx.start_timer(kAnswerStartMs);
  state.sessions.push_back(std::move(session));
  state.metrics.sessions += 1;
  state.metrics.sessions_peak =
      std::max(state.metrics.sessions_peak, static_cast<std::uint32_t>(slots_used(state)));
}

void prompt_session(Context& ctx, Session& session, std::string text) {
  session.prompt = std::move(text);
  session.continuations = 0;
  session.refusals = 0;
  send_prompt(ctx, session);
  ctx.state.metrics.sessions_peak =
      std::max(ctx.state.metrics.sessions_peak, static_cast<std::uint32_t>(slots_used(ctx.state)));
}

void close_session(Context& ctx, Session& session) {
  session.submitted = true;
  session.refusals = 0;
  session.state = SessionState::closing;
  arm(ctx, session, stall_ms(ctx.state));
}

void end_session(Context& ctx, Session& session) {
  if (is_busy(session) && !session.id.empty()) ctx.emit(AbortSession{session.id});
  ctx.cancel_timer(session.timer);
  // A session that is still being created stays known by its effect, so that it is ended on arrival.
  if (session.state != SessionState::creating) session.effect = 0;
  session.state = SessionState::ended;
  session.prompt.clear();
}

void interrupt_session(Context& ctx, Session& session) {
  if (session.state == SessionState::ended || session.state == SessionState::idle) return;
  const bool over = session.state == SessionState::closing && session.role != Role::worker;
  if (session.state == SessionState::creating || over) {
    end_session(ctx, session);
    return;
  }
  if (is_busy(session)) ctx.emit(AbortSession{session.id});
  ctx.cancel_timer(session.timer);
  session.effect = 0;
  session.state = SessionState::idle;
}

void forget_turns(Context& ctx) {
  for (Session& session : ctx.state.sessions) {
    session.timer = 0;
    session.effect = 0;
    if (session.state == SessionState::ended) continue;
    const bool over = session.id.empty() || session.submitted;
    session.state = over && session.role != Role::worker ? SessionState::ended : SessionState::idle;
    if (session.id.empty()) session.state = SessionState::ended;
  }
}

void revive_sessions(Context& ctx) {
  State& state = ctx.state;
  for (Task& task : state.tasks) {
    if (task.status == TaskStatus::running) {
      Session* worker = live_session(state, Role::worker, task.id);
      if (worker == nullptr) {
        move_task(ctx, task, TaskStatus::ready);
        task.attempt -= std::min(task.attempt, 1U);
      } else if (worker->state == SessionState::idle) {
        prompt_session(ctx, *worker, continuation_prompt(state, *worker, "the mission was interrupted"));
      }
    } else if (task.status == TaskStatus::reviewing) {
      Session* reviewer = live_session(state, Role::reviewer, task.id);
      if (reviewer == nullptr) {
        move_task(ctx, task, TaskStatus::submitted);
        task.review_attempts -= std::min(task.review_attempts, 1U);
      } else if (reviewer->state == SessionState::idle) {
        prompt_session(ctx, *reviewer, continuation_prompt(state, *reviewer, "the mission was interrupted"));
      }
    }
  }
  for (const Role role : {Role::planner, Role::master_reviewer}) {
    Session* session = live_session(state, role, TaskId{});
    if (session == nullptr || session->state != SessionState::idle) continue;
    const Phase wanted = role == Role::planner ? Phase::planning : Phase::integrating;
    if (state.phase == wanted) {
      prompt_session(ctx, *session, continuation_prompt(state, *session, "the mission was interrupted"));
    } else {
      end_session(ctx, *session);
    }
  }
}

void on_created(Context& ctx, const SessionCreated& event) {
  Session* session = find_by_effect(ctx.state, event.effect);
  if (session == nullptr || !session->id.empty()) return;
  session->id = event.session;
  session->effect = 0;
  ctx.emit(WatchSession{event.session});
  if (session->state != SessionState::creating) {  // ended while it was being made
    ctx.emit(AbortSession{event.session});
    return;
  }
  if (Task* task = find_task(ctx.state, session->task); task != nullptr && session->role == Role::worker) {
    task->session = event.session;
  }
  send_prompt(ctx, *session);
}

void on_accepted(Context& ctx, const PromptAccepted& event) {
  if (ctx.state.commander.effect == event.effect && event.effect != 0) {
    ctx.state.commander.effect = 0;
    return;
  }
  Session* session = find_by_effect(ctx.state, event.effect);
  if (session == nullptr) return;
  session->effect = 0;
  if (session->state == SessionState::prompting) session->state = SessionState::waiting;
}

void on_effect_failed(Context& ctx, const EffectFailed& event) {
  if (ctx.state.commander.effect == event.effect && event.effect != 0) {
    ctx.state.commander.effect = 0;
    ctx.state.commander.busy = false;
    return;
  }
  Session* session = find_by_effect(ctx.state, event.effect);
  if (session == nullptr) return;
  session->effect = 0;
  ctx.state.metrics.errors += 1;
  if (session->state == SessionState::ended) return;
  if (session->id.empty()) {
    give_up_attempt(ctx, *session, "the host could not make a session: " + clip(event.error, 200));
  } else if (is_busy(*session)) {
    continue_or_give_up(ctx, *session, "the host refused the prompt: " + clip(event.error, 200), true);
  }
}

void on_turn_started(Context& ctx, Session& session) {
  session.seen_ms = ctx.now_ms;
  if (session.state != SessionState::prompting && session.state != SessionState::waiting) return;
  session.state = SessionState::working;
  arm(ctx, session, stall_ms(ctx.state));
}

void on_idled(Context& ctx, Session& session) {
  session.seen_ms = ctx.now_ms;
  // An idle that meets a prompt on its way belongs to an older turn; the answer timer watches it.
  if (!is_busy(session) || session.state == SessionState::prompting) return;
  if (session.errored) {
    session.errored = false;
    session.failed = true;
    arm(ctx, session, kSecondIdleMs);
  } else {
    turn_over(ctx, session);
  }
}

void on_errored(Context& ctx, Session& session, const SessionErrored& event) {
  session.seen_ms = ctx.now_ms;
  if (!is_busy(session)) return;
  if (event.name == "ContextOverflowError") return;  // the host compacts and goes on by itself
  ctx.state.metrics.errors += 1;
  session.errored = true;
}

void on_deleted(Context& ctx, Session& session) {
  if (session.state == SessionState::ended) return;
  session.state = SessionState::idle;  // there is nothing left to abort
  give_up_attempt(ctx, session, "its session was deleted");
}

void on_inspected(Context& ctx, const SessionInspected& event) {
  Session* session = find_by_effect(ctx.state, event.effect);
  if (session == nullptr) return;
  session->effect = 0;
  if (!is_busy(*session)) return;
  if (!event.exists) {
    on_deleted(ctx, *session);
  } else if (event.busy && (event.in_tool || ctx.now_ms - session->seen_ms < stall_ms(ctx.state))) {
    if (session->state != SessionState::closing) session->state = SessionState::working;
    arm(ctx, *session, stall_ms(ctx.state));
  } else if (event.busy) {
    ctx.emit(AbortSession{session->id});
    session->errored = true;
    arm(ctx, *session, kSecondIdleMs);
  } else {
    session->failed = session->failed || !event.answered;
    turn_over(ctx, *session);
  }
}

bool on_session_timer(Context& ctx, TimerId timer) {
  const auto it = std::ranges::find(ctx.state.sessions, timer, &Session::timer);
  if (it == ctx.state.sessions.end()) return false;
  Session& session = *it;
  session.timer = 0;
  if (session.state == SessionState::backing_off) {
    send_prompt(ctx, session);
  } else if (session.state == SessionState::creating) {
    session.effect = 0;
    give_up_attempt(ctx, session, "the host did not make a session in time");
  } else if (session.errored || session.failed) {
    inspect(ctx, session);
  } else if (session.state == SessionState::working || session.state == SessionState::closing) {
    const TimeMs silent_ms = ctx.now_ms - session.seen_ms;
    if (silent_ms >= stall_ms(ctx.state)) {
      inspect(ctx, session);
    } else {
      arm(ctx, session, stall_ms(ctx.state) - silent_ms);
    }
  } else if (is_busy(session)) {
    inspect(ctx, session);
  }
  return true;
}

void on_refused_call(Context& ctx, Session& session) {
  session.refusals += 1;
  ctx.state.metrics.refusals += 1;
  if (session.refusals >= kRefusalsMax) {
    give_up_attempt(ctx, session, "its tool calls were refused " + std::to_string(kRefusalsMax) + " times in a row");
  }
}

}  // namespace orchestrator::core
