#include "core/sessions/recovery.h"

#include <algorithm>

#include "core/models/budget.h"
#include "core/models/limiter.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/sessions.h"

namespace orchestrator::core {
namespace {

constexpr std::uint32_t kAttemptsMax = 3;
constexpr TimeMs kAnswerMs = 30'000;
constexpr TimeMs kAskAgainMs = 2'000;

void ask(Context& ctx) {
  State& state = ctx.state;
  state.recovery.attempts += 1;
  FindSessions question;
  question.effect = state.recovery.effect = ctx.new_effect();
  question.mission = state.mission;
  question.parents.push_back(state.root_session);
  for (const Session& session : state.sessions) {
    const bool new_parent =
        !session.parent.empty() &&
        std::ranges::find(question.parents, session.parent) == question.parents.end();
    if (new_parent) question.parents.push_back(session.parent);
    if (session.state != SessionState::ended && !session.id.empty())
      question.known.push_back(session.id);
  }
  ctx.emit(std::move(question));
  ctx.cancel_timer(state.recovery.timer);
  state.recovery.timer = ctx.start_timer(kAnswerMs);
}

/// One that was asked for when the process died, and was made: it has not been prompted yet.
Session* created_meanwhile(State& state, EffectId creation) {
  if (creation == 0) return nullptr;
  const auto it = std::ranges::find_if(state.sessions, [&](const Session& session) {
    return session.id.empty() && session.effect == creation && session.state == SessionState::idle;
  });
  return it == state.sessions.end() ? nullptr : &*it;
}

void adopt(Context& ctx, Session& session, const SessionId& id) {
  session.id = id;
  session.effect = 0;
  ctx.emit(WatchSession{id});
  Task* task = find_task(ctx.state, session.task);
  if (task != nullptr && session.role == Role::worker) task->session = id;
}

/// It outlived the process, or rather the engine in it: its turn counts.
void go_on_working(Context& ctx, Session& session, bool present_prompt) {
  if (!is_running(ctx.state.phase)) {
    ctx.emit(AbortSession{session.id});
    return;
  }
  session.lease.began = session.lease.began || present_prompt;
  session.seen_ms = ctx.now_ms;
  move_session(ctx, session,
               session.lease.submitted ? SessionState::closing : SessionState::working);
  arm(ctx, session, session.lease.submitted ? kClosingMs : stall_ms(ctx.state));
}

void take_up(Context& ctx, const FoundSession& found) {
  Session* session = find_session(ctx.state, found.session);
  if (session == nullptr) {
    session = created_meanwhile(ctx.state, found.creation);
    if (session != nullptr) adopt(ctx, *session, found.session);
  }
  if (session == nullptr || session->state == SessionState::ended) {
    if (found.busy) ctx.emit(AbortSession{found.session});  // an orphan
    return;
  }
  // Ours since: a call of it came in, or it was prompted, while the host was being asked.
  if (session->state != SessionState::idle) return;
  const bool present_prompt = session->lease.sent != 0 && session->lease.sent == found.prompt;
  const bool may_go_on = session->lease.submitted || has_room_for(ctx.state, *session);
  if (found.busy && may_go_on) return go_on_working(ctx, *session, present_prompt);
  // More runs than may now: its turn ends, and goes on when there is room.
  if (found.busy) abort_turn(ctx, *session);
  release_reservation(ctx, *session);
  // The host has its card: a word to go on is enough. Else the prompt is sent again as it was.
  session->lease.began = session->lease.began || present_prompt;
}

/// The host has lost it, or never made it. That costs the task nothing.
void drop_lost(Context& ctx, const std::vector<FoundSession>& found) {
  for (Session& session : ctx.state.sessions) {
    if (session.state != SessionState::idle) continue;
    const bool there = !session.id.empty() &&
                       std::ranges::find(found, session.id, &FoundSession::session) != found.end();
    if (!there) end_session(ctx, session);
  }
}

/// Goes on with what the log says alone.
void drop_unmade(Context& ctx) {
  for (Session& session : ctx.state.sessions) {
    if (session.state == SessionState::idle && session.id.empty()) end_session(ctx, session);
    if (session.state == SessionState::idle) release_reservation(ctx, session);
  }
}

void finish(Context& ctx) {
  ctx.cancel_timer(ctx.state.recovery.timer);
  ctx.state.recovery = Recovery{};
  ctx.moved = ctx.graph_moved = true;
}

}  // namespace

bool is_recovering(const State& state) { return state.recovery.running; }

void begin_recovery(Context& ctx) {
  Recovery& recovery = ctx.state.recovery;
  if (!recovery.needed || recovery.running) return;
  recovery = Recovery{};
  if (ctx.state.sessions.empty()) return;
  recovery.running = true;
  ask(ctx);
}

void abandon_recovery(Context& ctx) { finish(ctx); }

void on_sessions_found(Context& ctx, const SessionsFound& event) {
  finish(ctx);
  for (const FoundSession& found : event.sessions) take_up(ctx, found);
  drop_lost(ctx, event.sessions);
}

void on_recovery_failed(Context& ctx) {
  Recovery& recovery = ctx.state.recovery;
  recovery.effect = 0;
  ctx.cancel_timer(recovery.timer);
  ctx.state.metrics.errors += 1;
  recovery.timer = ctx.start_timer(kAskAgainMs << std::min(recovery.attempts, kAttemptsMax));
}

void on_recovery_timer(Context& ctx) {
  Recovery& recovery = ctx.state.recovery;
  recovery.timer = 0;
  if (recovery.attempts < kAttemptsMax) {
    return ask(ctx);
  }
  finish(ctx);
  drop_unmade(ctx);
}

bool belongs_to_present_card(const State& state, const SessionId& session, EffectId prompt) {
  const Session* child = find_session(state, session);
  return child != nullptr && prompt != 0 && child->lease.sent == prompt;
}

}  // namespace orchestrator::core
