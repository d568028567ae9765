#pragma once

#include <memory>
#include <string>

#include "runtime/engine.h"

namespace orchestrator::runtime {

/// The mission logic of one directory: log, step, effects. `options_json` holds the plugin's
/// options (the keys of `.opencode/orchestrator.json`) and `agents`, the names that a plan may use.
/// Nothing is read or written before the first message.
std::unique_ptr<Directory> make_project(const std::string& path, const std::string& options_json,
                                        Outbox& outbox);

}  // namespace orchestrator::runtime
