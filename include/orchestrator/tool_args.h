#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/describe.h"
#include "orchestrator/ids.h"
#include "orchestrator/task.h"

/// What models write when they call the mission's tools (contract, section 4).
namespace orchestrator {

struct TaskSpec {
  TaskId id;
  std::string title;
  std::string description;
  std::string agent;
  std::vector<std::string> files;
  std::vector<TaskId> deps;
  std::vector<std::string> accept;
  std::vector<std::string> verify;
  std::vector<std::string> race;

  ORCH_FIELDS((id, required), (title, required), description, agent, files, deps, accept, verify,
              race);
};

/// A command that a model says it ran. Only a `Receipt` makes it true.
struct Claim {
  std::string command;
  std::int64_t exit_code = 0;

  ORCH_FIELDS((command, required), (exit_code, required));
};

enum class Verdict { pass, reject };
constexpr auto enum_names(Verdict) {
  return std::array{EnumName<Verdict>{Verdict::pass, "pass"},
                    EnumName<Verdict>{Verdict::reject, "reject"}};
}

/// What `update_todo` may ask for.
enum class TodoStatus { pending, retry, blocked, dropped, done };
constexpr auto enum_names(TodoStatus) {
  return std::array{EnumName<TodoStatus>{TodoStatus::pending, "pending"},
                    EnumName<TodoStatus>{TodoStatus::retry, "retry"},
                    EnumName<TodoStatus>{TodoStatus::blocked, "blocked"},
                    EnumName<TodoStatus>{TodoStatus::dropped, "dropped"},
                    EnumName<TodoStatus>{TodoStatus::done, "done"}};
}

/// How a task's line in `.opencode/todo.md` begins.
enum class TodoMark { open, done, running, blocked, dropped };
constexpr auto enum_names(TodoMark) {
  return std::array{EnumName<TodoMark>{TodoMark::open, "open"},
                    EnumName<TodoMark>{TodoMark::done, "done"},
                    EnumName<TodoMark>{TodoMark::running, "running"},
                    EnumName<TodoMark>{TodoMark::blocked, "blocked"},
                    EnumName<TodoMark>{TodoMark::dropped, "dropped"}};
}

struct RunArgs {
  std::string objective;
  std::vector<std::string> acceptance;
  std::vector<std::string> verify;
  std::string notes;

  ORCH_FIELDS(objective, acceptance, verify, notes);
};

struct PlanArgs {
  std::string summary;
  std::vector<std::string> verify;
  std::string verify_reason;
  std::vector<TaskSpec> tasks;
  std::vector<std::string> decisions;

  ORCH_FIELDS(summary, verify, verify_reason, (tasks, required), decisions);
};

struct WorkArgs {
  TaskId task;
  std::string summary;
  std::vector<std::string> files;
  std::vector<Claim> evidence;
  std::vector<TaskSpec> follow_ups;

  ORCH_FIELDS(task, (summary, required), files, evidence, follow_ups);
};

struct ReviewArgs {
  TaskId task;
  std::optional<Verdict> verdict;
  std::vector<Finding> findings;
  std::vector<Claim> evidence;

  ORCH_FIELDS(task, (verdict, required), findings, evidence);
};

struct TodoArgs {
  TaskId id;
  std::optional<TodoStatus> status;
  std::string title;
  std::string note;
  std::optional<TaskSpec> add;

  ORCH_FIELDS(id, status, title, note, add);
};

struct DelegateArgs {
  std::string title;
  std::string prompt;
  std::string agent;
  std::vector<std::string> files;
  bool background = false;
  std::vector<std::string> race;

  ORCH_FIELDS((title, required), (prompt, required), agent, files, background, race);
};

struct ResultArgs {
  TaskId task;

  ORCH_FIELDS((task, required));
};

struct CancelArgs {
  TaskId task;
  std::string reason;

  ORCH_FIELDS((task, required), reason);
};

}  // namespace orchestrator
