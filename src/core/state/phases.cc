#include "core/state/phases.h"

#include "base/assert.h"

namespace orchestrator::core {

void enter(Context& ctx, Cause cause, Phase to, std::string reason) {
  State& state = ctx.state;
  ORCH_ASSERT(move_exists(state.phase, cause, to));
  if (ctx.moves != nullptr) ctx.moves->phases.push_back({state.phase, cause, to});
  if (to == Phase::blocked || (to == Phase::paused && state.phase != Phase::blocked)) {
    state.resume_phase = state.phase;
  }
  if (is_running(to)) state.commander.owed = false;
  if (is_running(state.phase) && !is_running(to)) state.commander.closing = true;
  state.phase = to;
  ctx.moved = ctx.graph_moved = true;
  state.reason = std::move(reason);
}

}  // namespace orchestrator::core
