#pragma once

#include "core/state/context.h"

/// Deadlocks between tasks. Claims grow with the files that Workers write, so two Workers can want
/// each other's files: each is refused, and neither can finish. Then one is preempted.
namespace orchestrator::core {

/// Records the file that the task was refused and the task that holds it. If this closes a cycle,
/// the cycle's last task in plan order is preempted: its Worker is aborted, and it starts again,
/// without the loss of an attempt, when its files are free. The tasks that waited for its files get
/// them, and their Workers are informed.
void on(Context& ctx, const WriteRefused& event);

/// Whether the mission is in a deadlock: no session runs, and every ready task waits for files or a
/// worktree of a task that waits itself, for its subtasks, its race or the end of its conflict.
[[nodiscard]] bool is_deadlocked(const State& state);
/// Ends a deadlock: takes the first task in plan order that waits only for tasks whose Workers wait
/// for subtasks, and preempts these. Their subtasks stay; a preempted task starts again when no
/// task that was preempted less often waits for its files. Each task is preempted at most
/// `limits.attempts` times. True: some were, so others may begin now.
bool resolve_deadlock(Context& ctx);

}  // namespace orchestrator::core
