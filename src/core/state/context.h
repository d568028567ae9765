#pragma once

#include <optional>
#include <string>
#include <utility>

#include "core/state/moves.h"
#include "orchestrator/effect.h"
#include "orchestrator/event.h"
#include "orchestrator/mission.h"

namespace orchestrator::core {

struct Trace;

/// How the mission stops running, and why.
struct Conclusion {
  Phase phase = Phase::none;  ///< sealed, blocked, paused or cancelled
  std::string reason;
};

/// One step in the making: the state that it moves, its time, and the effects so far.
struct Context {
  State& state;
  TimeMs now_ms = 0;
  Effects effects;
  Trace* trace = nullptr;
  /// Something has moved that decides what may run now: a task, a slot, the phase, a limit, what
  /// is reserved.
  bool moved = false;
  /// A dependency has, or a task is not at work any more: which tasks are ready, and what their
  /// wholes claim, must be looked at again.
  bool graph_moved = false;

  /// What `conclude` was called with first.
  std::optional<Conclusion> conclusion = {};

  /// The mission is to stop running. It does when the present part of the step is over
  /// (`carry_out_conclusion` in mission/mission_lifecycle.h), so that any room may say so.
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
