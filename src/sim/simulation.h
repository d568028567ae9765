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

/// How much there is of a mission at one moment of its life.
struct Sample {
  std::uint64_t virtual_ms = 0;
  std::uint64_t events = 0;
  std::uint64_t snapshot_bytes = 0;
  std::uint64_t log_bytes = 0;  ///< all its files together
  std::uint64_t disk_bytes =
      0;  ///< all that is kept of the simulated disk, in this process's memory
};

struct RunOptions {
  std::uint64_t seed = 1;
  /// Nothing but these faults may happen; absent: what the seed says.
  std::optional<std::vector<Hit>> only;
  std::size_t trace_lines = 0;  ///< so many of the last lines are kept
  /// One mission that is never done, for so many virtual hours, with the faults of everyday life;
  /// what needs a memory of all of it is not checked.
  std::uint32_t endless_hours = 0;
  /// Told how much there is, once in each of those hours.
  std::function<void(const Sample&)> sampled;
};

struct RunResult {
  std::optional<Violation> violation;
  std::vector<Hit> hits;  ///< the faults that happened
  std::string outcome;    ///< the last mission's phase
  std::uint32_t missions = 0;
  std::uint32_t processes = 0;
  std::uint64_t messages = 0;
  std::uint64_t events = 0;  ///< of the last mission
  std::uint64_t disk_calls = 0;
  std::uint64_t virtual_ms = 0;
  std::uint64_t in_worktrees = 0;  ///< missions that had worktrees
  std::uint64_t worktrees = 0;
  std::uint64_t races = 0;       ///< tasks that were raced
  std::uint64_t merges = 0;      ///< clean ones
  std::uint64_t conflicts = 0;   ///< merges that were not
  std::uint64_t deaths = 0;      ///< of processes
  std::uint64_t trace_hash = 0;  ///< over all messages both ways, and all files at the end
  std::vector<std::string> trace;
};

/// One simulated directory from its first mission to that mission's end, with all that goes wrong
/// on the way. The same options give the same result, byte for byte. Any thread; nothing is shared.
[[nodiscard]] RunResult simulate(const RunOptions& options);

/// Which of the faults are needed: the shortest list found that still breaks the same invariant,
/// within so many further runs.
[[nodiscard]] std::vector<Hit> shrink(const RunOptions& options, const RunResult& failed,
                                      std::uint32_t runs_most);

}  // namespace orchestrator::sim
