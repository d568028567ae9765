#pragma once

#include "core/state/context.h"

/// What the host tells about child sessions. Hosts tell it late, twice and out of order, and
/// sometimes not at all: whatever is missing is found by a session's timer, which asks the host.
namespace orchestrator::core {

/// The outcomes of a session's own effect.
void on_created(Context& ctx, Session& session, const SessionCreated& event);
void on_accepted(Context& ctx, Session& session);
void on_effect_failed(Context& ctx, Session& session, const EffectFailed& event);
void on_inspected(Context& ctx, Session& session, const SessionInspected& event);
void on_turn_started(Context& ctx, Session& session);
void on_idled(Context& ctx, Session& session);
void on_errored(Context& ctx, Session& session, const SessionErrored& event);
void on_deleted(Context& ctx, Session& session);
void on_session_timer(Context& ctx, Session& session);

}  // namespace orchestrator::core
