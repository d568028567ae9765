#include "core/schedule/race.h"

#include <algorithm>

#include "core/worktrees/worktrees.h"
#include "core/mission/mission_lifecycle.h"
#include "core/state/plan_rules.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/tasks.h"

namespace orchestrator::core {
namespace {

constexpr std::size_t kStrategyBytesMax = 200;

bool is_run_of(const Task& task, const TaskId& raced) {
  return task.parent == raced && !task.strategy.empty();
}

/// The run that it is, or is a part of; null: none.
const Task* run_behind(const State& state, const Task& task) {
  const Task* at = &task;
  for (std::size_t i = 0; i < state.tasks.size() && at != nullptr; ++i) {
    if (!at->strategy.empty()) return at;
    if (at->parent.empty()) return nullptr;
    at = find_task(state, at->parent);
  }
  return nullptr;
}

/// Its review has passed, or a person has said so.
bool is_accepted(const Task& run) {
  return run.status == TaskStatus::done || run.merge != MergeState::none;
}

Task make_run(const State& state, const Task& raced, const std::string& strategy,
              const std::string& commit) {
  Task run;
  run.id = numbered_id(state, raced.id.value + ".", "R");
  run.title = first_line(raced.title + " – " + strategy, kStrategyBytesMax);
  run.agent = raced.agent;
  run.files = raced.files;
  run.description = raced.description;
  run.accept = raced.accept;
  run.verify = raced.verify;
  run.iteration = raced.iteration;
  run.parent = raced.id;
  run.strategy = strategy;
  run.tree_base = commit;
  return run;
}

/// It was stopped, or has failed, in an earlier race of this task.
void run_again(Context& ctx, Task& run, const std::string& commit) {
  if (run.status != TaskStatus::blocked && run.status != TaskStatus::dropped) return;
  run.attempt = run.review_attempts = run.rejections = 0;
  run.tree_base = commit;
  if (run.status == TaskStatus::dropped) run.touched.clear();  // with its worktree
  move_task(ctx, run, TaskStatus::pending);
}

void drop_rivals(Context& ctx, const Task& raced, const Task& winner) {
  for (Task& run : ctx.state.tasks) {
    if (!is_run_of(run, raced.id) || run.id == winner.id || is_settled(run.status)) continue;
    drop_task(ctx, run, winner.id.value + " (" + winner.strategy + ") was accepted before it");
  }
}

void take_result(Context& ctx, Task& raced, const Task& winner) {
  raced.summary = winner.summary;
  raced.touched = winner.touched;
  raced.findings = winner.findings;
  raced.proved_by = winner.proved_by;
  raced.proofs = winner.proofs;
  raced.on_word = winner.on_word;
  raced.session = winner.session;
  raced.note = winner.id.value + " (" + winner.strategy + ") has won" +
               (winner.on_word ? ", on a person's word, without a review" : "");
  move_task(ctx, raced, TaskStatus::done);
}

void give_up_race(Context& ctx, Task& raced) {
  std::string why = "none of its strategies was accepted:";
  for (const Task& run : ctx.state.tasks) {
    if (!is_run_of(run, raced.id)) continue;
    why += " " + run.id.value + " (" + run.strategy + ") is " + std::string(to_name(run.status)) +
           (run.note.empty() ? ";" : ": " + clip(run.note, 200) + ";");
  }
  why.pop_back();
  raced.note = clip(why, 1000);
  move_task(ctx, raced, TaskStatus::blocked);
}

void settle(Context& ctx, Task& raced) {
  std::vector<Task>& tasks = ctx.state.tasks;
  const auto winner = std::ranges::find_if(
      tasks, [&](const Task& run) { return is_run_of(run, raced.id) && is_accepted(run); });
  if (winner != tasks.end()) {
    drop_rivals(ctx, raced, *winner);
    const bool there = winner->status == TaskStatus::done && winner->merge == MergeState::none;
    if (there) take_result(ctx, raced, *winner);
    return;
  }
  const bool goes_on = std::ranges::any_of(tasks, [&](const Task& run) {
    return is_run_of(run, raced.id) && !is_settled(run.status) && run.status != TaskStatus::blocked;
  });
  if (!goes_on) give_up_race(ctx, raced);
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
    const std::string strategy = trimmed(race[i]);
    const bool again =
        std::ranges::any_of(race.begin(), race.begin() + static_cast<std::ptrdiff_t>(i),
                            [&](const std::string& other) { return trimmed(other) == strategy; });
    if (strategy.empty() || strategy.find('\n') != std::string::npos ||
        strategy.size() > kStrategyBytesMax) {
      problems.push_back(one + "one line of 1 to " + std::to_string(kStrategyBytesMax) +
                         " bytes is needed: how this one goes about it");
    } else if (again) {
      problems.push_back(one + "\"" + clip(strategy, 60) + "\" is there twice");
    }
  }
  return problems;
}

bool is_raced(const State& state, const Task& task) {
  if (task.race.size() < 2 || !task.strategy.empty() || !is_isolated(state)) return false;
  // What is made in a worktree would have to be merged into a worktree.
  const Task& root = root_of(state, task);
  return &root == &task || !works_apart(state, root);
}

bool run_apart(const State& state, const Task& a, const Task& b) {
  const Task* run = run_behind(state, a);
  const Task* other = run_behind(state, b);
  if (run != nullptr && other != nullptr) return run != other;
  return run != nullptr ? b.racing : other != nullptr && a.racing;
}

bool runs_without(const State& state, const Task& task, const Task& other) {
  const Task* run = run_behind(state, task);
  return run != nullptr && run_behind(state, other) != run;
}

bool waits_for_race(const State& state, const Task& task) {
  return state.worktrees.races && std::ranges::any_of(state.tasks, [&](const Task& raced) {
           return raced.racing && claims_overlap(task, raced) && !is_part_of(state, task, raced.id);
         });
}

bool is_in_race(const State& state, const Task& task) { return run_behind(state, task) != nullptr; }

const Task& named_task(const State& state, const Task& task) {
  if (task.strategy.empty()) return task;
  const Task* raced = find_task(state, task.parent);
  return raced == nullptr ? task : *raced;
}

void start_race(Context& ctx, Task& task, const std::string& commit) {
  State& state = ctx.state;
  task.attempt += 1;
  task.session = SessionId{};
  move_task(ctx, task, TaskStatus::running);
  task.racing = true;
  ctx.graph_moved = true;
  const Task raced = task;
  for (const std::string& strategy : raced.race) {
    const auto run = std::ranges::find_if(state.tasks, [&](const Task& one) {
      return is_run_of(one, raced.id) && one.strategy == strategy;
    });
    if (run != state.tasks.end()) {
      run_again(ctx, *run, commit);
    } else {
      state.tasks.push_back(make_run(state, raced, strategy, commit));
    }
  }
}

void settle_races(Context& ctx) {
  State& state = ctx.state;
  if (!state.worktrees.races) return;
  for (Task& task : state.tasks) {
    if (task.racing) settle(ctx, task);
  }
  for (Task& run : state.tasks) {
    if (run.strategy.empty() || is_settled(run.status) || run.status == TaskStatus::blocked)
      continue;
    const Task* raced = find_task(state, run.parent);
    if (raced != nullptr && raced->racing) continue;
    drop_task(ctx, run,
              run.parent.value + ", of which it is one of the strategies, is " +
                  (raced == nullptr ? "gone" : std::string(to_name(raced->status))));
  }
}

std::string strategy_note(const State& state, const Task& task) {
  if (!task.strategy.empty()) {
    const Task* raced = find_task(state, task.parent);
    const std::size_t runs = raced == nullptr ? 1 : raced->race.size();
    return "\nThis task is raced: " + std::to_string(runs) +
           " Workers are at it, each in a worktree and with a strategy of its own, and the first "
           "whose work is accepted wins. The strategy of this one:\n" +
           task.strategy + "\n";
  }
  if (task.race.empty()) return "";
  std::string text = "\nWays to go about it, the first one first:\n";
  for (const std::string& strategy : task.race) text += "- " + strategy + "\n";
  return text;
}

}  // namespace orchestrator::core
