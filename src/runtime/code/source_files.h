#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/file_system.h"

namespace orchestrator::runtime {

/// The files of a project that its people work on: not what `.gitignore` files name, not `.git`,
/// `node_modules` and `.opencode`, and nothing behind a link.
struct SourceTree {
  std::vector<std::string> files;  ///< relative to the root, sorted by byte
  bool complete = true;            ///< false: there were too many, or no time was left
  std::string unreadable;          ///< a directory that could not be listed; empty: none
};

struct TreeQuery {
  /// Globs, files or directories, relative to the root; empty: everything. A file that is named
  /// itself is taken though it is ignored.
  std::vector<std::string> paths;
  std::function<bool(const std::string& path)> wanted;  ///< by its name alone
  std::function<bool()> stop;                           ///< asked for each directory
  std::size_t files_max = 200'000;
};

/// Pool thread: reads as many directories as there are.
[[nodiscard]] SourceTree find_sources(os::FileSystem& fs, const std::string& root,
                                      const TreeQuery& query);

}  // namespace orchestrator::runtime
