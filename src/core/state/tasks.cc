#include "core/state/tasks.h"

#include <algorithm>

#include "base/assert.h"

namespace orchestrator::core {
namespace {

constexpr std::size_t kTouchedMax = 2000;

}  // namespace

void move_task(Context& ctx, Task& task, TaskStatus to) {
  if (task.status == to) return;
  ORCH_ASSERT(task_move_exists(task.status, to));
  if (ctx.moves != nullptr) ctx.moves->tasks.push_back({task.status, to});
  ctx.moved = true;
  ctx.graph_moved = ctx.graph_moved || to == TaskStatus::pending || is_settled(to) ||
                    is_settled(task.status) || (is_in_work(task.status) && !is_in_work(to));
  task.status = to;
  if (to != TaskStatus::reviewing && to != TaskStatus::done) task.worktree.merge = MergeState::none;
  if (to != TaskStatus::running) {
    clear_block(task);
    task.race.running = false;
  }
  if (to == TaskStatus::running && task.started_ms == 0) task.started_ms = ctx.now_ms;
  if (is_settled(to)) task.ended_ms = ctx.now_ms;
}

void finish_on_word(Context& ctx, Task& task) {
  ORCH_ASSERT(word_move_exists(task.status, TaskStatus::done));
  if (ctx.moves != nullptr) ctx.moves->words.push_back({task.status, TaskStatus::done});
  ctx.moved = ctx.graph_moved = true;
  task.status = TaskStatus::done;
  task.race.running = false;
  task.ended_ms = ctx.now_ms;
  task.review.accepted_manually = true;
  task.review.proved_by.clear();
  task.note = "accepted by a person in todo.md, without a review";
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

std::size_t count(const State& state, TaskStatus status) {
  return static_cast<std::size_t>(
      std::ranges::count_if(state.tasks, [&](const Task& t) { return t.status == status; }));
}

bool is_subtask_of(const State& state, const Task& task, const TaskId& whole) {
  const Task* at = &task;
  // Bounded: in a damaged snapshot the parents may form a cycle.
  for (std::size_t i = 0; i < state.tasks.size() && at != nullptr; ++i) {
    if (at->parent.empty() && at->worktree.resolves_conflict_of.empty()) return false;
    if (at->parent == whole) return true;
    at = find_task(state, at->parent.empty() ? at->worktree.resolves_conflict_of : at->parent);
  }
  return false;
}

TaskIndex::TaskIndex(const std::vector<Task>& tasks) {
  index_.reserve(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) index_.emplace(tasks[i].id.value, i);
}

std::optional<std::size_t> TaskIndex::find(const TaskId& id) const {
  const auto it = index_.find(id.value);
  if (it == index_.end()) return std::nullopt;
  return it->second;
}

void refresh_ready(Context& ctx) {
  std::vector<Task>& tasks = ctx.state.tasks;
  const TaskIndex index(tasks);
  for (Task& task : tasks) {
    if (task.status != TaskStatus::pending && task.status != TaskStatus::ready) continue;
    const bool free = std::ranges::all_of(task.deps, [&](const TaskId& dep) {
      const auto at = index.find(dep);
      return !at || is_settled(tasks[*at].status);
    });
    move_task(ctx, task, free ? TaskStatus::ready : TaskStatus::pending);
  }
}

namespace {

enum class Mark { unseen, open, closed };

struct CycleSearch {
  const std::vector<Task>& tasks;
  const TaskIndex index;
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
      const auto at = index.find(dep);
      if (!at || marks[*at] == Mark::closed) continue;
      if (marks[*at] == Mark::open) return path_from(*at);
      if (std::string cycle = visit(*at); !cycle.empty()) return cycle;
    }
    path.pop_back();
    marks[i] = Mark::closed;
    return "";
  }
};

}  // namespace

std::string find_cycle(const std::vector<Task>& tasks) {
  CycleSearch search{tasks, TaskIndex(tasks), std::vector<Mark>(tasks.size(), Mark::unseen), {}};
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (search.marks[i] != Mark::unseen) continue;
    if (std::string cycle = search.visit(i); !cycle.empty()) return cycle;
  }
  return "";
}

void clear_block(Task& task) {
  task.progress.blocked_path.clear();
  task.progress.blocked_by = TaskId{};
}

void note_touched(Task& task, const std::string& path) {
  if (task.progress.touched.size() < kTouchedMax &&
      std::ranges::find(task.progress.touched, path) == task.progress.touched.end()) {
    task.progress.touched.push_back(path);
  }
}

bool waits_for_subtasks(const State& state, const Task& task) {
  const Session* worker = find_session(state, task.session);
  // If the waiting call was cut off, the turn ends next.
  return task.status == TaskStatus::running && worker != nullptr &&
         worker->state == SessionState::delegating && !worker->turn.premature_idle_due &&
         !worker->turn.failed;
}

std::vector<TaskId> unfinished_subtasks(const State& state, const Task& task) {
  std::vector<TaskId> parts;
  for (const Task& part : state.tasks) {
    if (part.parent == task.id && !is_settled(part.status)) parts.push_back(part.id);
  }
  return parts;
}

bool merges_pending(const State& state) {
  return std::ranges::any_of(
      state.tasks, [](const Task& task) { return task.worktree.merge == MergeState::waiting; });
}

bool is_finished(const Task& task) {
  return is_settled(task.status) || task.status == TaskStatus::blocked;
}

}  // namespace orchestrator::core
