#pragma once

#include <string>
#include <vector>

#include "orchestrator/mission.h"

/// Claims: the files that a task may write, as globs relative to the project.
namespace orchestrator::core {

/// Whether two claims may name a common file. "No" is always right, "yes" may be too careful: a
/// path without wildcards also covers the files below it, and two globs overlap if their literal
/// beginnings do.
[[nodiscard]] bool claims_overlap(const std::vector<std::string>& a,
                                  const std::vector<std::string>& b);

/// The same for the claims of two tasks: the files of their plan, and the files that they have
/// written besides.
[[nodiscard]] bool claims_overlap(const Task& a, const Task& b);
/// Whether the claim of a task may name this file.
[[nodiscard]] bool claims(const Task& task, const std::string& path);

/// Whether no session of a mission may write this file: the mission's own files (todo.md is for
/// people to edit), and git's directory, whose hooks run with the user's rights. `path` is in the
/// form that `project_path` returns.
[[nodiscard]] bool is_reserved_path(const std::string& path);

/// Whether the glob matches `path`: `*` and `?` within a component, `**` across components,
/// `{a,b}`, `[a-z]` and `[!a-z]`. A glob longer than 1 kB or with more than 64 choices matches only
/// the path that is equal to it.
[[nodiscard]] bool glob_matches(const std::string& glob, const std::string& path);

}  // namespace orchestrator::core
