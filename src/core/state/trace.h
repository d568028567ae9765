#pragma once

#include <vector>

#include "core/mission/mission_lifecycle.h"
#include "core/state/sessions.h"
#include "core/state/tasks.h"

namespace orchestrator::core {

/// Which rows of the tables a step has taken: for tests and timelines. Not part of the state.
struct Trace {
  std::vector<PhaseMove> phases;
  std::vector<TaskMove> tasks;
  std::vector<TaskMove> words;
  std::vector<SessionMove> sessions;
};

/// `orchestrator::step`, and what it moved.
[[nodiscard]] Effects step_traced(State& state, const Event& event, Trace& trace);

}  // namespace orchestrator::core
