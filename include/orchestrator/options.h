#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "orchestrator/describe.h"

namespace orchestrator {

/// How Workers are kept apart: by claims on files, or each task in a git worktree of its own.
enum class Isolation { shared, worktree };
constexpr auto enum_names(Isolation) {
  return std::array{EnumName<Isolation>{Isolation::shared, "shared"},
                    EnumName<Isolation>{Isolation::worktree, "worktree"}};
}

enum class ResumePolicy { automatic, manual };
constexpr auto enum_names(ResumePolicy) {
  return std::array{EnumName<ResumePolicy>{ResumePolicy::automatic, "auto"},
                    EnumName<ResumePolicy>{ResumePolicy::manual, "manual"}};
}

enum class ShadowReview { task, file, off };
constexpr auto enum_names(ShadowReview) {
  return std::array{EnumName<ShadowReview>{ShadowReview::task, "task"},
                    EnumName<ShadowReview>{ShadowReview::file, "file"},
                    EnumName<ShadowReview>{ShadowReview::off, "off"}};
}

enum class HostSnapshots { keep, off };
constexpr auto enum_names(HostSnapshots) {
  return std::array{EnumName<HostSnapshots>{HostSnapshots::keep, "keep"},
                    EnumName<HostSnapshots>{HostSnapshots::off, "off"}};
}

enum class LogLevel { debug, info, warn, error };
constexpr auto enum_names(LogLevel) {
  return std::array{
      EnumName<LogLevel>{LogLevel::debug, "debug"}, EnumName<LogLevel>{LogLevel::info, "info"},
      EnumName<LogLevel>{LogLevel::warn, "warn"}, EnumName<LogLevel>{LogLevel::error, "error"}};
}

/// Sessions that may hold a model at once.
struct ParallelOptions {
  std::uint32_t initial = 4;
  std::uint32_t max = 10;
  std::map<std::string, std::uint32_t> per_model;

  ORCH_FIELDS(initial, max, per_model);
};

/// Caps of one mission; 0 is "no cap".
struct BudgetOptions {
  std::uint64_t tokens = 0;
  double usd = 0;
  double minutes = 0;

  ORCH_FIELDS(tokens, usd, minutes);
};

/// The bounded measures that make every mission end.
struct LimitOptions {
  std::uint32_t attempts = 3;
  std::uint32_t iterations = 5;
  std::uint32_t depth = 2;
  std::uint32_t tasks = 500;
  std::uint32_t continuations = 3;

  ORCH_FIELDS(attempts, iterations, depth, tasks, continuations);
};

struct TimeoutOptions {
  std::uint32_t stall_s = 300;
  std::uint32_t task_min = 60;
  std::uint32_t permission_s = 600;

  ORCH_FIELDS(stall_s, task_min, permission_s);
};

struct ReviewOptions {
  ShadowReview shadow = ShadowReview::task;

  ORCH_FIELDS(shadow);
};

struct MemoryOptions {
  std::uint32_t budget_tokens = 1500;

  ORCH_FIELDS(budget_tokens);
};

/// One entry of `lsp`; its name is a language.
struct LanguageServerOptions {
  std::vector<std::string> command;  ///< empty: the known servers are looked for
  bool disabled = false;

  ORCH_FIELDS(command, disabled);
};

struct LogOptions {
  LogLevel level = LogLevel::info;

  ORCH_FIELDS(level);
};

/// `.opencode/orchestrator.json`, and the same keys as plugin options. A mission keeps the
/// options that it was started with.
struct Options {
  ParallelOptions parallel;
  BudgetOptions budget;
  LimitOptions limits;
  TimeoutOptions timeouts;
  Isolation isolation = Isolation::shared;
  ResumePolicy resume = ResumePolicy::automatic;
  ReviewOptions review;
  std::map<std::string, std::string> models;  ///< role name -> "provider/model"
  MemoryOptions memory;
  std::vector<std::string> verify;  ///< commands that every mission's Master Review must run
  HostSnapshots snapshots = HostSnapshots::keep;
  LogOptions log;
  std::map<std::string, LanguageServerOptions> lsp;  ///< language -> its server
  /// Role name, or "provider/model" -> the "provider/model" that takes over while that one fails.
  std::map<std::string, std::string> fallback;

  ORCH_FIELDS(parallel, budget, limits, timeouts, isolation, resume, review, models, memory, verify,
              snapshots, log, lsp, fallback);
};

}  // namespace orchestrator
