#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "orchestrator/describe.h"
#include "orchestrator/ids.h"
#include "orchestrator/options.h"
#include "orchestrator/task.h"

/// The mission's tools. Each is described here once: its name, its roles, its description and its
/// arguments. The engine's checks, the schemas for models (js/plugin/protocol.json) and
/// docs/user/tools.md come from here; `node js/dev/run.mjs generate` writes the files. A tool is an
/// argument struct with `kTool`, listed in `Tools`; it is the `Args` of an event (event.h) or a
/// query (codec/message.h) of the same name.
namespace orchestrator {

/// Roles that may call a tool, as bits in the order of `kRoleNames`.
enum class ToolRoles : unsigned {
  commander = 1,
  planner = 2,
  worker = 4,
  reviewers = 8 | 16,
  all = 31,
};
constexpr ToolRoles operator|(ToolRoles a, ToolRoles b) {
  return static_cast<ToolRoles>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

struct Tool {
  std::string_view name;
  ToolRoles roles;
  std::string_view description;  ///< sent with every model request, so it is short
  std::string_view like = {};  ///< the host's equivalent tool: if that is forbidden, so is this one
};

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

  ORCH_FIELDS((id, required, doc("e.g. T1")), (title, required),
              (description, doc("all that a Worker needs to know")),
              (agent, doc("default: worker")), (files, doc("files or globs that it writes")),
              (deps, doc("ids of tasks that must be done before")), accept,
              (verify, doc("shell commands that prove it")), race);
};

/// A command that a model says it ran; it counts only with a `Receipt`.
struct CommandClaim {
  std::string command;
  std::int64_t exit_code = 0;

  ORCH_FIELDS((command, required), (exit_code, required));
};

enum class Verdict { pass, reject };
constexpr auto enum_names(Verdict) {
  return std::array{EnumName<Verdict>{Verdict::pass, "pass"},
                    EnumName<Verdict>{Verdict::reject, "reject"}};
}

/// Statuses that `update_todo` may set.
enum class TodoStatus { pending, retry, blocked, dropped, done };
constexpr auto enum_names(TodoStatus) {
  return std::array{EnumName<TodoStatus>{TodoStatus::pending, "pending"},
                    EnumName<TodoStatus>{TodoStatus::retry, "retry"},
                    EnumName<TodoStatus>{TodoStatus::blocked, "blocked"},
                    EnumName<TodoStatus>{TodoStatus::dropped, "dropped"},
                    EnumName<TodoStatus>{TodoStatus::done, "done"}};
}

/// Mark of a task's line in `.opencode/todo.md`.
enum class TodoMark { open, done, running, blocked, dropped };
constexpr auto enum_names(TodoMark) {
  return std::array{EnumName<TodoMark>{TodoMark::open, "open"},
                    EnumName<TodoMark>{TodoMark::done, "done"},
                    EnumName<TodoMark>{TodoMark::running, "running"},
                    EnumName<TodoMark>{TodoMark::blocked, "blocked"},
                    EnumName<TodoMark>{TodoMark::dropped, "dropped"}};
}

struct RunArgs {
  static constexpr Tool kTool{"mission_run", ToolRoles::commander,
                              "Runs the mission until it is sealed or needs you; its report ends "
                              "with what is asked of you. Called again it goes on."};
  std::string objective;
  std::vector<std::string> acceptance;
  std::vector<std::string> verify;
  std::string notes;

  ORCH_FIELDS((objective, doc("only to make the user's words more precise")),
              (acceptance, doc("what must be true at the end")),
              (verify, doc("shell commands that prove the whole")),
              (notes, doc("for the Planner")));
};

struct PlanArgs {
  static constexpr Tool kTool{"submit_plan", ToolRoles::commander | ToolRoles::planner,
                              "Hands in the plan."};
  std::string summary;
  std::vector<std::string> verify;
  std::string verify_reason;
  std::vector<TaskSpec> tasks;
  std::vector<std::string> decisions;

  ORCH_FIELDS(summary, (verify, doc("shell commands that prove the whole")),
              (verify_reason, doc("why verify is empty")), (tasks, required), decisions);
};

struct WorkArgs {
  static constexpr Tool kTool{"submit_work", ToolRoles::worker, "Hands in your task."};
  TaskId task;
  std::string summary;
  std::vector<std::string> files;
  std::vector<CommandClaim> evidence;
  std::vector<TaskSpec> follow_ups;

  ORCH_FIELDS(task, (summary, required), files, (evidence, outline, doc("command, exit_code")),
              (follow_ups, outline, doc("new: id, title, description")));
};

struct ReviewArgs {
  static constexpr Tool kTool{"submit_review", ToolRoles::reviewers,
                              "Hands in your verdict. A pass needs your own green run of each "
                              "verify command after the last change."};
  TaskId task;
  std::optional<Verdict> verdict;
  std::vector<Finding> findings;
  std::vector<CommandClaim> evidence;

  ORCH_FIELDS((task, doc("its id, or mission")), (verdict, required), findings,
              (evidence, doc("commands you ran in this session")));
};

struct TodoArgs {
  static constexpr Tool kTool{
      "update_todo", ToolRoles::commander,
      "Changes a task, or adds one. retry: a blocked or dropped one starts again."};
  TaskId id;
  std::optional<TodoStatus> status;
  std::string title;
  std::string note;
  std::optional<TaskSpec> add;

  ORCH_FIELDS(id, status, title, (note, doc("for the list of tasks; no Worker reads it")),
              (add, outline, doc("a task as in submit_plan")));
};

struct DelegateArgs {
  static constexpr Tool kTool{"delegate_task", ToolRoles::commander | ToolRoles::worker,
                              "Another Worker does a part; its summary comes back."};
  std::string title;
  std::string prompt;
  std::string agent;
  std::vector<std::string> files;
  bool background = false;
  std::vector<std::string> race;

  ORCH_FIELDS((title, required), (prompt, required), agent, files, background, race);
};

struct ResultArgs {
  static constexpr Tool kTool{"get_task_result", ToolRoles::commander | ToolRoles::worker,
                              "Waits for a delegated task."};
  TaskId task;

  ORCH_FIELDS((task, required));
};

struct CancelArgs {
  static constexpr Tool kTool{"cancel_task", ToolRoles::commander | ToolRoles::worker,
                              "Drops a task."};
  TaskId task;
  std::string reason;

  ORCH_FIELDS((task, required), reason);
};

struct ListArgs {
  static constexpr Tool kTool{"list_tasks", ToolRoles::commander | ToolRoles::worker,
                              "The plan's state."};
  std::string status;  ///< for an unknown word all tasks are listed, and the answer says so

  ORCH_FIELDS(status);
};

struct SearchArgs {
  static constexpr Tool kTool{
      "ast_search", ToolRoles::all,
      "Finds code by structure: foo($A, $$$B) with $A a node, $$$B siblings.", "grep"};
  std::string pattern;
  std::string query;
  std::string language;
  std::vector<std::string> paths;
  std::int64_t limit = 100;  ///< number of matches; a value out of range is clamped

  ORCH_FIELDS(pattern, (query, doc("tree-sitter's")), language, paths, limit);
};

struct ReplaceArgs {
  static constexpr Tool kTool{"ast_replace", ToolRoles::worker,
                              "Replaces what ast_search finds; apply writes the diff.", "edit"};
  std::string pattern;
  std::string rewrite;  ///< empty: matches are deleted
  std::string language;
  std::vector<std::string> paths;
  bool apply = false;

  ORCH_FIELDS((pattern, required), rewrite, language, paths, apply);
};

struct OutlineArgs {
  static constexpr Tool kTool{"ast_outline", ToolRoles::all, "What files declare.", "grep"};
  std::vector<std::string> paths;

  ORCH_FIELDS((paths, required));
};

struct DiagnosticsArgs {
  static constexpr Tool kTool{"lsp_diagnostics", ToolRoles::worker | ToolRoles::reviewers,
                              "Language servers on files."};
  std::vector<std::string> paths;

  ORCH_FIELDS((paths, required));
};

struct StatusArgs {
  static constexpr Tool kTool{"mission_status", ToolRoles::all, "The mission's state."};

  ORCH_FIELDS();
};

/// All tools, in the order in which the host gets them.
using Tools = std::tuple<RunArgs, PlanArgs, TodoArgs, WorkArgs, DelegateArgs, ResultArgs, ListArgs,
                         CancelArgs, ReviewArgs, SearchArgs, ReplaceArgs, OutlineArgs,
                         DiagnosticsArgs, StatusArgs>;

}  // namespace orchestrator
