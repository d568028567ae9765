#pragma once

#include <string>

#include "core/state/context.h"

/// How tool calls that wait for a task (a Worker's or the Commander's) end early.
namespace orchestrator::core {

/// The host has given up the call at this place of `State::waiters`.
void on_wait_aborted(Context& ctx, std::size_t index);
/// Ends the waits of this session's calls, with `text` as their answer, or refused without one.
/// False: the session had none.
bool stop_waiting(Context& ctx, const SessionId& session, const std::string& text = "");
/// The host reports the end of a turn whose call still waits: ends the waits, and the session
/// continues when there is a slot.
void end_delegating(Context& ctx, Session& session);

}  // namespace orchestrator::core
