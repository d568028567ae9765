#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace orchestrator::runtime {

enum class LogLevel { debug, info, warning, error, off };

/// A rotating log file for people. Never give it prompts, file contents or secrets. Thread-safe;
/// writing never throws, and never fails loudly: a full disk costs log lines, not a mission.
class Log {
 public:
  virtual ~Log() = default;

  /// Appends to `path`, whose directory must exist; over `bytes_max` it becomes `path.1` and so on,
  /// `files_max` in all.
  static base::Result<std::unique_ptr<Log>> open(const std::string& path, LogLevel level,
                                                 size_t bytes_max = 5U << 20U,
                                                 size_t files_max = 3);

  /// One line, with time and level in front. Line feeds in `text` are written as they are.
  virtual void write(LogLevel level, std::string_view text) = 0;
  virtual void set_level(LogLevel level) = 0;
};

}  // namespace orchestrator::runtime
