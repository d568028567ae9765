// The only file that includes spdlog: it costs eight seconds of compilation.

#include "runtime/project/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/rotating_file_sink.h>

#include <exception>

namespace orchestrator::runtime {
namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::off;
}

class RotatingLog final : public Log {
 public:
  RotatingLog(const std::string& path, LogLevel level, size_t bytes_max, size_t files_max)
      // spdlog's number of files does not include the first.
      : logger_("orchestrator", std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
                                    path, bytes_max, files_max > 0 ? files_max - 1 : 0)) {
    logger_.set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
    logger_.set_error_handler([](const std::string&) {});  // a full disk must not end a mission
    logger_.flush_on(spdlog::level::info);
    set_level(level);
  }
  void write(LogLevel level, std::string_view text) override {
    logger_.log(level_of(level), spdlog::string_view_t(text.data(), text.size()));
  }
  void set_level(LogLevel level) override { logger_.set_level(level_of(level)); }

 private:
  spdlog::logger logger_;
};

}  // namespace

base::Result<std::unique_ptr<Log>> Log::open(const std::string& path, LogLevel level,
                                             size_t bytes_max, size_t files_max) {
  try {
    return std::unique_ptr<Log>(std::make_unique<RotatingLog>(path, level, bytes_max, files_max));
  } catch (const std::exception& error) {
    return base::Error{std::string("cannot open the log: ") + error.what(), path,
                       "check the directory and its permissions"};
  }
}

}  // namespace orchestrator::runtime
