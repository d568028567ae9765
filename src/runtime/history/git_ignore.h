#pragma once

#include <string>

#include "base/result.h"
#include "os/file_system.h"

namespace orchestrator::runtime {

/// Keeps the files that follow the mission's state out of git's sight, by `.opencode/.gitignore`.
/// The host takes a git snapshot of the tree around each step of each session, one after the other:
/// files that change all the time make each of them dearer, and `/undo` would put the mission's own
/// state back. The host generates that file, which ignores itself; one that a person has taken over
/// (it does not ignore itself) is left as it is.
base::Result<void> hide_state_from_git(os::FileSystem& fs, const std::string& root);

}  // namespace orchestrator::runtime
