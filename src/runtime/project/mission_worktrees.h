#pragma once

#include <memory>
#include <string>

#include "engine/directory.h"
#include "orchestrator/effect.h"
#include "os/file_system.h"
#include "runtime/git/worktree_service.h"
#include "runtime/project/current_mission.h"
#include "runtime/project/engine_log.h"
#include "runtime/project/inlet.h"
#include "runtime/project/observe.h"
#include "runtime/project/world.h"

namespace orchestrator::runtime {

/// The worktrees of a directory's missions, as its Project uses them: what the mission asks of git,
/// and what crashes have left of others. Engine thread.
class MissionWorktrees {
 public:
  /// All of them outlive it. Answers of git enter by `inlet`.
  MissionWorktrees(const CurrentMission& mission, const World& world, std::string root,
                   const EngineLog& log, Observe& observe, Inlet& inlet);
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

  const CurrentMission& mission_;
  const World& world_;
  const std::string root_;
  const EngineLog& log_;
  Observe& observe_;
  Inlet& inlet_;
  std::unique_ptr<os::DirectoryLock> lock_;
  std::unique_ptr<WorktreeService> keeper_;
};

}  // namespace orchestrator::runtime
