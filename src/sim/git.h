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

/// The simulated git: the files of the project and of its worktrees, on top of opencode_model's
/// git, with delays and faults. It outlives processes, and writes reach the disk at once.
class Git {
 public:
  Git(Faults& faults, Timeline& timeline, Disk& disk, std::uint64_t seed);

  /// The worktree service for a process. It handles one call after the other; calls that have not
  /// begun are dropped with the service.
  [[nodiscard]] std::unique_ptr<runtime::WorktreeService> service();

  /// Gives a file a new text; does nothing if the directory is gone.
  void write(const std::string& directory, const std::string& path);
  /// Counts changes and observations of files, so that their order is known.
  [[nodiscard]] std::uint64_t next_tick() { return ++tick_; }
  /// Whether a file of these globs has changed after `tick`.
  [[nodiscard]] bool changed_since(const std::string& directory, std::uint64_t tick,
                                   const std::vector<std::string>& globs) const;
  [[nodiscard]] const opencode_model::GitModel& model() const { return model_; }

  struct Counts {
    std::set<MissionId> missions;  ///< missions that had a worktree
    std::uint64_t worktrees = 0;
    std::uint64_t merges = 0;  ///< merges without a conflict
    std::uint64_t conflicts = 0;
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  class Service;

  [[nodiscard]] WorktreesAnswered carry_out(const AskWorktrees& question);
  void begin(const AskWorktrees& question);
  void sweep(const std::set<std::string>& active);
  /// Copies a file of the model to the simulated disk.
  void show(const std::string& directory, const std::string& path);
  void clear_disk();

  Faults& faults_;
  Timeline& timeline_;
  Disk& disk_;
  Random random_;
  opencode_model::GitModel model_;
  /// Directory -> path -> when it last changed.
  std::map<std::string, std::map<std::string, std::uint64_t>> changed_;
  std::set<std::string> on_disk_;  ///< directories of worktrees on the disk
  Counts counts_;
  std::uint64_t tick_ = 0;
};

}  // namespace orchestrator::sim
