#pragma once

#include <vector>

#include "orchestrator/mission.h"

/// The moves that phases, tasks and sessions make; which of them exist stands in phases.h, tasks.h
/// and sessions.h.
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

struct TaskMove {
  TaskStatus from;
  TaskStatus to;
};

struct SessionMove {
  SessionState from;
  SessionState to;
};

/// Which rows of the tables a step has taken: for tests and timelines. Not part of the state.
struct Trace {
  std::vector<PhaseMove> phases;
  std::vector<TaskMove> tasks;
  std::vector<TaskMove> words;
  std::vector<SessionMove> sessions;
};

}  // namespace orchestrator::core
