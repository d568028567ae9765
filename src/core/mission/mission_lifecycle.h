#pragma once

#include <array>
#include <string>

#include "core/state/context.h"

/// The phases of a mission: which moves exist, and what each entails.
namespace orchestrator::core {

/// What moves a mission from one phase to another.
enum class Cause {
  run_called,  ///< `mission_run`, or the Commander twice ended its turn without it
  plan_accepted,
  barrier_reached,  ///< every task is done or dropped
  review_passed,
  review_rejected,
  measure_spent,  ///< a bounded measure ran out, or nothing can go on
  work_appeared,  ///< a task can run again, a new one or a new plan came
  paused,
  resumed,
  stopped
};

struct PhaseMove {
  Phase from;
  Cause cause;
  Phase to;
};

/// Every move there is. `resumed` and `work_appeared` go to `State::resume_phase`, one of their
/// rows.
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

/// `/task` was given and may start: fills a fresh state.
void start_mission(Context& ctx, const MissionRequested& event);
/// The whole has passed its review.
void seal_mission(Context& ctx);
/// Stops everything; nothing is prompted after it.
void cancel_mission(Context& ctx, const std::string& reason);
/// Interrupts every session; after `resume_mission` each goes on in its own.
void pause_mission(Context& ctx, const std::string& reason);
/// The time for the host to confirm the aborts of a stop or a pause is over: sessions that have
/// not stopped are named. Whether the timer was this one.
bool on_stop_timer(Context& ctx, TimerId timer);
/// Goes on after `paused`, `blocked` or a crash. A `blocked` mission gets its measures back.
void resume_mission(Context& ctx);
/// Its process has died: nothing of it is in flight any more. What runs sleeps until it is resumed.
void suspend_mission(Context& ctx);
/// A person is needed: `reason` says for what. Sessions that still run are interrupted.
void block_mission(Context& ctx, const std::string& reason);

/// As it can stand in one line of a text: control characters become spaces.
[[nodiscard]] std::string one_line(std::string text);
/// The first line of a text, at most `bytes_max` of it, cut at a character's edge.
[[nodiscard]] std::string first_line(const std::string& text, std::size_t bytes_max);
/// At most `bytes_max` bytes, cut at a character's edge, with a mark where something was cut.
[[nodiscard]] std::string clip(const std::string& text, std::size_t bytes_max);

}  // namespace orchestrator::core
