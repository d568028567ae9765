#pragma once

#include "core/state/context.h"

/// The merge queue (docs/design/worktrees.md): accepted work is merged from its worktree into the
/// project, one task at a time, with the work integrated since; a conflict becomes a task.
namespace orchestrator::core {

/// Asks git for the next step of the merge in progress, or begins the next merge.
void drive_merge(Context& ctx);
void on_merge_answered(Context& ctx, const WorktreesAnswered& event);
/// Blocks a task with a conflict that no other task solves any more, so that a person or the
/// Commander decides; drops tasks whose conflict no longer exists.
void settle_conflicts(Context& ctx);

}  // namespace orchestrator::core
