#pragma once

#include <optional>
#include <string>
#include <utility>

#include "core/state/moves.h"
#include "orchestrator/effect.h"
#include "orchestrator/event.h"
#include "orchestrator/mission.h"

namespace orchestrator::core {

struct MovesMade;

/// Phase in which the mission stops, and the reason.
struct Conclusion {
  Phase phase = Phase::none;  ///< sealed, blocked, paused or cancelled
  std::string reason;
};

/// One step while it is computed: its state, its time, and its effects so far.
struct Context {
  State& state;
  TimeMs now_ms = 0;
  Effects effects;
  MovesMade* moves = nullptr;
  /// Something that admission depends on has changed: a task, a slot, the phase, a limit, a
  /// reservation.
  bool moved = false;
  /// A dependency has changed, or a task has stopped: the ready tasks, and the claims of parents of
  /// finished subtasks, must be computed again.
  bool graph_moved = false;

  /// Arguments of the first call of `conclude`.
  std::optional<Conclusion> conclusion = {};

  /// Asks for the end of the mission. `carry_out_conclusion` (mission/mission_lifecycle.h) does it
  /// when the present part of the step is over; so every folder can end a mission without including
  /// mission/.
  void conclude(Phase phase, std::string reason = "") {
    if (!conclusion) conclusion = Conclusion{phase, std::move(reason)};
  }

  template <class E>
  void emit(E effect) {
    effects.emplace_back(std::move(effect));
  }

  void accept(const RequestId& request, std::string text) {
    emit(Reply{request, true, std::move(text)});
  }

  void refuse(const RequestId& request, std::string text) {
    emit(Reply{request, false, std::move(text)});
  }

  [[nodiscard]] EffectId new_effect() { return state.clock.next_effect++; }

  TimerId start_timer(TimeMs delay_ms) {
    const TimerId timer = state.clock.next_timer++;
    emit(StartTimer{timer, delay_ms});
    return timer;
  }

  void cancel_timer(TimerId& timer) {
    if (timer != 0) emit(CancelTimer{timer});
    timer = 0;
  }
};

}  // namespace orchestrator::core
