#include "core/task_graph.h"

#include <algorithm>
#include <map>

#include "base/assert.h"

namespace orchestrator::core {

void move_task(Context& ctx, Task& task, TaskStatus to) {
  if (task.status == to) return;
  ORCH_ASSERT(task_move_exists(task.status, to));
  task.status = to;
  if (to == TaskStatus::running && task.started_ms == 0) task.started_ms = ctx.now_ms;
  if (is_settled(to)) task.ended_ms = ctx.now_ms;
}

bool is_settled(TaskStatus status) {
  return status == TaskStatus::done || status == TaskStatus::dropped;
}

bool is_in_work(TaskStatus status) {
  return status == TaskStatus::running || status == TaskStatus::submitted ||
         status == TaskStatus::reviewing || status == TaskStatus::rework;
}

bool all_settled(const State& state) {
  return std::ranges::all_of(state.tasks, [](const Task& t) { return is_settled(t.status); });
}

bool has_movable_task(const State& state) {
  return std::ranges::any_of(state.tasks, [](const Task& task) {
    return task.status == TaskStatus::ready || is_in_work(task.status);
  });
}

std::size_t count(const State& state, TaskStatus status) {
  return static_cast<std::size_t>(
      std::ranges::count_if(state.tasks, [&](const Task& t) { return t.status == status; }));
}

void refresh_ready(Context& ctx) {
  std::map<TaskId, TaskStatus> status_of;
  for (const Task& task : ctx.state.tasks) status_of[task.id] = task.status;
  for (Task& task : ctx.state.tasks) {
    if (task.status != TaskStatus::pending) continue;
    const bool free = std::ranges::all_of(task.deps, [&](const TaskId& dep) {
      const auto it = status_of.find(dep);
      return it == status_of.end() || is_settled(it->second);
    });
    if (free) move_task(ctx, task, TaskStatus::ready);
  }
}

namespace {

enum class Mark { unseen, open, closed };

struct CycleSearch {
  const std::vector<Task>& tasks;
  std::map<TaskId, std::size_t> index;
  std::vector<Mark> marks;
  std::vector<std::size_t> path;

  std::string path_from(std::size_t start) const {
    std::string text;
    const auto begin = std::ranges::find(path, start);
    for (auto it = begin; it != path.end(); ++it) text += tasks[*it].id.value + " -> ";
    return text + tasks[start].id.value;
  }

  std::string visit(std::size_t i) {
    marks[i] = Mark::open;
    path.push_back(i);
    for (const TaskId& dep : tasks[i].deps) {
      const auto it = index.find(dep);
      if (it == index.end()) continue;
      if (marks[it->second] == Mark::open) return path_from(it->second);
      if (marks[it->second] == Mark::closed) continue;
      if (std::string cycle = visit(it->second); !cycle.empty()) return cycle;
    }
    path.pop_back();
    marks[i] = Mark::closed;
    return "";
  }
};

}  // namespace

std::string find_cycle(const std::vector<Task>& tasks) {
  CycleSearch search{tasks, {}, std::vector<Mark>(tasks.size(), Mark::unseen), {}};
  for (std::size_t i = 0; i < tasks.size(); ++i) search.index.emplace(tasks[i].id, i);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (search.marks[i] != Mark::unseen) continue;
    if (std::string cycle = search.visit(i); !cycle.empty()) return cycle;
  }
  return "";
}

namespace {

/// The part of a glob before its first wildcard.
std::string literal_prefix(const std::string& glob) {
  return glob.substr(0, glob.find_first_of("*?{["));
}

bool has_wildcard(const std::string& glob) {
  return glob.find_first_of("*?{[") != std::string::npos;
}

bool match_at(const char* glob, const char* path);

/// `{a,b}` at `glob`: tries each choice followed by what comes after the brace.
bool match_choice(const char* glob, const char* path) {
  const std::string text(glob);
  const std::size_t close = text.find('}');
  if (close == std::string::npos) return *glob == *path && match_at(glob + 1, path + 1);
  const std::string after = text.substr(close + 1);
  std::size_t start = 1;
  while (start <= close) {
    const std::size_t end = std::min(text.find(',', start), close);
    if (match_at((text.substr(start, end - start) + after).c_str(), path)) return true;
    start = end + 1;
  }
  return false;
}

bool match_any_parts(const char* glob, const char* path) {
  const char* rest = glob + 2;
  if (*rest == '/') {
    if (match_at(rest + 1, path)) return true;
    for (; *path != '\0'; ++path) {
      if (*path == '/' && match_at(rest + 1, path + 1)) return true;
    }
    return false;
  }
  for (;; ++path) {
    if (match_at(rest, path)) return true;
    if (*path == '\0') return false;
  }
}

bool match_at(const char* glob, const char* path) {
  while (*glob != '\0') {
    if (glob[0] == '*' && glob[1] == '*') return match_any_parts(glob, path);
    if (*glob == '{') return match_choice(glob, path);
    if (*glob == '*') {
      for (;; ++path) {
        if (match_at(glob + 1, path)) return true;
        if (*path == '\0' || *path == '/') return false;
      }
    }
    if (*path == '\0') return false;
    if (*glob != *path && !(*glob == '?' && *path != '/')) return false;
    ++glob;
    ++path;
  }
  return *path == '\0';
}

bool globs_overlap(const std::string& a, const std::string& b) {
  if (!has_wildcard(a)) return glob_matches(b, a);
  if (!has_wildcard(b)) return glob_matches(a, b);
  const std::string prefix_a = literal_prefix(a);
  const std::string prefix_b = literal_prefix(b);
  return prefix_a.starts_with(prefix_b) || prefix_b.starts_with(prefix_a);
}

}  // namespace

bool glob_matches(const std::string& glob, const std::string& path) {
  return glob == path || match_at(glob.c_str(), path.c_str());
}

bool claims_overlap(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::ranges::any_of(a, [&](const std::string& x) {
    return std::ranges::any_of(b, [&](const std::string& y) { return globs_overlap(x, y); });
  });
}

}  // namespace orchestrator::core
