#include "core/schedule/admission.h"

#include <algorithm>
#include <cstddef>

#include "core/models/budget.h"
#include "core/models/limiter.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/checkouts.h"
#include "core/state/holders.h"
#include "core/state/races.h"
#include "core/state/sessions.h"
#include "core/state/tasks.h"

namespace orchestrator::core {
namespace {

/// `review.shadow: "off"`: reviews wait until no Worker works any more and none can begin.
bool reviews_wait(const State& state) {
  if (state.options.review.shadow != ShadowReview::off) return false;
  return std::ranges::any_of(state.tasks, [&](const Task& task) {
    // A ready task that waits for the files of a submitted one cannot begin before that one's
    // review.
    const bool waits = task.race.running || waits_for_subtasks(state, task);
    return (task.status == TaskStatus::running && !waits) || task.status == TaskStatus::rework ||
           (task.status == TaskStatus::ready && could_begin(state, task));
  });
}

/// What every task that needs a session of this role waits for, or `none`.
Wait shared_wait(const State& state, TimeMs now_ms, Role role) {
  if (!has_room(state)) return Wait::slot;
  if (!may_start(state, role)) return Wait::starts;
  if (!choose_model(state, now_ms, role, nullptr).now) return Wait::model;
  return affords_prompt(state, nullptr, 0) ? Wait::none : Wait::budget;
}

std::vector<TaskId> open_dependencies(const State& state, const Task& task) {
  std::vector<TaskId> open;
  for (const TaskId& id : task.deps) {
    const Task* dependency = find_task(state, id);
    if (dependency != nullptr && !is_settled(dependency->status)) open.push_back(id);
  }
  return open;
}

std::vector<TaskId> holders_of_files(const State& state, const Task& task) {
  std::vector<TaskId> holders;
  for (const Task& other : state.tasks) {
    if (keeps_waiting(state, other, task)) holders.push_back(other.id);
  }
  return holders;
}

Wait wait_for_worktree(const State& state, const Task& task) {
  return may_have_place(state, task) ? Wait::none : Wait::worktree;
}

Admission admit_worker(const State& state, TimeMs now_ms, const Task& task) {
  if (is_raced(state, task)) return {Wait::race, {}};
  if (!claim_is_free(state, task)) return {Wait::files, holders_of_files(state, task)};
  const Wait shared = shared_wait(state, now_ms, Role::worker);
  return {shared != Wait::none ? shared : wait_for_worktree(state, task), {}};
}

Admission admit_reviewer(const State& state, TimeMs now_ms, const Task& task) {
  // The first accepted entrant ends its race, so entrants are reviewed at once.
  if (!is_in_race(state, task) && reviews_wait(state)) return {Wait::reviews, {}};
  if (!is_collected(state, task)) return {Wait::collection, {}};
  return {shared_wait(state, now_ms, Role::reviewer), {}};
}

/// The Worker's session is there: its own model and the budget are asked when it is prompted.
Admission admit_rework(const State& state) {
  if (!has_room(state)) return {Wait::slot, {}};
  return {may_start(state, Role::worker) ? Wait::none : Wait::starts, {}};
}

std::string names_of(const std::vector<TaskId>& tasks) {
  constexpr std::size_t kShown = 5;
  std::string text;
  for (std::size_t i = 0; i < tasks.size() && i < kShown; ++i)
    text += (i > 0 ? ", " : "") + tasks[i].value;
  if (tasks.size() > kShown) text += " and " + std::to_string(tasks.size() - kShown) + " more";
  return text;
}

}  // namespace

bool may_start(const State& state, Role role) {
  const auto starting = std::ranges::count_if(state.sessions, [&](const Session& session) {
    return session.role == role && is_starting(session.state) &&
           session.metering.request.waiting.empty();
  });
  return static_cast<std::size_t>(starting) < kStartingMax;
}

Admission admit(const State& state, TimeMs now_ms, const Task& task) {
  switch (task.status) {
    case TaskStatus::pending:
      return {Wait::dependency, open_dependencies(state, task)};
    case TaskStatus::ready:
      return admit_worker(state, now_ms, task);
    case TaskStatus::submitted:
      return admit_reviewer(state, now_ms, task);
    case TaskStatus::rework:
      return admit_rework(state);
    case TaskStatus::reviewing:
      return {task.worktree.merge == MergeState::none ? Wait::none : Wait::merge, {}};
    case TaskStatus::running:
    case TaskStatus::done:
    case TaskStatus::dropped:
    case TaskStatus::blocked:
      return {};
  }
  return {};
}

std::string wait_text(const Admission& admission) {
  switch (admission.wait) {
    case Wait::none:
      return "";
    case Wait::dependency:
      return admission.tasks.empty() ? "" : "waits for " + names_of(admission.tasks);
    case Wait::files:
      return "waits for files of " + names_of(admission.tasks);
    case Wait::race:
      return "waits for its race";
    case Wait::reviews:
      return "its review waits until no Worker works";
    case Wait::collection:
      return "waits for git to collect its changes";
    case Wait::merge:
      return "waits to be merged";
    case Wait::slot:
      return "waits for a free session";
    case Wait::starts:
      return "waits for other sessions to start";
    case Wait::model:
      return "waits for its model";
    case Wait::budget:
      return "waits for the budget";
    case Wait::worktree:
      return "waits for a worktree";
  }
  return "";
}

}  // namespace orchestrator::core
