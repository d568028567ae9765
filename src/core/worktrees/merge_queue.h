#pragma once

#include "core/state/context.h"

/// Accepted work comes from its worktree into the project (docs/design/worktrees.md): one task
/// after the other, merged with what others have done since; a conflict becomes a task.
namespace orchestrator::core {

/// Asks git for the next step of the one merge that goes on, or begins the next.
void drive_merge(Context& ctx);
void on_merge_answered(Context& ctx, const WorktreesAnswered& event);
/// A conflict whose task is gone comes to a person or the Commander; a task that solves a conflict
/// which nobody has any more is dropped.
void settle_conflicts(Context& ctx);

}  // namespace orchestrator::core
