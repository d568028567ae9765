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

/// The worktrees of a directory's missions: carries out the mission's requests to git, and removes
/// what crashes of earlier missions have left. Engine thread.
class MissionWorktrees {
 public:
  /// The references must outlive this object. Answers of git enter by `inlet`.
  MissionWorktrees(const CurrentMission& mission, const World& world, std::string root,
                   const EngineLog& log, Observe& observe, Inlet& inlet);
  ~MissionWorktrees();
  MissionWorktrees(const MissionWorktrees&) = delete;
  MissionWorktrees& operator=(const MissionWorktrees&) = delete;

  /// Asks git; the answer enters as an event.
  void ask(const AskWorktrees& question, engine::Outbox& outbox);
  /// Removes the worktrees of all missions but the active one. If none is active, it holds the
  /// directory's lock meanwhile, and does nothing if another process holds it.
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
