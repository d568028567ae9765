#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/describe.h"

/// The settings. Each is described here once: its key, type, range, default and sentence. The
/// checks, the table in docs/user/settings.md and schema/orchestrator.schema.json come from here
/// (`node js/dev/run.mjs generate` writes the last two).
namespace orchestrator {

/// Largest number of slots in the settings and in `/task --parallel`.
inline constexpr std::uint32_t kParallelMax = 50;
inline constexpr std::array<std::string_view, 5> kRoleNames{"commander", "planner", "worker",
                                                            "reviewer", "master-reviewer"};
inline constexpr std::array<std::string_view, 5> kLanguageNames{"cpp", "go", "python", "rust",
                                                                "typescript"};

/// Separation of Workers: by claims on files, or by a git worktree for each task.
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

/// Numbers of slots.
struct ParallelOptions {
  std::uint32_t initial = 4;
  std::uint32_t max = 10;
  std::map<std::string, std::uint32_t> per_model;

  ORCH_FIELDS((initial, range(1, kParallelMax),
               doc("Sessions that may hold a model at once at the start, in all and of each model; "
                   "one more after a run of good answers, half as many when a provider asks for "
                   "patience.")),
              (max, range(1, kParallelMax),
               doc("The most sessions that may hold a model at once. `/task --parallel N` sets "
                   "`initial` and `max`.")),
              (per_model, model_keys, range(1, kParallelMax),
               doc("The most sessions that may hold this model at once.")));
};

/// Caps of one mission; 0 is "no cap".
struct BudgetOptions {
  std::uint64_t tokens = 0;
  double usd = 0;
  double minutes = 0;

  ORCH_FIELDS((tokens, range(0, 1e15),
               doc("Tokens that a mission may use; 0: no cap. What an answer can cost is reserved "
                   "before it is asked for, and the mission pauses when the next one does not "
                   "fit.")),
              (usd, range(0, 1e9), doc("US dollars that a mission may cost; 0: no cap.")),
              (minutes, range(0, 1e7), doc("Minutes that a mission may run; 0: no cap.")));
};

/// Limits that make every mission end.
struct LimitOptions {
  std::uint32_t attempts = 3;
  std::uint32_t iterations = 5;
  std::uint32_t depth = 2;
  std::uint32_t tasks = 500;
  std::uint32_t continuations = 3;

  ORCH_FIELDS((attempts, range(1, 100),
               doc("Worker attempts for each task (a rework is one), Reviewer sessions for each "
                   "submission, Planner and Master Reviewer sessions.")),
              (iterations, range(1, 100),
               doc("Master Reviews before the mission is `blocked`; two in a row that do not lower "
                   "the number of findings block it as well.")),
              (depth, range(0, 10), doc("How deep Workers may delegate; 3 in `/extreme-mission`.")),
              (tasks, range(1, 500), doc("Tasks of a plan.")),
              (continuations, range(1, 100),
               doc("Prompts in a row to one session that bring nothing.")));
};

struct TimeoutOptions {
  std::uint32_t stall_s = 300;
  std::uint32_t task_min = 60;
  std::uint32_t permission_s = 600;

  ORCH_FIELDS((stall_s, range(1, 86'400),
               doc("Seconds without a sign of life after which a session is inspected, and aborted "
                   "and continued if it is stuck.")),
              (task_min, range(1, 100'000),
               doc("Minutes that a session may hold its job; then it is ended, and a fresh one may "
                   "try, within the attempts.")),
              (permission_s, range(1, 86'400),
               doc("Seconds that a session's permission request waits for an answer; then it is "
                   "rejected with a message, and the session goes on.")));
};

struct ReviewOptions {
  ShadowReview shadow = ShadowReview::task;

  ORCH_FIELDS((shadow,
               doc("When work is reviewed. `task`: when it is submitted; `file`: besides, once for "
                   "each attempt, as soon as a file is finished; `off`: when no Worker works any "
                   "more.")));
};

struct MemoryOptions {
  std::uint32_t budget_tokens = 1500;

  ORCH_FIELDS((budget_tokens, range(0, 1'000'000), no_effect,
               doc("Tokens of the project's memory that a prompt may hold.")));
};

/// One entry of `lsp`; its key is a language.
struct LanguageServerOptions {
  std::vector<std::string> command;  ///< empty: search for the known servers
  bool disabled = false;

  ORCH_FIELDS((command, doc("The server's program and its arguments; left out: the known servers "
                            "are looked for on PATH.")),
              (disabled, doc("No server for this language.")));
};

struct LogOptions {
  LogLevel level = LogLevel::info;

  ORCH_FIELDS((level, doc("What `.opencode/orchestrator/engine.log` holds.")));
};

/// All settings: `.opencode/orchestrator.json`, and the same keys as plugin options. A mission
/// keeps the options of its start.
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
  std::vector<std::string> verify;  ///< commands that every mission's Master Reviewer must run
  HostSnapshots snapshots = HostSnapshots::keep;
  LogOptions log;
  std::map<std::string, LanguageServerOptions> lsp;  ///< language -> its server
  /// Role name or "provider/model" -> its fallback, a "provider/model".
  std::map<std::string, std::string> fallback;

  static constexpr std::string_view kIgnoredKey = "$schema";

  ORCH_FIELDS(
      parallel, budget, limits, timeouts,
      (isolation, doc("How Workers are kept apart. `shared`: by claims on files; `worktree`: each "
                      "task in a git worktree of its own, merged when it is accepted; without git "
                      "the mission says so and shares.")),
      (resume, doc("After a crash. `auto`: `serve` and the TUI go on by themselves; `manual`: the "
                   "mission waits for `/resume`, as it always does in `opencode run`.")),
      review,
      (models, keys(kRoleNames), model_values,
       doc("The model of a role; left out: the session's. `commander` has no effect in this "
           "version: the Commander answers with its session's model.")),
      memory,
      (verify, doc("Commands that every mission's Master Review must run, beside the plan's.")),
      (snapshots, doc("`off`: OpenCode's own git snapshots are off in this directory, for all its "
                      "sessions, and `/undo` does not work there. Read when OpenCode opens the "
                      "directory.")),
      log, (lsp, keys(kLanguageNames)),
      (fallback, keys_or_models(kRoleNames), model_values,
       doc("For a role or a model: the model that takes over while that one fails, and for a "
           "session that its model has failed twice in a row.")));
};

}  // namespace orchestrator
