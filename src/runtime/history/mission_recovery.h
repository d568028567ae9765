#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "orchestrator/mission.h"
#include "os/file_system.h"
#include "runtime/history/replay.h"
#include "runtime/history/snapshot_file.h"

namespace orchestrator::runtime {

/// Where a directory's mission is kept.
struct MissionPaths {
  explicit MissionPaths(const std::string& root)
      : opencode(root + "/.opencode"),
        directory(opencode + "/orchestrator"),
        snapshot(opencode + "/mission_loop.json"),
        todo(opencode + "/todo.md"),
        lock(directory + "/lock"),
        ignore(directory + "/.gitignore") {}
  std::string opencode;
  std::string directory;
  std::string snapshot;
  std::string todo;
  std::string lock;
  std::string ignore;
};

/// The newest state that the files on disk give, and their faults.
struct Recovery {
  bool found = false;
  State state;
  /// The snapshot's state alone, for showing a mission that another process moves.
  std::optional<State> snapshot;
  std::string snapshot_fault;  ///< why it cannot be used; empty: it can, or there is none
  bool snapshot_missing = false;
  /// The log that grows, as it was found. Absent: there is none.
  std::optional<SegmentEnd> log;
  std::uint64_t log_reaches = 0;         ///< the last sound event of its newest file; 0: none
  std::optional<Divergence> divergence;  ///< replay and log disagree

  /// The state can be gone on with by appending to the log that is there.
  [[nodiscard]] bool log_goes_on() const;
  /// Whether something must be written before the mission goes on.
  [[nodiscard]] bool needs_repair() const;
};

/// Looks only; changes nothing. `until`: events behind this one are left out (they were never
/// acknowledged). An Error: something there is of a newer version, or the disk does not give it;
/// then nothing may be touched.
[[nodiscard]] base::Result<Recovery> recover_mission(os::FileSystem& fs, const MissionPaths& paths);
/// The same with a snapshot that was read already.
[[nodiscard]] base::Result<Recovery> recover_mission(os::FileSystem& fs, const MissionPaths& paths,
                                                     Snapshot snapshot);
/// The same for one mission, up to an event, without a look at any other.
[[nodiscard]] base::Result<Recovery> recover_until(os::FileSystem& fs, const MissionPaths& paths,
                                                   const MissionId& mission, std::uint64_t until);

}  // namespace orchestrator::runtime
