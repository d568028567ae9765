#pragma once

#include <string>
#include <vector>

#include "orchestrator/mission.h"

/// What files a task may write, as globs relative to the project.
namespace orchestrator::core {

/// Whether two claims may name a common file. Never wrongly "no": a path without wildcards also
/// stands for what lies below it, and two globs overlap as soon as their fixed beginnings do.
[[nodiscard]] bool claims_overlap(const std::vector<std::string>& a,
                                  const std::vector<std::string>& b);

/// The same for the claims of two tasks: what their plan gave them, and what they have written
/// beside that.
[[nodiscard]] bool claims_overlap(const Task& a, const Task& b);
/// Whether the claim of a task may name this file.
[[nodiscard]] bool claims(const Task& task, const std::string& path);

/// What no session of a mission writes: the mission's own state, whose todo.md is a person's word,
/// and git's directory, whose hooks run in the user's name. `path` as `project_path` gives it.
[[nodiscard]] bool is_reserved_path(const std::string& path);

/// Whether `path` is named by the glob: `*` and `?` within a part, `**` over parts, `{a,b}`,
/// `[a-z]` and `[!a-z]`. A glob is at most 1 kB and has at most 64 choices; beyond that it matches
/// itself alone.
[[nodiscard]] bool glob_matches(const std::string& glob, const std::string& path);

}  // namespace orchestrator::core
