#pragma once

#include <string>

#include "orchestrator/mission.h"

/// Error class of a failed turn, found from the host's error.
namespace orchestrator::core {

/// `name`, `message` and `status` (of HTTP, 0: none) as a `session.error` has them; for a
/// `session.status` of type retry only the message is known.
[[nodiscard]] ErrorClass classify(const std::string& name, const std::string& message,
                                  std::int64_t status);

/// Whether fewer requests at once would help.
[[nodiscard]] bool is_congestion(ErrorClass error_class);
/// Whether the cause is the model or the network and not the session: such a loss costs a task no
/// attempt, within bounds.
[[nodiscard]] bool blames_model(ErrorClass error_class);

}  // namespace orchestrator::core
