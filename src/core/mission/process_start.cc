#include "core/mission/process_start.h"

#include "core/mission/commander.h"
#include "core/mission/mission_lifecycle.h"
#include "core/state/pending.h"

namespace orchestrator::core {
namespace {

/// Cancels the timers of a process that lives on: what they watched is gone.
void drop_timers(Context& ctx) {
  for_each_timer(ctx.state, [&](Pending, TimerId& timer) { ctx.cancel_timer(timer); });
}

void watch_all(Context& ctx) {
  ctx.emit(WatchSession{ctx.state.root_session});
  for (const Session& session : ctx.state.sessions) {
    if (session.state != SessionState::ended) ctx.emit(WatchSession{session.id});
  }
}

/// Forgets every turn and call that was under way in the host.
void lose_turns(Context& ctx, HostMode mode) {
  State& state = ctx.state;
  const bool owed = state.commander.owed;
  state.commander = fresh_commander(state.commander);
  state.commander.owed = owed;
  state.mode = mode;
  suspend_mission(ctx);
  if (is_active(state.phase)) watch_all(ctx);
}

}  // namespace

void on(Context& ctx, const ProcessStarted& event) {
  State& state = ctx.state;
  const Commander before = state.commander;
  lose_turns(ctx, event.mode);
  if (event.mode == HostMode::run || state.options.resume == ResumePolicy::manual) return;
  if (state.dormant) resume_mission(ctx);
  recall_commander(ctx, before.owed);
}

/// No person has stopped the mission: it goes on if it ran, whatever the option `resume` says of
/// new processes.
void on(Context& ctx, const HostReloaded& event) {
  State& state = ctx.state;
  const bool slept = state.dormant;
  // A call that waited was this turn's; the mission's end must find another way to the Commander.
  const bool owed = state.commander.owed;
  drop_timers(ctx);
  lose_turns(ctx, event.mode);
  if (state.dormant && !slept) resume_mission(ctx);
  if (!slept) recall_commander(ctx, owed);
}

}  // namespace orchestrator::core
