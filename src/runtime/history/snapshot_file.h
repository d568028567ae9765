#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "orchestrator/mission.h"
#include "os/file_system.h"

namespace orchestrator::runtime {

/// A larger file is no snapshot.
inline constexpr std::uint64_t kSnapshotBytesMax = 64U << 20U;

/// `.opencode/mission_loop.json` as it was read.
struct Snapshot {
  std::optional<State> state;
  std::string fault;  ///< why it cannot be used; empty: it can, or there is none
  bool missing = false;
};

/// The file's content: the state as JSON, with its checksum as the first field.
[[nodiscard]] std::string snapshot_text(const State& state);

/// A file that does not fit its checksum has a fault. One without a checksum, as earlier versions
/// wrote it, is taken as it is. An Error: it is of a newer version, or the disk does not give it.
[[nodiscard]] base::Result<Snapshot> read_snapshot(os::FileSystem& fs, const std::string& path);
/// The same for content that was read; an Error shows `path`.
[[nodiscard]] base::Result<Snapshot> parse_snapshot(const std::string& text,
                                                    const std::string& path);

}  // namespace orchestrator::runtime
