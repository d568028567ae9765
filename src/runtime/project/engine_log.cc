#include "runtime/project/engine_log.h"

#include <utility>

namespace orchestrator::runtime {

void EngineLog::open(const std::string& path, LogLevel wanted) {
  if (!to_file_) return;
  auto opened = Log::open(path, wanted);
  log_ = opened.ok() ? std::move(opened).value() : nullptr;
}

}  // namespace orchestrator::runtime
