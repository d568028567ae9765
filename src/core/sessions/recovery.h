#pragma once

#include "core/state/context.h"

/// Recovery of sessions in a new process. Before it dispatches anything it asks the host which
/// sessions of the process before still exist, so that no session is created twice, no answer is
/// asked for twice, and no session runs that the mission does not know.
namespace orchestrator::core {

/// Asks the host, if the mission has sessions of a process that ended.
void begin_recovery(Context& ctx);
/// The mission is over: the host's answer will be ignored.
void abandon_recovery(Context& ctx);
/// Dispatch waits for the host's answer.
[[nodiscard]] bool is_recovering(const State& state);

void on_sessions_found(Context& ctx, const SessionsFound& event);
/// The host could not answer: asks again, a few times, then goes on with what the log says.
void on_recovery_failed(Context& ctx);
void on_recovery_timer(Context& ctx);

/// Whether a submission that was found in the host answers what the session was last asked for.
[[nodiscard]] bool belongs_to_present_card(const State& state, const SessionId& session,
                                           EffectId prompt);

}  // namespace orchestrator::core
