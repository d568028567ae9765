#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "orchestrator/options.h"
#include "os/file_system.h"

namespace orchestrator::runtime {

/// Options for the next mission of a directory: defaults, overridden by the plugin's options,
/// overridden by `.opencode/orchestrator.json`. Engine thread.
class ProjectOptions {
 public:
  /// `plugin_json`: `{"options": {…}, "agents": [name…]}`. `read` reports mistakes in it.
  ProjectOptions(os::FileSystem& fs, std::string root, const std::string& plugin_json);

  /// Reads the project's file again. An error lists every mistake in it, or in the plugin's
  /// options.
  [[nodiscard]] base::Result<Options> read() const;
  /// Names of the agents that a plan may assign tasks to.
  [[nodiscard]] const std::vector<std::string>& agents() const { return agents_; }

 private:
  os::FileSystem& fs_;
  std::string root_;
  Options plugin_;
  std::vector<std::string> agents_ = {"worker"};
  std::string problem_;
};

/// Keys that are set and that this version does not use.
[[nodiscard]] std::vector<std::string> options_without_effect(const Options& options);

}  // namespace orchestrator::runtime
