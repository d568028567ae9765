#include "core/sessions/parting.h"

#include <algorithm>
#include <utility>

#include "core/models/budget.h"
#include "core/models/limiter.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/checkouts.h"
#include "core/state/sessions.h"

namespace orchestrator::core {
namespace {

/// With so many sessions at work, last words wait.
constexpr std::size_t kCrowd = 12;
/// With fewer than this they go.
constexpr std::size_t kQuiet = 4;
/// So long they wait at most, if there is a slot by then: providers keep what they have read of a
/// conversation for five minutes, and read it anew at full price afterwards.
constexpr TimeMs kPartingMs = 240'000;

/// Not where something waits for the session's end: a worktree for its removal, a budget for what
/// its answers have cost, `opencode run` for the end of all; nor the last one of all.
bool parts_later(const State& state, const Session& session) {
  return session.state == SessionState::closing && slots_used(state) >= kCrowd &&
         is_running(state.phase) && session.role != Role::master_reviewer && !session.first_look &&
         !is_isolated(state) && !is_capped(state) && state.mode != HostMode::run;
}

bool is_overdue(const Session& session) {
  return session.state == SessionState::parting && session.timer == 0;
}

enum class Which { overdue, all };

/// Those that are overdue; of all others as many as it is quiet for.
void let_go(Context& ctx, Which which) {
  const bool over = !is_running(ctx.state.phase);
  for (Session& session : ctx.state.sessions) {
    if (session.state != SessionState::parting) continue;
    const bool may = is_overdue(session) || (which == Which::all && slots_used(ctx.state) < kQuiet);
    if (may && has_room_for(ctx.state, session) && (over || !is_resting(ctx, session)))
      go_now(ctx, session);
  }
}

}  // namespace

void part_with(Context& ctx, Session& session, const RequestId& call, std::string answer) {
  // Else its turn has ended meanwhile, and nobody waits for the answer.
  const bool in_turn = session.state == SessionState::working && !call.empty();
  close_session(ctx, session);
  if (!in_turn || !parts_later(ctx.state, session)) return ctx.accept(call, std::move(answer));
  session.last_call = call;
  session.last_answer = std::move(answer);
  session.seen_ms = ctx.now_ms;
  move_session(ctx, session, SessionState::parting);
  ctx.cancel_timer(session.timer);
  session.timer = ctx.start_timer(kPartingMs);
}

void go_now(Context& ctx, Session& session) {
  move_session(ctx, session, SessionState::closing);
  session.leased_ms += ctx.now_ms - session.seen_ms;  // that time was not its own
  session.seen_ms = ctx.now_ms;
  arm(ctx, session, stall_ms(ctx.state));
  answer_last_call(ctx, session);
}

void let_parting_go(Context& ctx) { let_go(ctx, Which::all); }

void let_overdue_go(Context& ctx) { let_go(ctx, Which::overdue); }

void answer_last_call(Context& ctx, Session& session) {
  if (session.last_call.empty()) return;
  ctx.accept(std::exchange(session.last_call, RequestId{}),
             std::exchange(session.last_answer, std::string{}));
}

bool says_last_words(const Session& session) {
  return session.state == SessionState::parting || session.state == SessionState::closing;
}

bool last_words_pending(const State& state) {
  return state.mode != HostMode::run && std::ranges::any_of(state.sessions, says_last_words);
}

std::vector<Reply> take_last_answers(State& state) {
  std::vector<Reply> answers;
  for (Session& session : state.sessions) {
    if (session.last_call.empty()) continue;
    answers.push_back({std::exchange(session.last_call, RequestId{}), true,
                       std::exchange(session.last_answer, std::string{})});
  }
  return answers;
}

void forget_last_words(State& state) {
  (void)take_last_answers(state);
  for (Session& session : state.sessions) {
    if (!says_last_words(session)) continue;
    session.state = SessionState::ended;
    session.outcome = Outcome::ok;
    session.timer = 0;
    session.effect = 0;
  }
}

void on_parting_timer(Context& ctx, Session& session) {
  // Its call was cut off, and its end was not told.
  if (session.errored || session.failed || session.last_call.empty()) {
    return release_session(ctx, session);
  }
  ctx.moved = true;  // overdue
}

bool on_parting_aborted(Context& ctx, const CallAborted& event) {
  std::vector<Session>& sessions = ctx.state.sessions;
  const auto it = std::ranges::find(sessions, event.request, &Session::last_call);
  if (event.request.empty() || it == sessions.end()) return false;
  it->last_call = RequestId{};
  it->last_answer.clear();
  return true;  // the end of its turn follows
}

}  // namespace orchestrator::core
