#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/state/context.h"
#include "core/state/moves.h"

/// The tasks of a mission: which moves a task can make, what depends on what, what is left.
namespace orchestrator::core {

/// Every move of a task there is.
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

/// What a person's word does beside these: in `.opencode/todo.md` a task is ticked off, reviewed or
/// not.
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

/// done or dropped: nothing is owed for it.
[[nodiscard]] bool is_settled(TaskStatus status);
/// A session works on it or is about to.
[[nodiscard]] bool is_in_work(TaskStatus status);
[[nodiscard]] bool all_settled(const State& state);
[[nodiscard]] std::size_t count(const State& state, TaskStatus status);

/// Whether a task was delegated from `whole`, or from a task that was, or brings one together with
/// others that was. A task is no part of itself.
[[nodiscard]] bool is_subtask_of(const State& state, const Task& task, const TaskId& whole);

/// Where each task stands in a list, by its id. Valid until the list changes.
class TaskIndex {
 public:
  explicit TaskIndex(const std::vector<Task>& tasks);
  [[nodiscard]] std::optional<std::size_t> find(const TaskId& id) const;

 private:
  std::unordered_map<std::string_view, std::size_t> index_;
};

/// pending -> ready where every dependency is settled; back where one is not any more.
void refresh_ready(Context& ctx);

/// The first dependency cycle as a path that ends where it began (`T1 -> T2 -> T1`), or nothing.
/// Ids that no task has are passed over.
[[nodiscard]] std::string find_cycle(const std::vector<Task>& tasks);

/// The task is no longer at work, or goes on without it.
void clear_block(Task& task);
/// A file that a task's Worker has changed; bounded.
void note_touched(Task& task, const std::string& path);

/// Its Worker's turn waits for tasks that it has delegated, and holds no slot.
[[nodiscard]] bool waits_for_subtasks(const State& state, const Task& task);
/// Parts that are neither done nor dropped.
[[nodiscard]] std::vector<TaskId> unfinished_subtasks(const State& state, const Task& task);
/// Accepted work is not in the project yet, and nothing but git is in its way.
[[nodiscard]] bool merges_pending(const State& state);

/// Settled, or blocked: whoever waits for the task waits no longer.
[[nodiscard]] bool is_finished(const Task& task);

}  // namespace orchestrator::core
