#pragma once

#include <string>
#include <utility>

#include "runtime/project/current_mission.h"
#include "runtime/project/derived.h"
#include "runtime/project/emit.h"
#include "runtime/project/engine_log.h"
#include "runtime/project/hold.h"
#include "runtime/project/inlet.h"
#include "runtime/project/mission_worktrees.h"
#include "runtime/project/observe.h"
#include "runtime/project/record.h"
#include "runtime/project/sync.h"
#include "runtime/project/world.h"

namespace orchestrator::runtime {

/// The stages of a project, and the data that they share. An event goes through decode
/// (codec/message.h) -> hold -> observe -> record -> sync -> emit; project.cc calls them in this
/// order. A member may use the members above it. Engine thread.
struct Pipeline {
  Pipeline(World a_world, const std::string& path, Inlet& inlet)
      : world(std::move(a_world)),
        root(path),
        log(world.log_to_file),
        mission{.store = MissionStore(world.files, root, world.log_limits)},
        observe(mission, world, root, log, inlet),
        worktrees(mission, world, root, log, observe, inlet),
        emit(mission, worktrees),
        derived(mission, log),
        sync(mission, emit),
        record(mission, world, log, sync, emit, derived),
        hold(mission, world, root, log, observe, emit, inlet) {}
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  const World world;
  const std::string root;
  EngineLog log;
  CurrentMission mission;
  Observe observe;
  MissionWorktrees worktrees;
  Emit emit;
  Derived derived;
  Sync sync;
  Record record;
  Hold hold;
};

}  // namespace orchestrator::runtime
