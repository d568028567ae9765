#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/mission.h"

namespace orchestrator::core {

/// What `/task` was given.
struct MissionFlags {
  std::string objective;
  std::optional<std::uint32_t> parallel;
  std::optional<std::uint64_t> budget_tokens;
  std::optional<double> budget_usd;
  std::optional<TimeMs> time_ms;
  std::optional<Isolation> isolation;
  bool background = false;
  std::vector<std::string> problems;  ///< all of them, each with its mend
};

/// Splits flags (before or after the objective) from the objective, which keeps every byte of its
/// own. In `run` mode the host has put quotes around arguments that hold spaces; they are taken off
/// again (host contract A.16).
[[nodiscard]] MissionFlags parse_mission_flags(const std::string& arguments, HostMode mode);

}  // namespace orchestrator::core
