#pragma once

#include <string>

#include "core/state/context.h"

/// Permission requests: tool calls of children that the host holds until the user allows them. They
/// are shown to the user, and none of them waits for ever.
namespace orchestrator::core {

void on(Context& ctx, const PermissionAsked& event);
void on(Context& ctx, const PermissionAnswered& event);
/// The user has not answered in time: rejects the request at this place of `State::permissions`.
void on_permission_timer(Context& ctx, std::size_t index);
/// The session's turn is over or aborted: the host would keep its requests listed.
void withdraw_permissions(Context& ctx, const SessionId& session);
/// The process that held them has died.
void forget_permissions(Context& ctx);

}  // namespace orchestrator::core
