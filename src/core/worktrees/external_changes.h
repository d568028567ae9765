#pragma once

#include <string>

#include "core/state/context.h"

/// Changes that did not come through a tool of the host: made by a shell command of a session, or
/// by a person. Each belongs to the task whose Worker must have made it, or to nobody; then the
/// Master Review is told.
namespace orchestrator::core {

/// A path belongs to a Worker that ran a command meanwhile: to the one whose task claims it, or,
/// where nobody does, to the only one that ran any. Its task's claim grows by it.
void on_files_changed(Context& ctx, const FilesChanged& event);

/// It belongs to nobody, whosever command it was.
void note_unattributed(Context& ctx, const FilesChanged& event, const std::string& path);

}  // namespace orchestrator::core
