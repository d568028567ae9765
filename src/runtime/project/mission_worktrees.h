#pragma once

#include <memory>
#include <string>

#include "engine/directory.h"
#include "orchestrator/effect.h"
#include "os/file_system.h"
#include "runtime/git/worktree_service.h"
#include "runtime/project/gates.h"
#include "runtime/project/mission_access.h"
#include "runtime/project/world.h"

namespace orchestrator::runtime {

/// The worktrees of a directory's missions, as its Project uses them: what the mission asks of git,
/// and what crashes have left of others. Engine thread; what it runs calls back into the mission
/// and its gates, which outlive it.
class MissionWorktrees {
 public:
  /// `lock_path`: the lock of the directory's mission.
  MissionWorktrees(MissionAccess& mission, Gates& gates, const World& world, std::string root,
                   std::string lock_path);
  ~MissionWorktrees();
  MissionWorktrees(const MissionWorktrees&) = delete;
  MissionWorktrees& operator=(const MissionWorktrees&) = delete;

  /// The answer is recorded when it comes.
  void ask(const AskWorktrees& question, engine::Outbox& outbox);
  /// Removes the worktrees of all missions but the active one. Where none is active, the lock is
  /// held meanwhile; where another process holds it, nothing is done.
  void sweep(const std::string& active, engine::Outbox& outbox);
  /// A mission begins, which takes the lock: its own calls come after the sweep's.
  void give_lock_back() { lock_.reset(); }

 private:
  WorktreeService* keeper();

  MissionAccess& mission_;
  Gates& gates_;
  const World& world_;
  const std::string root_;
  const std::string lock_path_;
  std::unique_ptr<os::DirectoryLock> lock_;
  std::unique_ptr<WorktreeService> keeper_;
};

}  // namespace orchestrator::runtime
