#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "os/program.h"

namespace orchestrator::runtime {

/// One run of git.
struct GitCall {
  std::vector<std::string> arguments;
  std::string directory;    ///< where it runs
  std::string git_dir{};    ///< empty: git looks for it, from the directory upwards
  std::string work_tree{};  ///< empty: git's own idea
  std::string index{};      ///< empty: the repository's
  std::string input{};
  std::size_t output_max = std::size_t{256} << 20U;
  std::chrono::seconds time_max{60};
};

/// The user's git, run so that nothing but what a call names is touched: no shell, no hook, no
/// network, no question at a terminal, no signature, no collection of garbage, no watching daemon,
/// and of the environment's GIT_ variables only those that are configuration. Filters and merge
/// drivers of the user's own configuration do run, as they would for the user. Pool threads.
class GitProgram {
 public:
  /// The first `git` on `program_path` (like PATH) that does not lie in `project`, of a version
  /// that has `merge-tree --write-tree`. `stop` ends what runs; it outlives this object.
  static base::Result<GitProgram> find(const std::string& program_path, const std::string& project,
                                       const std::atomic<bool>& stop);

  /// Whatever exit code it ends with.
  [[nodiscard]] base::Result<os::ProgramEnd> run(const GitCall& call) const;
  /// Its output, where it ends with 0; else git's own words. Too much output is an error.
  [[nodiscard]] base::Result<std::string> output_of(const GitCall& call) const;
  /// The same without the line's end that git puts behind a single value.
  [[nodiscard]] base::Result<std::string> line_of(const GitCall& call) const;

  [[nodiscard]] const std::string& version() const { return version_; }

 private:
  GitProgram(std::string path, const std::atomic<bool>& stop)
      : path_(std::move(path)), stop_(&stop) {}

  std::string path_;
  std::string version_;
  const std::atomic<bool>* stop_;
};

/// The parts of an output that each end with a NUL.
[[nodiscard]] std::vector<std::string> nul_separated(std::string_view output);

/// A line of `git diff-… --raw -z --no-renames`: what a path was, and what it is.
struct RawEntry {
  static constexpr std::string_view kNothing = "000000";  ///< the mode of what is not there
  static constexpr std::string_view kGitlink = "160000";  ///< of a submodule

  std::string old_mode{};
  std::string new_mode{};
  std::string old_id{};
  std::string new_id{};
  std::string path{};

  [[nodiscard]] bool is_gitlink() const { return old_mode == kGitlink || new_mode == kGitlink; }
};
[[nodiscard]] std::vector<RawEntry> raw_entries(std::string_view output);
/// Paths for a command that reads them with `-z --stdin`.
[[nodiscard]] std::string nul_joined(const std::vector<std::string>& paths);

/// The error of a run that ended with another code than 0: the first line that git wrote.
[[nodiscard]] base::Error git_error(const std::string& command, const os::ProgramEnd& end);

}  // namespace orchestrator::runtime
