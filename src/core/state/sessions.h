#pragma once

#include <array>

#include "core/state/context.h"
#include "core/state/moves.h"

/// Table of the moves between the states of a child session.
namespace orchestrator::core {

inline constexpr auto kSessionMoves = std::to_array<SessionMove>({
    {SessionState::creating, SessionState::prompting},    // the host has made it
    {SessionState::creating, SessionState::backing_off},  // the host could not
    {SessionState::prompting, SessionState::waiting},     // the host has the prompt
    {SessionState::prompting, SessionState::working},  // the answer begins before `PromptAccepted`
    {SessionState::waiting, SessionState::working},
    {SessionState::waiting, SessionState::prompting},  // no answer came: prompted again
    {SessionState::working, SessionState::prompting},  // its turn brought no submission
    {SessionState::prompting, SessionState::closing},  // its submission was accepted
    {SessionState::waiting, SessionState::closing},
    {SessionState::working, SessionState::closing},
    {SessionState::backing_off, SessionState::closing},
    {SessionState::prompting, SessionState::backing_off},  // something failed
    {SessionState::waiting, SessionState::backing_off},
    {SessionState::working, SessionState::backing_off},
    {SessionState::backing_off, SessionState::prompting},  // after a while
    {SessionState::backing_off, SessionState::creating},

    {SessionState::creating, SessionState::held},  // its model or the budget has no room
    {SessionState::prompting, SessionState::held},
    {SessionState::waiting, SessionState::held},
    {SessionState::working, SessionState::held},
    {SessionState::idle, SessionState::held},
    {SessionState::backing_off, SessionState::held},
    {SessionState::held, SessionState::prompting},  // now they have
    {SessionState::held, SessionState::creating},

    {SessionState::closing, SessionState::idle},   // its turn is over
    {SessionState::creating, SessionState::idle},  // interrupted: by a pause, or its process died
    {SessionState::prompting, SessionState::idle},
    {SessionState::waiting, SessionState::idle},
    {SessionState::working, SessionState::idle},
    {SessionState::backing_off, SessionState::idle},
    {SessionState::held, SessionState::idle},
    {SessionState::idle, SessionState::prompting},  // a rework or a continuation
    {SessionState::idle, SessionState::working},    // the host began a turn by itself
    {SessionState::idle, SessionState::closing},

    {SessionState::working, SessionState::delegating},  // it waits for a delegated task
    {SessionState::delegating, SessionState::working},  // it has the result, and a slot again
    {SessionState::delegating, SessionState::idle},

    {SessionState::creating, SessionState::ended},
    {SessionState::prompting, SessionState::ended},
    {SessionState::waiting, SessionState::ended},
    {SessionState::working, SessionState::ended},
    {SessionState::closing, SessionState::ended},
    {SessionState::idle, SessionState::ended},
    {SessionState::backing_off, SessionState::ended},
    {SessionState::held, SessionState::ended},
    {SessionState::delegating, SessionState::ended},
});

[[nodiscard]] constexpr bool session_move_exists(SessionState from, SessionState to) {
  for (const SessionMove& move : kSessionMoves) {
    if (move.from == from && move.to == to) return true;
  }
  return false;
}

/// Moves a session; a move that is not in the table is a bug and stops the process.
void move_session(Context& ctx, Session& session, SessionState to);

/// Whether the session was created or prompted, and its turn has not begun yet.
[[nodiscard]] constexpr bool is_starting(SessionState state) {
  return state == SessionState::creating || state == SessionState::prompting ||
         state == SessionState::waiting;
}

/// Whether a session in this state holds a slot. A closing session asks no model any more, so its
/// slot is free.
[[nodiscard]] constexpr bool holds_slot(SessionState state) {
  return state != SessionState::closing && state != SessionState::idle &&
         state != SessionState::ended && state != SessionState::held &&
         state != SessionState::delegating;
}

[[nodiscard]] bool holds_slot(const Session& session);
/// Whether a prompt is on its way or a turn runs, so that the host has something to abort.
[[nodiscard]] bool is_busy(const Session& session);
[[nodiscard]] std::size_t slots_used(const State& state);
[[nodiscard]] TimeMs stall_ms(const State& state);
/// The newest session of this role and task that may still be prompted; null: none.
[[nodiscard]] Session* live_session(State& state, Role role, const TaskId& task);
/// Role of a session in the mission; `none` for a session that does not belong to it.
[[nodiscard]] Role role_of_session(const State& state, const SessionId& session);
/// Whether a tool call of this session waits for a task.
[[nodiscard]] bool is_waiting_session(const State& state, const SessionId& session);

}  // namespace orchestrator::core
