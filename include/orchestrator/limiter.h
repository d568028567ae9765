#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "orchestrator/describe.h"
#include "orchestrator/ids.h"

/// State of the limiter (core/models/limiter.h).
namespace orchestrator {

/// Load of the machine. `high`: no limit grows; `critical`: besides, no further session begins.
enum class Load { calm, high, critical };
constexpr auto enum_names(Load) {
  return std::array{EnumName<Load>{Load::calm, "calm"}, EnumName<Load>{Load::high, "high"},
                    EnumName<Load>{Load::critical, "critical"}};
}

/// Circuit breaker of a model. closed: sessions ask it; open: none does; half_open: one session
/// tries it.
enum class Breaker { closed, open, half_open };
constexpr auto enum_names(Breaker) {
  return std::array{EnumName<Breaker>{Breaker::closed, "closed"},
                    EnumName<Breaker>{Breaker::open, "open"},
                    EnumName<Breaker>{Breaker::half_open, "half open"}};
}

/// Limit of one model, and how the model has answered; see core/models/limiter.h.
struct ModelLoad {
  std::string model;           ///< "provider/model"; empty: the host's choice, not known yet
  std::uint32_t limit = 0;     ///< sessions that may ask it at once now
  std::uint32_t ceiling = 0;   ///< number of sessions that was too many; 0: not known
  std::uint32_t run = 0;       ///< good answers since the limit last changed
  std::uint32_t failures = 0;  ///< in a row
  Breaker breaker = Breaker::closed;
  std::uint32_t trips = 0;   ///< in a row; each cooldown is longer
  TimeMs not_before_ms = 0;  ///< no session asks the model before this time
  TimeMs slowed_ms = 0;      ///< when its limit was last halved
  std::string error;         ///< its newest error, while it fails
  bool refused = false;      ///< it will not answer before a person fixes something
  std::uint32_t misses = 0;  ///< attempts above the ceiling, in a row, that met congestion

  ORCH_FIELDS(model, limit, ceiling, run, failures, breaker, trips, not_before_ms, slowed_ms, error,
              refused, misses);
};

struct Limiter {
  std::vector<ModelLoad> models;
  std::map<std::string, std::string> seen;  ///< role -> the model that the host chooses for it
  Load load = Load::calm;
  std::string load_why;
  std::uint32_t run = 0;  ///< good answers since `State::parallel` last changed
  TimeMs slowed_ms = 0;   ///< when `State::parallel` was last halved
  TimerId timer = 0;      ///< after it held sessions are checked again
  TimeMs timer_at_ms = 0;

  ORCH_FIELDS(models, seen, load, load_why, run, slowed_ms, timer, timer_at_ms);
};

}  // namespace orchestrator
