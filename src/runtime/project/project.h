#pragma once

#include <memory>
#include <string>

#include "engine/directory.h"
#include "runtime/project/world.h"

namespace orchestrator::runtime {

/// The mission logic of one directory: log, step, effects. `options_json` contains the plugin's
/// options (the keys of `.opencode/orchestrator.json`) and `agents`, the names that a plan may use.
/// No file is read or written before the first message.
std::unique_ptr<engine::Directory> make_project(const std::string& path,
                                                const std::string& options_json,
                                                engine::Outbox& outbox);
/// The same in another `World`, whose `files` must outlive it.
std::unique_ptr<engine::Directory> make_project(const std::string& path,
                                                const std::string& options_json,
                                                engine::Outbox& outbox, World world);

}  // namespace orchestrator::runtime
