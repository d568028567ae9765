#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/git/git_program.h"
#include "runtime/git/worktrees.h"

namespace orchestrator::runtime {

/// All the work: git and the file system. Pool threads, one call at a time.
class Worktrees::Body {
 public:
  Body(std::string project, std::string program_path)
      : project_(std::move(project)),
        program_path_(std::move(program_path)),
        home_(project_ + "/.opencode/orchestrator/worktrees") {}

  static constexpr std::chrono::seconds kTreeTime{300};  ///< of what reads or writes all files

  std::atomic<bool> stop{false};

  base::Result<Usable> check();
  base::Result<Snapshot> snapshot(const std::string& mission, const std::string& after);
  base::Result<Added> add(const std::string& mission, const std::string& name,
                          const std::string& base);
  base::Result<Collected> collect(const std::string& mission, const std::string& name);
  base::Result<Merged> merge(const std::string& mission, const std::string& ours,
                             const std::string& theirs);
  base::Result<Applied> apply(const std::string& from, const std::string& to);
  base::Result<Done> remove(const std::string& mission, const std::string& name);
  base::Result<Done> remove_missions(const std::function<bool(const std::string&)>& which,
                                     bool leftovers);

 private:
  /// A repository with the files that belong to it.
  struct Place {
    std::string git_dir;
    std::string work_tree;
  };
  struct Tree {
    std::string id;
    std::vector<std::string> left_out;
  };

  base::Result<void> prepare();
  [[nodiscard]] Place here() const { return {git_dir_, project_}; }
  [[nodiscard]] GitCall call(const Place& place, std::vector<std::string> arguments) const;
  [[nodiscard]] GitCall call(std::vector<std::string> arguments) const {
    return call(here(), std::move(arguments));
  }
  /// A name of ours in `home_` that is not in use.
  std::string temporary(const std::string& kind);
  base::Result<std::string> copy_of_index(const Place& place);
  base::Result<Tree> present_tree(const Place& place);
  base::Result<Tree> present_tree(const Place& place, const std::string& index);
  base::Result<std::string> commit(const std::string& mission, const std::string& tree,
                                   const std::vector<std::string>& parents,
                                   const std::string& message);
  [[nodiscard]] base::Result<std::vector<RawEntry>> difference(const std::string& from,
                                                               const std::string& to) const;
  [[nodiscard]] ConflictSide side(const std::string& mode, const std::string& id) const;

  [[nodiscard]] std::string directory_of(const std::string& mission,
                                         const std::string& name) const {
    return home_ + "/" + mission + "." + name;
  }
  [[nodiscard]] std::string refs_of(const std::string& mission) const {
    return refs_ + mission + "/";
  }
  /// The ref that says that a worktree is whole, and its base.
  [[nodiscard]] std::string mark_of(const std::string& mission, const std::string& name) const {
    return refs_of(mission) + "at/" + name;
  }
  [[nodiscard]] base::Result<std::string> base_of(const std::string& mission,
                                                  const std::string& name) const;
  /// What git knows of a worktree: its directory in `worktrees` of the repository; empty: nothing.
  [[nodiscard]] std::string admin_of(const std::string& directory) const;
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> admins() const;
  base::Result<void> remove_directory(const std::string& directory);
  base::Result<void> remove_refs(const std::function<bool(const std::string&)>& which);
  [[nodiscard]] base::Result<void> home_is_ours() const;
  base::Result<void> make_home();
  [[nodiscard]] base::Result<void> set_mark(const std::string& mark, const std::string& base) const;
  base::Result<void> move(const Place& place, const std::string& mark, const std::string& from,
                          const std::string& to);
  base::Result<void> furnish(const std::string& directory) const;
  base::Result<void> copy_settings(const std::string& directory) const;

  const std::string project_;
  const std::string program_path_;
  const std::string home_;
  std::optional<GitProgram> git_;  ///< with the rest: once it is known that there is one
  std::string git_dir_;
  std::string common_dir_;
  std::string refs_;  ///< with the `/`; a linked worktree of the user's has its own
  std::uint64_t next_temporary_ = 1;
};

/// A path of the mission's own files, of which no Worker has a copy.
[[nodiscard]] bool is_state_path(std::string_view path);
/// What the host puts into a directory of its configuration.
[[nodiscard]] bool is_host_path(std::string_view path);
/// Whether a name may be part of a directory's and a ref's.
[[nodiscard]] bool is_plain_name(std::string_view name, bool dots);
[[nodiscard]] bool is_object_id(std::string_view id);

}  // namespace orchestrator::runtime
