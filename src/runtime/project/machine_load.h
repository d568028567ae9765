#pragma once

#include <functional>
#include <string>

#include "orchestrator/mission.h"

/// The machine's load, from Linux's /proc. On other systems it is unknown and counts as calm.
namespace orchestrator::runtime {

/// Numbers below 0 are not known.
struct MachineLoad {
  double cpu_stall = -1;      ///< percent of the last 10 s in which a task waited for a processor
  double memory_stall = -1;   ///< ... in which all tasks waited for memory
  double io_stall = -1;       ///< ... in which all tasks waited for a disk
  double load_per_core = -1;  ///< running and waiting threads per core, in the last minute
  double memory_free = -1;    ///< percent of the memory that is available
};

/// Reads the load. `read` returns a file's text, empty for a missing one; the files are
/// /proc/pressure/*, /proc/loadavg and /proc/meminfo.
[[nodiscard]] MachineLoad read_machine(const std::function<std::string(const std::string&)>& read,
                                       unsigned cores);

struct LoadVerdict {
  Load load = Load::calm;
  std::string why;  ///< the figure behind the verdict
};

/// Judges the load. A verdict becomes lower than `before` only if the figures are clearly lower, so
/// that it does not change back and forth.
[[nodiscard]] LoadVerdict judge_load(const MachineLoad& machine, Load before);

}  // namespace orchestrator::runtime
