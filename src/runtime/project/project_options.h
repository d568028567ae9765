#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "orchestrator/options.h"
#include "os/file_system.h"

namespace orchestrator::runtime {

/// What a mission of one directory starts with: defaults, then the plugin's options, then
/// `.opencode/orchestrator.json`. Engine thread.
class ProjectOptions {
 public:
  /// `plugin_json`: `{"options": {…}, "agents": [name…]}`. Mistakes in it are kept for `read`.
  ProjectOptions(os::FileSystem& fs, std::string root, const std::string& plugin_json);

  /// Reads the project's file anew; an error lists every mistake of it, or of the plugin's options.
  [[nodiscard]] base::Result<Options> read() const;
  /// Names that a plan may assign a task to.
  [[nodiscard]] const std::vector<std::string>& agents() const { return agents_; }

 private:
  os::FileSystem& fs_;
  std::string root_;
  Options plugin_;
  std::vector<std::string> agents_ = {"worker"};
  std::string problem_;
};

/// Keys that are set, and that this version does not act on.
[[nodiscard]] std::vector<std::string> options_without_effect(const Options& options);

}  // namespace orchestrator::runtime
