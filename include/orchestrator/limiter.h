#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "orchestrator/describe.h"
#include "orchestrator/ids.h"

/// How much is asked of models at once, and of the machine.
namespace orchestrator {

/// Of the machine. `high`: no limit grows; `critical`: besides, no further session is begun.
enum class Load { calm, high, critical };
constexpr auto enum_names(Load) {
  return std::array{EnumName<Load>{Load::calm, "calm"}, EnumName<Load>{Load::high, "high"},
                    EnumName<Load>{Load::critical, "critical"}};
}

/// closed: asked freely; open: not asked; half_open: one session tries it.
enum class Breaker { closed, open, half_open };
constexpr auto enum_names(Breaker) {
  return std::array{EnumName<Breaker>{Breaker::closed, "closed"},
                    EnumName<Breaker>{Breaker::open, "open"},
                    EnumName<Breaker>{Breaker::half_open, "half open"}};
}

/// How one model has answered, and what it is asked for at once; see core/models/limiter.h.
struct ModelLoad {
  std::string model;           ///< "provider/model"; empty: the host's choice, not known yet
  std::uint32_t limit = 0;     ///< sessions that may ask it at once now
  std::uint32_t ceiling = 0;   ///< so many were too many; 0: not known
  std::uint32_t run = 0;       ///< good answers since the limit last changed
  std::uint32_t failures = 0;  ///< in a row
  Breaker breaker = Breaker::closed;
  std::uint32_t trips = 0;   ///< in a row; each cooldown is longer
  TimeMs not_before_ms = 0;  ///< no session asks the model before
  TimeMs slowed_ms = 0;      ///< when its limit was last halved
  std::string error;         ///< its newest, while it fails
  bool refused = false;      ///< it will not answer before a person fixes something
  std::uint32_t misses = 0;  ///< times in a row that more than the ceiling allows was too much

  ORCH_FIELDS(model, limit, ceiling, run, failures, breaker, trips, not_before_ms, slowed_ms, error,
              refused, misses);
};

struct Limiter {
  std::vector<ModelLoad> models;
  std::map<std::string, std::string> seen;  ///< role -> the model that the host gives it by itself
  Load load = Load::calm;
  std::string load_why;
  std::uint32_t run = 0;  ///< good answers since `State::parallel` last changed
  TimeMs slowed_ms = 0;   ///< when that was last halved
  TimerId timer = 0;      ///< held sessions are looked at again then
  TimeMs timer_at_ms = 0;

  ORCH_FIELDS(models, seen, load, load_why, run, slowed_ms, timer, timer_at_ms);
};

}  // namespace orchestrator
