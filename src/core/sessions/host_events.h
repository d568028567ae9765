#pragma once

#include "core/state/context.h"

/// What the host tells about child sessions. Hosts tell it late, twice and out of order, and
/// sometimes not at all: whatever is missing is found by a session's timer, which asks the host.
namespace orchestrator::core {

void on_created(Context& ctx, const SessionCreated& event);
/// Whether the effect was one of a child session; so for the next two.
bool on_accepted(Context& ctx, const PromptAccepted& event);
bool on_effect_failed(Context& ctx, const EffectFailed& event);
bool on_inspected(Context& ctx, const SessionInspected& event);
void on_turn_started(Context& ctx, Session& session);
void on_idled(Context& ctx, Session& session);
void on_errored(Context& ctx, Session& session, const SessionErrored& event);
void on_deleted(Context& ctx, Session& session);
bool on_session_timer(Context& ctx, TimerId timer);

}  // namespace orchestrator::core
