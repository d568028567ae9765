#pragma once

#include <array>

#include "core/state/context.h"
#include "core/state/moves.h"

/// The life of a child session: which moves exist.
namespace orchestrator::core {

/// Every move of a session there is.
inline constexpr auto kSessionMoves = std::to_array<SessionMove>({
    {SessionState::creating, SessionState::prompting},    // the host has made it
    {SessionState::creating, SessionState::backing_off},  // the host could not
    {SessionState::prompting, SessionState::waiting},     // the host has the prompt
    {SessionState::prompting, SessionState::working},     // the answer begins before that is told
    {SessionState::waiting, SessionState::working},
    {SessionState::waiting, SessionState::prompting},  // nothing came of it: asked again
    {SessionState::working, SessionState::prompting},  // its turn brought no submission
    {SessionState::prompting, SessionState::closing},  // its work is in
    {SessionState::waiting, SessionState::closing},
    {SessionState::working, SessionState::closing},
    {SessionState::backing_off, SessionState::closing},
    {SessionState::prompting, SessionState::backing_off},  // something failed
    {SessionState::waiting, SessionState::backing_off},
    {SessionState::working, SessionState::backing_off},
    {SessionState::backing_off, SessionState::prompting},  // after a while
    {SessionState::backing_off, SessionState::creating},

    {SessionState::creating, SessionState::held},  // its model or the budget does not let it
    {SessionState::prompting, SessionState::held},
    {SessionState::waiting, SessionState::held},
    {SessionState::working, SessionState::held},
    {SessionState::idle, SessionState::held},
    {SessionState::backing_off, SessionState::held},
    {SessionState::held, SessionState::prompting},  // now they do
    {SessionState::held, SessionState::creating},

    {SessionState::closing, SessionState::idle},   // its last turn is over
    {SessionState::creating, SessionState::idle},  // interrupted: by a pause, or its process died
    {SessionState::prompting, SessionState::idle},
    {SessionState::waiting, SessionState::idle},
    {SessionState::working, SessionState::idle},
    {SessionState::backing_off, SessionState::idle},
    {SessionState::held, SessionState::idle},
    {SessionState::idle, SessionState::prompting},  // a rework, or it goes on
    {SessionState::idle, SessionState::working},    // the host says that it goes on by itself
    {SessionState::idle, SessionState::closing},

    {SessionState::working, SessionState::delegating},  // it waits for a delegated task
    {SessionState::delegating, SessionState::working},  // has the result, and a slot again
    {SessionState::delegating, SessionState::idle},

    {SessionState::closing, SessionState::parting},  // the host is busy with others
    {SessionState::parting, SessionState::closing},  // not any more
    {SessionState::parting, SessionState::idle},

    {SessionState::creating, SessionState::ended},
    {SessionState::prompting, SessionState::ended},
    {SessionState::waiting, SessionState::ended},
    {SessionState::working, SessionState::ended},
    {SessionState::closing, SessionState::ended},
    {SessionState::idle, SessionState::ended},
    {SessionState::backing_off, SessionState::ended},
    {SessionState::held, SessionState::ended},
    {SessionState::delegating, SessionState::ended},
    {SessionState::parting, SessionState::ended},
});

[[nodiscard]] constexpr bool session_move_exists(SessionState from, SessionState to) {
  for (const SessionMove& move : kSessionMoves) {
    if (move.from == from && move.to == to) return true;
  }
  return false;
}

/// Moves a session; a move that is not in the table is a bug and stops the process.
void move_session(Context& ctx, Session& session, SessionState to);

/// It was made or prompted, and its turn has not begun yet.
[[nodiscard]] constexpr bool is_starting(SessionState state) {
  return state == SessionState::creating || state == SessionState::prompting ||
         state == SessionState::waiting;
}

[[nodiscard]] constexpr bool holds_slot(SessionState state) {
  return state != SessionState::idle && state != SessionState::ended &&
         state != SessionState::held && state != SessionState::delegating &&
         state != SessionState::parting;
}

[[nodiscard]] bool holds_slot(const Session& session);
/// A prompt is on its way, or a turn runs: the host has something to abort.
[[nodiscard]] bool is_busy(const Session& session);
[[nodiscard]] std::size_t slots_used(const State& state);
[[nodiscard]] TimeMs stall_ms(const State& state);
/// The newest session of this role and task that may still be prompted, or none.
[[nodiscard]] Session* live_session(State& state, Role role, const TaskId& task);
/// The role of a session in the mission; `none` for every session that is not of it.
[[nodiscard]] Role role_of_session(const State& state, const SessionId& session);
/// A tool call of this session waits for a task.
[[nodiscard]] bool is_waiting_session(const State& state, const SessionId& session);

}  // namespace orchestrator::core
