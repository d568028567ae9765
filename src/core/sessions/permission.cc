#include "core/sessions/permission.h"

#include <algorithm>

#include "base/text.h"
#include "core/prompts/notes.h"

namespace orchestrator::core {
namespace {

constexpr std::size_t kRequestsMax = 200;
constexpr std::size_t kWhatBytesMax = 200;

std::string minutes(const State& state) {
  const std::uint32_t seconds = state.options.timeouts.permission_s;
  return seconds < 120 ? std::to_string(seconds) + " s" : std::to_string(seconds / 60) + " minutes";
}

auto find(State& state, const PermissionId& id) {
  return std::ranges::find(state.permissions, id, &PermissionRequest::id);
}

}  // namespace

void on(Context& ctx, const PermissionAsked& event) {
  State& state = ctx.state;
  const Session* session = find_session(state, event.session);
  if (session == nullptr || event.permission.empty()) return;
  if (session->state == SessionState::ended || !is_running(state.phase)) {
    ctx.emit(RejectPermission{event.permission, event.session,
                              "The mission needs nothing more from this session: end your turn."});
    return;
  }
  const bool known = find(state, event.permission) != state.permissions.end();
  if (known || state.permissions.size() >= kRequestsMax) return;
  PermissionRequest request{event.permission, event.session, base::clip(event.what, kWhatBytesMax),
                            0};
  request.timer = ctx.start_timer(static_cast<TimeMs>(state.options.timeouts.permission_s) * 1000);
  ctx.emit(ShowToast{"warning", "Permission needed: " + permission_asker(state, event.session) +
                                    " wants " + request.what + ". Answer it in session " +
                                    event.session.value + "; after " + minutes(state) +
                                    " it is rejected."});
  state.permissions.push_back(std::move(request));
}

void on(Context& ctx, const PermissionAnswered& event) {
  const auto it = find(ctx.state, event.permission);
  if (it == ctx.state.permissions.end()) return;
  Session* session = find_session(ctx.state, it->session);
  if (session != nullptr) {
    session->seen_ms = ctx.now_ms;
    // The host ends the turn of a session that is refused without a word.
    if (!event.allowed) session->turn.denied = it->what;
  }
  ctx.cancel_timer(it->timer);
  ctx.state.permissions.erase(it);
}

void on_permission_timer(Context& ctx, std::size_t index) {
  State& state = ctx.state;
  const auto it = state.permissions.begin() + static_cast<std::ptrdiff_t>(index);
  ctx.emit(RejectPermission{it->id, it->session,
                            "No user answered within " + minutes(state) +
                                ", so this is not allowed: " + it->what +
                                ". Go on without it; if the task needs it, say so in your "
                                "submission."});
  ctx.emit(ShowToast{"warning", "Permission rejected, as no user answered: " +
                                    permission_asker(state, it->session) + " wanted " + it->what});
  if (Session* session = find_session(state, it->session)) session->seen_ms = ctx.now_ms;
  state.permissions.erase(it);
}

void withdraw_permissions(Context& ctx, const SessionId& session) {
  if (session.empty()) return;
  std::erase_if(ctx.state.permissions, [&](PermissionRequest& request) {
    if (request.session != session) return false;
    ctx.cancel_timer(request.timer);
    ctx.emit(RejectPermission{request.id, session, "The turn that asked for it is over."});
    return true;
  });
}

void forget_permissions(Context& ctx) { ctx.state.permissions.clear(); }

}  // namespace orchestrator::core
