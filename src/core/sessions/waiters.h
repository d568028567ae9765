#pragma once

#include <string>

#include "core/state/context.h"

/// Tool calls that wait for a task, of a Worker's session or of the Commander's: how they end
/// early.
namespace orchestrator::core {

/// The host has given up the call at this place of `State::waiters`.
void on_wait_aborted(Context& ctx, std::size_t index);
/// Ends the waits of this session's calls, with `text` as their answer, or refused without one.
/// False: the session had none.
bool stop_waiting(Context& ctx, const SessionId& session, const std::string& text = "");
/// The host says that a turn is over whose call waits: it goes on when there is a slot.
void end_delegating(Context& ctx, Session& session);

}  // namespace orchestrator::core
