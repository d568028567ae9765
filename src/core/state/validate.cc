#include <algorithm>
#include <set>

#include "core/state/tasks.h"
#include "orchestrator/step.h"

namespace orchestrator {
namespace {

/// Far above what the options let a mission have, and harmless to walk.
constexpr std::size_t kTasksMax = 2'000;
constexpr std::size_t kSessionsMax = 100'000;
constexpr std::uint32_t kParallelMax = 1'000;
/// Limits of ids and times: the numbers that are added to them must not overflow.
constexpr std::uint64_t kIdMax = std::uint64_t{1} << 60U;
constexpr TimeMs kTimeMax = TimeMs{1} << 52U;

bool is_time(TimeMs time) { return time > -kTimeMax && time < kTimeMax; }

/// The name of a mission is also that of its log.
bool is_mission_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 && name.front() != '.' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

bool may_wait_for(Phase waiting, Phase next) {
  switch (next) {
    case Phase::briefing:
      return waiting == Phase::paused;
    case Phase::planning:
    case Phase::executing:
    case Phase::integrating:
      return true;
    case Phase::none:
    case Phase::sealed:
    case Phase::blocked:
    case Phase::paused:
    case Phase::cancelled:
    case Phase::failed:
      return false;
  }
  return false;
}

std::string wrong_phase(const State& state) {
  const bool waits = state.phase == Phase::blocked || state.phase == Phase::paused;
  if (waits && !may_wait_for(state.phase, state.resume_phase)) {
    return "resume_phase: a mission that is " + std::string(to_name(state.phase)) +
           " cannot go on with \"" + std::string(to_name(state.resume_phase)) + "\"";
  }
  const Phase goes_on = waits ? state.resume_phase : state.phase;
  const bool works = goes_on == Phase::executing || goes_on == Phase::integrating;
  if (works && state.tasks.empty()) return "tasks: none, and the mission is past its planning";
  return "";
}

std::string wrong_tasks(const State& state) {
  if (state.tasks.size() > kTasksMax) return "tasks: more than " + std::to_string(kTasksMax);
  std::set<TaskId> seen;
  for (std::size_t i = 0; i < state.tasks.size(); ++i) {
    const Task& task = state.tasks[i];
    const std::string at = "tasks[" + std::to_string(i) + "].";
    if (!valid_task_id(task.id.value)) return at + "id: is no task id";
    if (!seen.insert(task.id).second) return at + "id: " + task.id.value + " is used twice";
    if (task.title.find('\n') != std::string::npos) return at + "title: is more than one line";
    if (task.race.running && task.status != TaskStatus::running)
      return at + "racing: a task that is raced is running";
    if (!is_time(task.started_ms) || !is_time(task.ended_ms)) return at + "started_ms: is no time";
  }
  const std::string cycle = core::find_cycle(state.tasks);
  return cycle.empty() ? "" : "tasks: the dependencies form a cycle: " + cycle;
}

std::string wrong_sessions(const State& state) {
  if (state.sessions.size() > kSessionsMax) {
    return "sessions: more than " + std::to_string(kSessionsMax);
  }
  std::set<SessionId> seen;
  for (std::size_t i = 0; i < state.sessions.size(); ++i) {
    const Session& session = state.sessions[i];
    const std::string at = "sessions[" + std::to_string(i) + "].";
    const bool of_task = session.role == Role::worker || session.role == Role::reviewer;
    const bool of_all = session.role == Role::planner || session.role == Role::master_reviewer;
    if (!session.id.empty() && !seen.insert(session.id).second) return at + "id: is used twice";
    if (session.state == SessionState::parting) return at + "state: is of an older schema";
    if (!of_task && !of_all) return at + "role: no child session has this role";
    if (of_task == session.task.empty()) {
      return at + "task: a " + std::string(to_name(session.role)) +
             (of_task ? " needs one" : " has none");
    }
    if (session.effect >= kIdMax || session.timer >= kIdMax) return at + "effect: is out of range";
    if (!is_time(session.started_ms) || !is_time(session.seen_ms) ||
        !is_time(session.lease.since_ms) || !is_time(session.metering.asked_ms)) {
      return at + "seen_ms: is no time";
    }
  }
  return "";
}

std::string wrong_numbers(const State& state) {
  const Budget& budget = state.budget;
  if (!is_time(state.started_at) || !is_time(state.updated_at)) return "updated_at: is no time";
  if (!is_time(state.commander.metering.asked_ms)) return "commander.asked_ms: is no time";
  if (!is_time(budget.time_max_ms) || !is_time(budget.deadline_ms) ||
      !is_time(budget.time_left_ms)) {
    return "budget: a time is out of range";
  }
  if (state.clock.next_effect >= kIdMax || state.clock.next_timer >= kIdMax ||
      state.last_seq >= kIdMax) {
    return "last_seq: a number is out of range";
  }
  if (state.parallel < 1) return "parallel: must be at least 1";
  if (state.parallel > kParallelMax || state.parallel_max > kParallelMax)
    return "parallel: must be at most " + std::to_string(kParallelMax);
  for (const UnattributedChange& change : state.unattributed) {
    if (!is_time(change.at_ms)) return "unattributed: a time is out of range";
  }
  const Limiter& limiter = state.limiter;
  if (!is_time(limiter.slowed_ms) || !is_time(limiter.timer_at_ms) || limiter.timer >= kIdMax)
    return "limiter: a time is out of range";
  for (const ModelLoad& load : limiter.models) {
    if (load.limit < 1) return "limiter.models: a limit must be at least 1";
    if (!is_time(load.not_before_ms) || !is_time(load.slowed_ms))
      return "limiter.models: a time is out of range";
  }
  return "";
}

}  // namespace

std::string validate_state(const State& state) {
  if (state.phase == Phase::none) return "";
  if (!is_mission_name(state.mission.value)) return "mission: is no mission's name";
  for (const auto& check : {wrong_phase, wrong_tasks, wrong_sessions, wrong_numbers}) {
    if (std::string why = check(state); !why.empty()) return why;
  }
  return "";
}

}  // namespace orchestrator
