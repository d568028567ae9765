#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/state/context.h"
#include "core/state/moves.h"

/// Table of the moves of tasks, and their dependencies.
namespace orchestrator::core {

inline constexpr auto kTaskMoves = std::to_array<TaskMove>({
    {TaskStatus::pending, TaskStatus::ready},        // its dependencies are done or dropped
    {TaskStatus::ready, TaskStatus::pending},        // a dropped dependency of it was put back
    {TaskStatus::ready, TaskStatus::running},        // a Worker has it
    {TaskStatus::running, TaskStatus::submitted},    // submit_work
    {TaskStatus::running, TaskStatus::ready},        // its Worker is lost; a fresh one may try
    {TaskStatus::running, TaskStatus::done},         // a race: the winner's work is in the project
    {TaskStatus::submitted, TaskStatus::reviewing},  // a Reviewer has it
    {TaskStatus::reviewing, TaskStatus::submitted},  // its Reviewer is lost
    {TaskStatus::reviewing, TaskStatus::done},       // passed, with receipts
    {TaskStatus::reviewing, TaskStatus::rework},     // rejected
    {TaskStatus::rework, TaskStatus::running},       // its Worker has the findings
    {TaskStatus::rework, TaskStatus::ready},         // its Worker is lost
    {TaskStatus::running, TaskStatus::blocked},
    {TaskStatus::reviewing, TaskStatus::blocked},
    {TaskStatus::submitted, TaskStatus::blocked},
    {TaskStatus::rework, TaskStatus::blocked},
    {TaskStatus::pending, TaskStatus::blocked},
    {TaskStatus::ready, TaskStatus::blocked},
    {TaskStatus::pending, TaskStatus::dropped},
    {TaskStatus::ready, TaskStatus::dropped},
    {TaskStatus::running, TaskStatus::dropped},
    {TaskStatus::submitted, TaskStatus::dropped},
    {TaskStatus::reviewing, TaskStatus::dropped},
    {TaskStatus::rework, TaskStatus::dropped},
    {TaskStatus::blocked, TaskStatus::dropped},
    {TaskStatus::blocked, TaskStatus::pending},  // retry
    {TaskStatus::dropped, TaskStatus::pending},  // retry
});

/// Moves that a person makes besides: ticking off a task in `.opencode/todo.md`, reviewed or not.
inline constexpr auto kWordMoves = std::to_array<TaskMove>({
    {TaskStatus::pending, TaskStatus::done},
    {TaskStatus::ready, TaskStatus::done},
    {TaskStatus::running, TaskStatus::done},
    {TaskStatus::submitted, TaskStatus::done},
    {TaskStatus::reviewing, TaskStatus::done},
    {TaskStatus::rework, TaskStatus::done},
    {TaskStatus::blocked, TaskStatus::done},
    {TaskStatus::dropped, TaskStatus::done},
});

[[nodiscard]] constexpr bool word_move_exists(TaskStatus from, TaskStatus to) {
  for (const TaskMove& move : kWordMoves) {
    if (move.from == from && move.to == to) return true;
  }
  return false;
}

[[nodiscard]] constexpr bool task_move_exists(TaskStatus from, TaskStatus to) {
  for (const TaskMove& move : kTaskMoves) {
    if (move.from == from && move.to == to) return true;
  }
  return false;
}

/// Moves a task; a move that is not in the table is a bug and stops the process.
void move_task(Context& ctx, Task& task, TaskStatus to);
/// Accepts a task on a person's word, by `kWordMoves`.
void finish_on_word(Context& ctx, Task& task);

/// Done or dropped.
[[nodiscard]] bool is_settled(TaskStatus status);
/// A session works on the task or is about to.
[[nodiscard]] bool is_in_work(TaskStatus status);
[[nodiscard]] bool all_settled(const State& state);
[[nodiscard]] std::size_t count(const State& state, TaskStatus status);

/// Whether `task` descends from `whole`: a chain of parents, or of conflicts that a task solves,
/// leads from it to `whole`. A task does not descend from itself.
[[nodiscard]] bool is_subtask_of(const State& state, const Task& task, const TaskId& whole);

/// Position of each task in a list, by its id. Valid until the list changes.
class TaskIndex {
 public:
  explicit TaskIndex(const std::vector<Task>& tasks);
  [[nodiscard]] std::optional<std::size_t> find(const TaskId& id) const;

 private:
  std::unordered_map<std::string_view, std::size_t> index_;
};

/// Moves tasks from pending to ready if all dependencies are settled, and back if one no longer is.
void refresh_ready(Context& ctx);

/// The first dependency cycle as a path (`T1 -> T2 -> T1`); empty: none. Unknown ids are ignored.
[[nodiscard]] std::string find_cycle(const std::vector<Task>& tasks);

/// Forgets which file of which other task the Worker was refused.
void clear_block(Task& task);
/// Records a file that the task's Worker has changed; the list is bounded.
void note_touched(Task& task, const std::string& path);

/// Whether the Worker's turn waits for subtasks that it delegated; it then holds no slot.
[[nodiscard]] bool waits_for_subtasks(const State& state, const Task& task);
/// Subtasks that are neither done nor dropped.
[[nodiscard]] std::vector<TaskId> unfinished_subtasks(const State& state, const Task& task);
/// Whether accepted work waits to be merged into the project, and only git is needed for that.
[[nodiscard]] bool merges_pending(const State& state);

/// Settled or blocked: calls that wait for the task return.
[[nodiscard]] bool is_finished(const Task& task);

}  // namespace orchestrator::core
