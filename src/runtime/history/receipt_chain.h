#pragma once

#include <string>

#include "orchestrator/event.h"
#include "orchestrator/mission.h"

/// Receipts are a chain: each carries the hash of the one before it and of all that it says, so
/// that none can be added, changed, moved or taken out of a log without breaking every later one.
/// The core may not hash; the links are computed here and kept in the event.
namespace orchestrator::runtime {

/// Makes a run the next link of the mission's chain. `at_ms` is its event's time.
void add_link(const State& state, CommandRan& ran, TimeMs at_ms);

/// What is wrong with a run as the next link, or nothing. `state`: before the event's step. Runs of
/// logs that are older than the chain have no link; none may follow one that has.
[[nodiscard]] std::string why_not_next_link(const State& state, const CommandRan& ran,
                                            TimeMs at_ms);

}  // namespace orchestrator::runtime
