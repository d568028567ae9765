#pragma once

#include "core/state/context.h"

/// Claims grow with what Workers write, so two of them can come to want each other's files: each is
/// refused, and neither can end. Then one gives way.
namespace orchestrator::core {

/// Notes what the task wants, and of whom. Where that closes a circle, the task of it that stands
/// last in the plan gives way: its Worker is sent home, it starts anew when what it wanted and what
/// is wanted of it is settled, and that costs it no attempt. Whoever wanted a file of it has that
/// file from there on, and is told.
void on_write_refused(Context& ctx, const WriteRefused& event);

/// Nobody is at work, and nothing can begin: what is ready, if anything is, waits for files of
/// tasks that wait themselves, for their parts, their runs, or a conflict's end.
[[nodiscard]] bool is_deadlocked(const State& state);
/// Where that is so, the first task of the plan goes on that waits only for tasks whose Workers
/// wait for their parts: those give way. Their parts stay, and they begin anew when no task waits
/// for their files that has given way less often. A task does that `limits.attempts` times at most.
/// Whether any did: others may begin now.
bool resolve_deadlock(Context& ctx);

}  // namespace orchestrator::core
