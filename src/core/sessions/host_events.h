#pragma once

#include "core/state/context.h"

/// Events of the host about child sessions. They arrive late, twice, out of order, and sometimes
/// not at all: when a session's timer fires, the engine asks the host for what is missing.
namespace orchestrator::core {

/// Results of an effect that was started for this session.
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
