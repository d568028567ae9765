#include "core/state/races.h"

#include <algorithm>

#include "base/text.h"
#include "core/state/checkouts.h"
#include "core/state/path_claims.h"
#include "core/state/tasks.h"

namespace orchestrator::core {
namespace {

/// The entrant that the task is or belongs to; null: none.
const Task* entrant_of(const State& state, const Task& task) {
  const Task* at = &task;
  for (std::size_t i = 0; i < state.tasks.size() && at != nullptr; ++i) {
    if (!at->race.strategy.empty()) return at;
    if (at->parent.empty()) return nullptr;
    at = find_task(state, at->parent);
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> strategy_problems(const std::vector<std::string>& race,
                                           const std::string& at) {
  std::vector<std::string> problems;
  if (race.size() > kStrategiesMax) {
    problems.push_back(at + ": " + std::to_string(race.size()) + " strategies, and the limit is " +
                       std::to_string(kStrategiesMax));
    return problems;
  }
  for (std::size_t i = 0; i < race.size(); ++i) {
    const std::string one = at + "[" + std::to_string(i) + "]: ";
    const std::string strategy = base::trimmed(race[i]);
    const bool again = std::ranges::any_of(
        race.begin(), race.begin() + static_cast<std::ptrdiff_t>(i),
        [&](const std::string& other) { return base::trimmed(other) == strategy; });
    if (strategy.empty() || strategy.find('\n') != std::string::npos ||
        strategy.size() > kStrategyBytesMax) {
      problems.push_back(one + "one line of 1 to " + std::to_string(kStrategyBytesMax) +
                         " bytes is needed: how this Worker solves the task");
    } else if (again) {
      problems.push_back(one + "\"" + base::clip(strategy, 60) + "\" is listed twice: remove one");
    }
  }
  return problems;
}

bool is_raced(const State& state, const Task& task) {
  if (task.spec.strategies.size() < 2 || !task.race.strategy.empty() || !uses_worktrees(state))
    return false;
  // No race inside a worktree: entrants are merged into the project, never into a worktree.
  const Task& root = root_of(state, task);
  return &root == &task || !works_in_worktree(state, root);
}

bool in_other_entrant(const State& state, const Task& a, const Task& b) {
  const Task* run = entrant_of(state, a);
  const Task* other = entrant_of(state, b);
  if (run != nullptr && other != nullptr) return run != other;
  return run != nullptr ? b.race.running : other != nullptr && a.race.running;
}

bool isolated_from(const State& state, const Task& task, const Task& other) {
  const Task* run = entrant_of(state, task);
  return run != nullptr && entrant_of(state, other) != run;
}

bool waits_for_race(const State& state, const Task& task) {
  return state.worktrees.races && std::ranges::any_of(state.tasks, [&](const Task& raced) {
           return raced.race.running && claims_overlap(task, raced) &&
                  !is_subtask_of(state, task, raced.id);
         });
}

bool is_in_race(const State& state, const Task& task) { return entrant_of(state, task) != nullptr; }

const Task& display_task(const State& state, const Task& task) {
  if (task.race.strategy.empty()) return task;
  const Task* raced = find_task(state, task.parent);
  return raced == nullptr ? task : *raced;
}

}  // namespace orchestrator::core
