#pragma once

#include <string>

#include "orchestrator/mission.h"

/// What went wrong with a turn, by the words that the host has for it.
namespace orchestrator::core {

/// `name`, `message` and `status` (of HTTP, 0: none) as a `session.error` has them; for a
/// `session.status` of type retry only the message is known.
[[nodiscard]] Fault classify(const std::string& name, const std::string& message,
                             std::int64_t status);

/// Asking for less at once helps.
[[nodiscard]] bool is_congestion(Fault fault);
/// The model or the way to it is to blame, not the session: what is lost by it costs a task no
/// attempt, within bounds.
[[nodiscard]] bool blames_model(Fault fault);

}  // namespace orchestrator::core
