#include "runtime/project/engine_log.h"

#include <array>
#include <utility>

namespace orchestrator::runtime {

void EngineLog::open(const std::string& path, orchestrator::LogLevel wanted) {
  if (!to_file_) return;
  const std::array levels{LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error};
  auto opened = Log::open(path, levels.at(static_cast<std::size_t>(wanted)));
  log_ = opened.ok() ? std::move(opened).value() : nullptr;
}

}  // namespace orchestrator::runtime
