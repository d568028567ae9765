#pragma once

#include <vector>

#include "orchestrator/mission.h"

/// Types of the moves that phases, tasks and sessions make. The tables of moves are in phases.h,
/// tasks.h and sessions.h.
namespace orchestrator::core {

/// Reason for which a mission changes its phase.
enum class Cause {
  run_called,  ///< `mission_run`, or the Commander twice ended its turn without it
  plan_accepted,
  barrier_reached,  ///< every task is done or dropped
  review_passed,
  review_rejected,
  measure_spent,  ///< a limit is used up, or no task can go on
  work_appeared,  ///< a task can run again, or there is a new task or a new plan
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

/// Rows of the tables that a step has used: for tests and timelines. Not part of the state.
struct MovesMade {
  std::vector<PhaseMove> phases;
  std::vector<TaskMove> tasks;
  std::vector<TaskMove> words;
  std::vector<SessionMove> sessions;
};

}  // namespace orchestrator::core
