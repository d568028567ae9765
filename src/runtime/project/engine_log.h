#pragma once

#include <memory>
#include <string>

#include "orchestrator/options.h"
#include "runtime/project/log.h"

namespace orchestrator::runtime {

/// The file `engine.log` of a directory's mission. If it cannot be opened, only its lines are lost.
class EngineLog {
 public:
  /// `to_file`: false in a simulation, which writes no log.
  explicit EngineLog(bool to_file) : to_file_(to_file) {}

  void open(const std::string& path, LogLevel wanted);
  void note(LogLevel level, const std::string& line) const {
    if (log_) log_->write(level, line);
  }

 private:
  const bool to_file_;
  std::unique_ptr<Log> log_;
};

}  // namespace orchestrator::runtime
