#pragma once

#include <string>

#include "core/context.h"

/// The child sessions: leases, prompts, and what their turns come to. A session is prompted only
/// when it is quiescent, because a prompt that meets the end of a turn may never be answered (host
/// contract A.1); what it is to be told meanwhile waits in `Session::prompt`.
namespace orchestrator::core {

/// Sessions that hold a model, or may at any moment.
[[nodiscard]] std::size_t slots_used(const State& state);
[[nodiscard]] bool holds_slot(const Session& session);
[[nodiscard]] bool slot_free(const State& state);

/// Asks the host for a session; `prompt` goes out as soon as it exists.
void open_session(Context& ctx, Role role, const Task* task, const std::string& agent,
                  std::string prompt);
/// Gives an idle session something to do.
void prompt_session(Context& ctx, Session& session, std::string text);
/// Its work is in; the turn that reported it runs out by itself.
void close_session(Context& ctx, Session& session);
/// Aborts whatever it does; it is never prompted again.
void end_session(Context& ctx, Session& session);
/// Aborts whatever it does; `revive_sessions` continues it.
void interrupt_session(Context& ctx, Session& session);
/// After a pause or a restart: sessions whose work is still wanted go on where they were.
void revive_sessions(Context& ctx);
/// The process that ran these sessions is gone.
void forget_turns(Context& ctx);

/// The newest session that plays `role` for `task` and has not ended.
[[nodiscard]] Session* live_session(State& state, Role role, const TaskId& task);

void on_created(Context& ctx, const SessionCreated& event);
void on_accepted(Context& ctx, const PromptAccepted& event);
void on_effect_failed(Context& ctx, const EffectFailed& event);
void on_turn_started(Context& ctx, Session& session);
void on_idled(Context& ctx, Session& session);
void on_errored(Context& ctx, Session& session, const SessionErrored& event);
void on_deleted(Context& ctx, Session& session);
void on_inspected(Context& ctx, const SessionInspected& event);
/// Whether the timer was one of a session.
bool on_session_timer(Context& ctx, TimerId timer);
/// A tool call of it was refused; too many in a row cost it its attempt.
void on_refused_call(Context& ctx, Session& session);

}  // namespace orchestrator::core
