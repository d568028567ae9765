#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "os/file_system.h"
#include "runtime/engine.h"

namespace orchestrator::runtime {

/// All that a project's logic touches besides its outbox (which also tells the time), so that a
/// simulation can put its own in place.
struct World {
  os::FileSystem& files;
  std::function<std::uint64_t()> random;
  bool log_to_file = true;  ///< `engine.log`, which is not written through `files`
};

/// The machine's own.
World posix_world();

/// The mission logic of one directory: log, step, effects. `options_json` holds the plugin's
/// options (the keys of `.opencode/orchestrator.json`) and `agents`, the names that a plan may use.
/// Nothing is read or written before the first message.
std::unique_ptr<Directory> make_project(const std::string& path, const std::string& options_json,
                                        Outbox& outbox);
/// The same in another world, whose `files` must outlive it.
std::unique_ptr<Directory> make_project(const std::string& path, const std::string& options_json,
                                        Outbox& outbox, World world);

}  // namespace orchestrator::runtime
