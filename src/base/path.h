// Paths of a project, as text: nothing here looks at the disk.

#ifndef ORCHESTRATOR_BASE_PATH_H_
#define ORCHESTRATOR_BASE_PATH_H_

#include <string>

namespace orchestrator::base {

/// A path or glob relative to the project, as the engine keeps it: no `./`, no doubled or trailing
/// `/`; the project itself is `**`. Empty when it is absolute, leaves the project (`..`, `~`), or
/// holds a NUL or a backslash.
[[nodiscard]] std::string project_path(const std::string& path);

}  // namespace orchestrator::base

#endif  // ORCHESTRATOR_BASE_PATH_H_
