#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "opencode_model/git.h"
#include "runtime/git/worktree_service.h"
#include "sim/disk.h"
#include "sim/faults.h"
#include "sim/random.h"
#include "sim/timeline.h"

namespace orchestrator::sim {

/// The files of the simulated project and of its worktrees, and the git that a mission asks about
/// them: the model's git with time and faults. It outlives processes; what is written is on the
/// disk at once.
class Git {
 public:
  Git(Faults& faults, Timeline& timeline, Disk& disk, std::uint64_t seed);

  /// For a process: what it asks of git. One call after the other; with the service, calls die that
  /// have not begun.
  [[nodiscard]] std::unique_ptr<runtime::WorktreeService> service();

  /// A file gets a new text; in a directory that is gone nothing happens.
  void write(const std::string& directory, const std::string& path);
  /// Counts what happens to files and what looks at them.
  [[nodiscard]] std::uint64_t next_tick() { return ++tick_; }
  /// Whether a file of these globs has changed after `tick`.
  [[nodiscard]] bool changed_since(const std::string& directory, std::uint64_t tick,
                                   const std::vector<std::string>& globs) const;
  [[nodiscard]] const opencode_model::GitModel& model() const { return model_; }

  struct Counts {
    std::set<MissionId> missions;  ///< that had a worktree
    std::uint64_t worktrees = 0;
    std::uint64_t merges = 0;  ///< clean ones
    std::uint64_t conflicts = 0;
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  class Service;

  [[nodiscard]] WorktreesAnswered carry_out(const AskWorktrees& question);
  void begin(const AskWorktrees& question);
  void sweep(const std::set<std::string>& active);
  /// The disk holds what the model does.
  void show(const std::string& directory, const std::string& path);
  void clear_disk();

  Faults& faults_;
  Timeline& timeline_;
  Disk& disk_;
  Random random_;
  opencode_model::GitModel model_;
  /// Directory -> path -> when it last changed.
  std::map<std::string, std::map<std::string, std::uint64_t>> changed_;
  std::set<std::string> on_disk_;  ///< worktrees' directories
  Counts counts_;
  std::uint64_t tick_ = 0;
};

}  // namespace orchestrator::sim
