#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/faults.h"
#include "sim/violation.h"

namespace orchestrator::sim {

/// Size of a mission at one moment of its life.
struct Sample {
  std::uint64_t virtual_ms = 0;
  std::uint64_t events = 0;
  std::uint64_t snapshot_bytes = 0;
  std::uint64_t log_bytes = 0;   ///< size of all its log files
  std::uint64_t disk_bytes = 0;  ///< memory of this process for the simulated disk
};

struct RunOptions {
  std::uint64_t seed = 1;
  /// Only these faults may happen; absent: those that the seed chooses.
  std::optional<std::vector<Hit>> only;
  std::size_t trace_lines = 0;  ///< number of last lines that are kept
  /// Virtual hours of one mission that never ends, with everyday faults only. Invariants that need
  /// the whole history are not checked. 0: an ordinary run.
  std::uint32_t endless_hours = 0;
  /// Called once in each of those hours.
  std::function<void(const Sample&)> sampled;
};

struct RunResult {
  std::optional<Violation> violation;
  std::vector<Hit> hits;  ///< the faults that happened
  std::string outcome;    ///< the last mission's phase
  std::uint32_t missions = 0;
  std::uint32_t processes = 0;
  std::uint64_t messages = 0;
  std::uint64_t events = 0;  ///< events of the last mission
  std::uint64_t disk_calls = 0;
  std::uint64_t virtual_ms = 0;
  std::uint64_t in_worktrees = 0;  ///< missions with worktrees
  std::uint64_t worktrees = 0;
  std::uint64_t races = 0;       ///< raced tasks
  std::uint64_t merges = 0;      ///< merges without a conflict
  std::uint64_t conflicts = 0;   ///< merges with a conflict
  std::uint64_t deaths = 0;      ///< processes that died
  std::uint64_t trace_hash = 0;  ///< over all messages in both directions, and all files at the end
  std::vector<std::string> trace;
};

/// Simulates one directory from its first mission to that mission's end, with faults. The same
/// options give the same result, byte for byte. Any thread; nothing is shared.
[[nodiscard]] RunResult simulate(const RunOptions& options);

/// The shortest list of faults, found within a number of further runs, that still breaks the same
/// invariant.
[[nodiscard]] std::vector<Hit> shrink(const RunOptions& options, const RunResult& failed,
                                      std::uint32_t runs_most);

}  // namespace orchestrator::sim
