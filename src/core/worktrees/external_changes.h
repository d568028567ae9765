#pragma once

#include <string>

#include "core/state/context.h"

/// Changed files that no tool of the host wrote: a session's shell command or a person did. Each is
/// attributed to a task if its Worker must have made it; the others are unattributed changes, which
/// the Master Reviewer reads.
namespace orchestrator::core {

/// Attributes each path to a task whose Worker ran a command meanwhile: the task that claims the
/// path, or, if no task in work claims it, the only one that ran a command. Its claim grows by the
/// path.
void on(Context& ctx, const FilesChanged& event);

/// Records the path as an unattributed change.
void note_unattributed(Context& ctx, const FilesChanged& event, const std::string& path);

}  // namespace orchestrator::core
