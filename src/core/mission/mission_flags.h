#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/mission.h"

namespace orchestrator::core {

/// Flags and objective of `/task`.
struct MissionFlags {
  std::string objective;
  std::optional<std::uint32_t> parallel;
  std::optional<std::uint64_t> budget_tokens;
  std::optional<double> budget_usd;
  std::optional<TimeMs> time_ms;
  std::optional<Isolation> isolation;
  bool background = false;
  std::vector<std::string> problems;  ///< each says what is wrong and how to fix it
};

/// Separates the flags, before or after it, from the objective, which stays byte for byte. In `run`
/// mode the host puts quotes around arguments that contain spaces; they are removed (host contract
/// A.16).
[[nodiscard]] MissionFlags parse_mission_flags(const std::string& arguments, HostMode mode);

}  // namespace orchestrator::core
