#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "orchestrator/options.h"

namespace orchestrator::runtime {

/// A rotating log file for people. Never write prompts, file contents or secrets to it.
/// Thread-safe. Writing never throws and reports no error: with a full disk only log lines are
/// lost.
class Log {
 public:
  virtual ~Log() = default;

  /// Appends to `path`, whose directory must exist. Above `bytes_max` the file is renamed to
  /// `path.1` and so on; at most `files_max` files are kept.
  static base::Result<std::unique_ptr<Log>> open(const std::string& path, LogLevel level,
                                                 size_t bytes_max = 5U << 20U,
                                                 size_t files_max = 3);

  /// Writes one line with time and level in front. Line feeds in `text` are kept.
  virtual void write(LogLevel level, std::string_view text) = 0;
  virtual void set_level(LogLevel level) = 0;
};

}  // namespace orchestrator::runtime
