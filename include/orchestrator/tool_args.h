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

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("id", self.id, required);
    visit("title", self.title, required);
    visit("description", self.description);
    visit("agent", self.agent);
    visit("files", self.files);
    visit("deps", self.deps);
    visit("accept", self.accept);
    visit("verify", self.verify);
    visit("race", self.race);
  }
};

/// A command that a model says it ran. Only a `Receipt` makes it true.
struct Claim {
  std::string command;
  std::int64_t exit_code = 0;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("command", self.command, required);
    visit("exit_code", self.exit_code, required);
  }
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

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("objective", self.objective);
    visit("acceptance", self.acceptance);
    visit("verify", self.verify);
    visit("notes", self.notes);
  }
};

struct PlanArgs {
  std::string summary;
  std::vector<std::string> verify;
  std::string verify_reason;
  std::vector<TaskSpec> tasks;
  std::vector<std::string> decisions;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("summary", self.summary);
    visit("verify", self.verify);
    visit("verify_reason", self.verify_reason);
    visit("tasks", self.tasks, required);
    visit("decisions", self.decisions);
  }
};

struct WorkArgs {
  TaskId task;
  std::string summary;
  std::vector<std::string> files;
  std::vector<Claim> evidence;
  std::vector<TaskSpec> follow_ups;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("task", self.task);
    visit("summary", self.summary, required);
    visit("files", self.files);
    visit("evidence", self.evidence);
    visit("follow_ups", self.follow_ups);
  }
};

struct ReviewArgs {
  TaskId task;
  std::optional<Verdict> verdict;
  std::vector<Finding> findings;
  std::vector<Claim> evidence;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("task", self.task);
    visit("verdict", self.verdict, required);
    visit("findings", self.findings);
    visit("evidence", self.evidence);
  }
};

struct TodoArgs {
  TaskId id;
  std::optional<TodoStatus> status;
  std::string title;
  std::string note;
  std::optional<TaskSpec> add;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("id", self.id);
    visit("status", self.status);
    visit("title", self.title);
    visit("note", self.note);
    visit("add", self.add);
  }
};

struct DelegateArgs {
  std::string title;
  std::string prompt;
  std::string agent;
  std::vector<std::string> files;
  bool background = false;
  std::vector<std::string> race;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("title", self.title, required);
    visit("prompt", self.prompt, required);
    visit("agent", self.agent);
    visit("files", self.files);
    visit("background", self.background);
    visit("race", self.race);
  }
};

struct ResultArgs {
  TaskId task;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("task", self.task, required);
  }
};

struct CancelArgs {
  TaskId task;
  std::string reason;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("task", self.task, required);
    visit("reason", self.reason);
  }
};

}  // namespace orchestrator
