#pragma once

#include <cstddef>
#include <cstdint>

#include "orchestrator/mission.h"

/// What a mission waits for by number: timers, effects (calls of the host or of git), and calls of
/// models that are not answered yet. The rows below name every place of the state that holds such a
/// number; what comes back from outside is handed to its owner by them.
namespace orchestrator::core {

/// The part of a mission that asked for something, and gets what comes of it.
enum class Owner : std::uint8_t {
  none,  ///< what comes is late: its part asks for it no more
  commander,
  deadline,
  limiter,
  merge,
  permission,  ///< with its place in `State::permissions`
  recovery,
  session,  ///< with its place in `State::sessions`
  stop,
  waiter,    ///< with its place in `State::waiters`
  worktree,  ///< with its place in `WorktreesState::trees`
  worktrees,
};

struct Pending {
  Owner owner = Owner::none;
  std::size_t index = 0;  ///< of those that are many
};

/// Calls `row(Pending, TimerId&)` for each place that holds a timer's number.
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

/// The same for calls of models that wait for their answer: `row(Pending, RequestId&)`.
template <class AnyState, class Row>
void for_each_call(AnyState& state, Row&& row) {
  for (std::size_t i = 0; i < state.waiters.size(); ++i)
    row(Pending{Owner::waiter, i}, state.waiters[i].request);
  row(Pending{Owner::commander}, state.commander.waiting);
}

/// Whose it is. `none` for the number 0, the empty request, and one that no part waits for any
/// more.
[[nodiscard]] Pending owner_of_timer(const State& state, TimerId timer);
[[nodiscard]] Pending owner_of_effect(const State& state, EffectId effect);
[[nodiscard]] Pending owner_of_call(const State& state, const RequestId& request);

}  // namespace orchestrator::core
