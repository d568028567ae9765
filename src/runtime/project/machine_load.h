#pragma once

#include <functional>
#include <string>

#include "orchestrator/mission.h"

/// How busy the machine is, as Linux tells it. Where it does not, nothing is known and all is calm.
namespace orchestrator::runtime {

/// Numbers below 0 are not known.
struct MachineLoad {
  double cpu_stall = -1;     ///< percent of the last 10 s in which something waited for a processor
  double memory_stall = -1;  ///< ... in which everything waited for memory
  double io_stall = -1;      ///< ... for a disk
  double load_per_core = -1;  ///< running and waiting threads, of the last minute
  double memory_free = -1;    ///< percent that is available
};

/// `read` gives a file's text, empty where there is none: /proc/pressure/*, /proc/loadavg,
/// /proc/meminfo.
[[nodiscard]] MachineLoad read_machine(const std::function<std::string(const std::string&)>& read,
                                       unsigned cores);

struct LoadVerdict {
  Load load = Load::calm;
  std::string why;  ///< the figure that says so
};

/// What was busy `before` must have become clearly calmer to be called so: the verdict does not
/// flutter.
[[nodiscard]] LoadVerdict judge_load(const MachineLoad& machine, Load before);

}  // namespace orchestrator::runtime
