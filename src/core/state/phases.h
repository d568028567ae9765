#pragma once

#include <array>
#include <string>

#include "core/state/context.h"
#include "core/state/moves.h"

/// Table of the moves between a mission's phases.
namespace orchestrator::core {

/// All moves. `resumed` and `work_appeared` have a row for each phase that `State::resume_phase`
/// may be.
inline constexpr auto kPhaseMoves = std::to_array<PhaseMove>({
    {Phase::briefing, Cause::run_called, Phase::planning},
    {Phase::briefing, Cause::plan_accepted, Phase::executing},
    {Phase::planning, Cause::plan_accepted, Phase::executing},
    {Phase::executing, Cause::barrier_reached, Phase::integrating},
    {Phase::integrating, Cause::review_passed, Phase::sealed},
    {Phase::integrating, Cause::review_rejected, Phase::executing},

    {Phase::planning, Cause::measure_spent, Phase::blocked},
    {Phase::executing, Cause::measure_spent, Phase::blocked},
    {Phase::integrating, Cause::measure_spent, Phase::blocked},
    {Phase::blocked, Cause::work_appeared, Phase::executing},
    {Phase::integrating, Cause::work_appeared, Phase::executing},

    {Phase::briefing, Cause::paused, Phase::paused},
    {Phase::planning, Cause::paused, Phase::paused},
    {Phase::executing, Cause::paused, Phase::paused},
    {Phase::integrating, Cause::paused, Phase::paused},
    {Phase::blocked, Cause::paused, Phase::paused},

    {Phase::paused, Cause::resumed, Phase::briefing},
    {Phase::paused, Cause::resumed, Phase::planning},
    {Phase::paused, Cause::resumed, Phase::executing},
    {Phase::paused, Cause::resumed, Phase::integrating},
    {Phase::blocked, Cause::resumed, Phase::planning},
    {Phase::blocked, Cause::resumed, Phase::executing},
    {Phase::blocked, Cause::resumed, Phase::integrating},

    {Phase::briefing, Cause::stopped, Phase::cancelled},
    {Phase::planning, Cause::stopped, Phase::cancelled},
    {Phase::executing, Cause::stopped, Phase::cancelled},
    {Phase::integrating, Cause::stopped, Phase::cancelled},
    {Phase::blocked, Cause::stopped, Phase::cancelled},
    {Phase::paused, Cause::stopped, Phase::cancelled},
});

[[nodiscard]] constexpr bool move_exists(Phase from, Cause cause, Phase to) {
  for (const PhaseMove& move : kPhaseMoves) {
    if (move.from == from && move.cause == cause && move.to == to) return true;
  }
  return false;
}

/// Moves the mission; a move that is not in the table is a bug and stops the process.
void enter(Context& ctx, Cause cause, Phase to, std::string reason = "");

}  // namespace orchestrator::core
