#pragma once

#include "core/context.h"

/// Claims grow with what Workers write, so two of them can come to want each other's files: each is
/// refused, and neither can end. Then one gives way.
namespace orchestrator::core {

/// Notes what the task wants, and of whom. Where that closes a circle, the task of it that stands
/// last in the plan gives way: its Worker is sent home, it starts anew when what it wanted and what
/// is wanted of it is settled, and that costs it no attempt. Whoever wanted a file of it has that
/// file from there on, and is told.
void on_write_refused(Context& ctx, const WriteRefused& event);

/// The task is no longer at work, or goes on without it.
void want_nothing(Task& task);

}  // namespace orchestrator::core
