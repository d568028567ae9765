#pragma once

#include <cstddef>
#include <cstdint>

#include "orchestrator/mission.h"

/// Pending ids: timers, effects (calls to the host or to git), and calls of models that wait for a
/// reply. The rows below name every place of the state that holds such an id; `step` uses them to
/// pass a result to its owner.
namespace orchestrator::core {

/// The part of the core that started a timer, an effect or a wait, and handles its result.
enum class Owner : std::uint8_t {
  none,  ///< the result is late: no part waits for it any more
  commander,
  deadline,
  limiter,
  merge,
  permission,  ///< index in `State::permissions`
  recovery,
  session,  ///< index in `State::sessions`
  stop,
  waiter,    ///< index in `State::waiters`
  worktree,  ///< index in `WorktreesState::trees`
  worktrees,
};

struct Pending {
  Owner owner = Owner::none;
  std::size_t index = 0;  ///< for owners of which there are several
};

/// Calls `row(Pending, TimerId&)` for each place that holds a timer's id.
template <class AnyState, class Row>
void for_each_timer(AnyState& state, Row&& row) {
  row(Pending{Owner::deadline}, state.clock.deadline_timer);
  row(Pending{Owner::stop}, state.clock.stop_timer);
  row(Pending{Owner::commander}, state.commander.timer);
  row(Pending{Owner::recovery}, state.recovery.timer);
  row(Pending{Owner::limiter}, state.limiter.timer);
  row(Pending{Owner::worktrees}, state.worktrees.timer);
  for (std::size_t i = 0; i < state.permissions.size(); ++i)
    row(Pending{Owner::permission, i}, state.permissions[i].timer);
  for (std::size_t i = 0; i < state.sessions.size(); ++i)
    row(Pending{Owner::session, i}, state.sessions[i].timer);
}

/// The same for effects: `row(Pending, EffectId&)`.
template <class AnyState, class Row>
void for_each_effect(AnyState& state, Row&& row) {
  row(Pending{Owner::commander}, state.commander.effect);
  row(Pending{Owner::recovery}, state.recovery.effect);
  row(Pending{Owner::worktrees}, state.worktrees.effect);
  row(Pending{Owner::merge}, state.worktrees.merge_effect);
  for (std::size_t i = 0; i < state.worktrees.trees.size(); ++i)
    row(Pending{Owner::worktree, i}, state.worktrees.trees[i].effect);
  for (std::size_t i = 0; i < state.sessions.size(); ++i)
    row(Pending{Owner::session, i}, state.sessions[i].effect);
}

/// The same for calls of models that wait for a reply: `row(Pending, RequestId&)`.
template <class AnyState, class Row>
void for_each_call(AnyState& state, Row&& row) {
  for (std::size_t i = 0; i < state.waiters.size(); ++i)
    row(Pending{Owner::waiter, i}, state.waiters[i].request);
  row(Pending{Owner::commander}, state.commander.waiting);
}

/// The owner of an id; `none` for 0, for the empty request, and for an id that no part waits for
/// any more.
[[nodiscard]] Pending owner_of_timer(const State& state, TimerId timer);
[[nodiscard]] Pending owner_of_effect(const State& state, EffectId effect);
[[nodiscard]] Pending owner_of_call(const State& state, const RequestId& request);

}  // namespace orchestrator::core
