#include "core/state/plan_rules.h"

#include <algorithm>
#include <set>

#include "base/nearest.h"
#include "base/path.h"
#include "base/text.h"
#include "core/state/races.h"
#include "core/state/tasks.h"

namespace orchestrator::core {
namespace {

constexpr std::size_t kTitleBytesMax = 200;
constexpr std::size_t kProblemsMax = 40;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(const std::string& a, const std::string& b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

const std::string* known_agent(const State& state, const std::string& name) {
  const auto it = std::ranges::find_if(
      state.plan.agents, [&](const std::string& known) { return same_name(known, name); });
  return it == state.plan.agents.end() ? nullptr : &*it;
}

/// Collects the problems of one plan.
class Checker {
 public:
  Checker(const State& state, const std::vector<Task>& kept, const std::vector<TaskSpec>& added,
          std::string where)
      : state_(state), kept_(kept), added_(added), where_(std::move(where)) {
    for (const Task& task : kept_) ids_.insert(task.id);
    for (const TaskSpec& spec : added_) ids_.insert(spec.id);
  }

  std::vector<std::string> run() {
    const std::size_t total = kept_.size() + added_.size();
    if (total > state_.options.limits.tasks) {
      problems_.push_back(where_ + ": " + std::to_string(total) + " tasks, and the limit is " +
                          std::to_string(state_.options.limits.tasks) + ": join small ones");
    }
    std::set<TaskId> seen;
    for (const Task& task : kept_) seen.insert(task.id);
    for (std::size_t i = 0; i < added_.size() && !full(); ++i) {
      check(added_[i], where_ + "[" + std::to_string(i) + "]", seen);
    }
    if (total <= state_.options.limits.tasks) check_cycles();
    if (full()) problems_.push_back(where_ + ": further problems are shown once these are fixed");
    return std::move(problems_);
  }

 private:
  void check(const TaskSpec& spec, const std::string& at, std::set<TaskId>& seen) {
    if (!valid_task_id(spec.id.value)) {
      problems_.push_back(
          at + ".id: \"" + base::clip(spec.id.value, 60) +
          "\" is no id: write a letter, then up to 31 letters, digits, '.', '_' or '-'");
    } else if (!seen.insert(spec.id).second) {
      problems_.push_back(at + ".id: \"" + spec.id.value +
                          "\" is used twice: give each task its own");
    }
    if (base::trimmed(spec.title).empty() || spec.title.find('\n') != std::string::npos ||
        spec.title.size() > kTitleBytesMax) {
      problems_.push_back(at + ".title: one line of 1 to 200 bytes is needed");
    }
    if (!spec.agent.empty() && known_agent(state_, spec.agent) == nullptr) {
      problems_.push_back(at + ".agent: no agent \"" + base::clip(spec.agent, 60) +
                          "\": use one of " + base::joined(state_.plan.agents));
    }
    check_deps(spec, at);
    for (std::string& problem : strategy_problems(spec.race, at + ".race"))
      problems_.push_back(std::move(problem));
    for (std::size_t i = 0; i < spec.files.size() && !full(); ++i) {
      if (base::project_path(spec.files[i]).empty()) {
        problems_.push_back(at + ".files[" + std::to_string(i) + "]: \"" +
                            base::clip(spec.files[i], 120) +
                            "\" is outside the project: write a path relative to its directory");
      }
    }
  }

  [[nodiscard]] bool full() const { return problems_.size() >= kProblemsMax; }

  void check_deps(const TaskSpec& spec, const std::string& at) {
    for (std::size_t i = 0; i < spec.deps.size() && !full(); ++i) {
      if (ids_.contains(spec.deps[i])) continue;
      std::vector<std::string_view> names;
      for (const TaskId& id : ids_) names.push_back(id.value);
      const auto close = base::nearest(spec.deps[i].value, names);
      problems_.push_back(
          at + ".deps[" + std::to_string(i) + "]: no task \"" + base::clip(spec.deps[i].value, 60) +
          "\"" + (close ? "; did you mean \"" + *close + "\"?" : ": name a task of this plan"));
    }
  }

  void check_cycles() {
    std::vector<Task> all = kept_;
    for (const TaskSpec& spec : added_) all.push_back(make_task(state_, spec));
    const std::string cycle = find_cycle(all);
    if (cycle.empty()) return;
    problems_.push_back(where_ + ": the dependencies form a cycle: " + cycle +
                        "; remove one of these");
  }

  const State& state_;
  const std::vector<Task>& kept_;
  const std::vector<TaskSpec>& added_;
  std::string where_;
  std::set<TaskId> ids_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> task_problems(const State& state, const std::vector<Task>& kept,
                                       const std::vector<TaskSpec>& added,
                                       const std::string& where) {
  return Checker(state, kept, added, where).run();
}

Task make_task(const State& state, const TaskSpec& spec) {
  Task task;
  task.id = spec.id;
  task.title = base::trimmed(spec.title);
  task.spec.description = spec.description;
  const std::string* agent = known_agent(state, spec.agent);
  task.agent = agent == nullptr ? "worker" : *agent;
  for (const std::string& file : spec.files) task.files.push_back(base::project_path(file));
  for (const TaskId& dep : spec.deps) {
    if (std::ranges::find(task.deps, dep) == task.deps.end()) task.deps.push_back(dep);
  }
  task.spec.accept = spec.accept;
  for (const std::string& command : spec.verify) add_command(task.spec.verify, command);
  for (const std::string& strategy : spec.race)
    task.spec.strategies.push_back(base::trimmed(strategy));
  task.iteration = state.iteration;
  return task;
}

void add_command(std::vector<std::string>& commands, const std::string& command) {
  std::string clean = base::trimmed(command);
  if (clean.empty() || std::ranges::find(commands, clean) != commands.end()) return;
  commands.push_back(std::move(clean));
}

TaskId numbered_id(const State& state, const std::string& stem, const std::string& otherwise) {
  for (std::size_t n = 1;; ++n) {
    TaskId id(stem + std::to_string(n));
    if (!valid_task_id(id.value)) id = TaskId(otherwise + std::to_string(n));
    if (find_task(state, id) == nullptr) return id;
  }
}

std::string nearest_ids(const State& state, const TaskId& id) {
  std::vector<std::string_view> names;
  for (const Task& task : state.tasks) names.push_back(task.id.value);
  const std::vector<std::string> close = base::nearest_n(id.value, names, 3);
  return close.empty() ? "" : " Nearest: " + base::joined(close) + ".";
}

}  // namespace orchestrator::core
