#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/effect.h"
#include "orchestrator/event.h"

/// OpenCode and git as unit tests and the simulator need them: models in memory, on a virtual
/// clock.
namespace orchestrator::opencode_model {

/// Files and what is in them, a number for each text. Paths are relative to their directory.
using Files = std::map<std::string, int>;

/// The text of a path; 0: the file does not exist.
[[nodiscard]] int text_in(const Files& files, const std::string& path);
/// Paths whose texts differ.
[[nodiscard]] std::set<std::string> differing(const Files& a, const Files& b);

/// Git with the worktrees of missions: snapshots, worktrees, three-way merges of whole files, and
/// an `apply` that overwrites no change. It answers each `AskWorktrees` as the runtime's own
/// worktrees do (runtime/git/worktrees.h); every call may be repeated. Nothing goes wrong in it:
/// its users add faults and time.
class GitModel {
 public:
  struct Tree {
    std::string directory;
    std::string base;  ///< a commit
    Files files;
  };

  /// Worktrees stand in `<root>/<mission>.<name>`.
  explicit GitModel(std::string root) : root_(std::move(root)) {}

  /// Does what is asked. `problem` is set where the real git would refuse.
  WorktreesAnswered answer(const AskWorktrees& question);
  /// Brings the first half of an `apply` into the project, as a process does that dies in the
  /// middle.
  WorktreesAnswered apply_half(const AskWorktrees& question);
  /// Removes all worktrees of other missions.
  void sweep(const std::set<std::string>& active);

  /// A text that no file has had before.
  [[nodiscard]] int new_text() { return ++texts_; }
  [[nodiscard]] Files& project() { return project_; }
  [[nodiscard]] const Files& project() const { return project_; }
  /// The files in a directory: "" is the project's own. Null: it is gone.
  [[nodiscard]] Files* files_in(const std::string& directory);
  /// Worktrees by `<mission>.<name>`.
  [[nodiscard]] const std::map<std::string, Tree>& trees() const { return trees_; }
  [[nodiscard]] const Tree* tree(const std::string& directory) const;
  /// Whether a merge of `theirs` into `ours` would change nothing: its work is in there.
  [[nodiscard]] bool has_work_of(const std::string& ours, const std::string& theirs) const;
  [[nodiscard]] const Files& files_of(const std::string& commit) const {
    return commits_.at(commit).files;
  }

 private:
  struct Commit {
    Files files;
    std::vector<std::string> parents;
  };

  void snapshot(const AskWorktrees& question, WorktreesAnswered& answer);
  void add(const AskWorktrees& question, WorktreesAnswered& answer);
  void collect(const AskWorktrees& question, WorktreesAnswered& answer);
  void merge(const AskWorktrees& question, WorktreesAnswered& answer);
  void apply(const AskWorktrees& question, std::size_t most, WorktreesAnswered& answer);
  void remove(const AskWorktrees& question);
  std::string commit(Files files, std::vector<std::string> parents);
  [[nodiscard]] const Commit* find(const std::string& id, WorktreesAnswered& answer) const;
  [[nodiscard]] std::set<std::string> ancestors(const std::string& id) const;
  /// The texts that both sides had before they parted.
  [[nodiscard]] Files merge_base(const std::string& ours, const std::string& theirs) const;

  const std::string root_;
  Files project_;
  std::map<std::string, Tree> trees_;
  std::map<std::string, Commit> commits_;
  int texts_ = 0;
};

}  // namespace orchestrator::opencode_model
