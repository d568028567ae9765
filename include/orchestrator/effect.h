#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "orchestrator/describe.h"
#include "orchestrator/ids.h"
#include "orchestrator/mission.h"

/// Everything that the engine can do to the world. Effects are data in the imperative; the runtime
/// lets them out only when the event that caused them is on disk. An effect with an `effect` id is
/// answered by an event that carries the same id. Files (`mission_loop.json`, `todo.md`) and
/// the progress line are not effects: they are derived from the state.
namespace orchestrator {

/// Ends a waiting hook or tool call.
struct Reply {
  static constexpr std::string_view kType = "reply";
  RequestId request;
  bool ok = true;  ///< false: a refusal; `text` says what, where and the mend
  std::string text;

  ORCH_FIELDS(request, ok, text);
};

/// Completed by `SessionCreated` or `EffectFailed`.
struct CreateSession {
  static constexpr std::string_view kType = "create_session";
  EffectId effect = 0;
  SessionId parent;
  MissionId mission;
  Role role = Role::none;
  TaskId task;
  std::uint32_t attempt = 0;
  std::string title;
  std::string directory;  ///< a worktree, absolute; empty: the project

  ORCH_FIELDS(effect, parent, mission, role, task, attempt, title, directory);
};

/// Fire and forget: `PromptAccepted` says that the host has the message, not that it is answered.
struct PromptSession {
  static constexpr std::string_view kType = "prompt_session";
  EffectId effect = 0;
  SessionId session;
  std::string agent;  ///< always named: the host forgets it otherwise
  std::string model;  ///< "provider/model"; empty: the session's own
  std::string text;
  bool no_reply = false;  ///< only store it: a running loop will see it

  ORCH_FIELDS(effect, session, agent, model, text, no_reply);
};

struct AbortSession {
  static constexpr std::string_view kType = "abort_session";
  SessionId session;

  ORCH_FIELDS(session);
};

/// Completed by `SessionInspected`.
struct InspectSession {
  static constexpr std::string_view kType = "inspect_session";
  EffectId effect = 0;
  SessionId session;

  ORCH_FIELDS(effect, session);
};

/// Rejects a waiting permission request, with words: without them the session's loop would stop.
struct RejectPermission {
  static constexpr std::string_view kType = "reject_permission";
  PermissionId permission;
  SessionId session;
  std::string message;

  ORCH_FIELDS(permission, session, message);
};

/// A process has taken the mission up: what has the host of it? Completed by `SessionsFound` or
/// `EffectFailed`.
struct FindSessions {
  static constexpr std::string_view kType = "find_sessions";
  EffectId effect = 0;
  MissionId mission;
  std::vector<SessionId> parents;  ///< whose children are looked through for the mission's metadata
  std::vector<SessionId> known;    ///< looked for by id where they are not among those children

  ORCH_FIELDS(effect, mission, parents, known);
};

/// Events of this session are wanted from now on; the JS side drops all others.
struct WatchSession {
  static constexpr std::string_view kType = "watch_session";
  SessionId session;

  ORCH_FIELDS(session);
};

struct ShowToast {
  static constexpr std::string_view kType = "show_toast";
  std::string variant;  ///< info, success, warning, error
  std::string text;

  ORCH_FIELDS(variant, text);
};

/// Completed by `TimerFired`, unless it is cancelled. Timers do not survive the process.
struct StartTimer {
  static constexpr std::string_view kType = "start_timer";
  TimerId timer = 0;
  TimeMs delay_ms = 0;

  ORCH_FIELDS(timer, delay_ms);
};

struct CancelTimer {
  static constexpr std::string_view kType = "cancel_timer";
  TimerId timer = 0;

  ORCH_FIELDS(timer);
};

/// What git is asked for in isolation `worktree`; see runtime/git/worktrees.h.
enum class TreeCall {
  check,     ///< whether there can be worktrees
  snapshot,  ///< the project's files as they are, upon `from`; empty: for the first time
  add,       ///< the worktree `name`, from the commit `from`
  collect,   ///< what was made in `name`
  merge,     ///< the commit `to` into `from`
  apply,     ///< what is between `from` and `to`, into the project's files
  remove     ///< the worktree `name`; empty: all that the mission has in git
};
constexpr auto enum_names(TreeCall) {
  return std::array{EnumName<TreeCall>{TreeCall::check, "check"},
                    EnumName<TreeCall>{TreeCall::snapshot, "snapshot"},
                    EnumName<TreeCall>{TreeCall::add, "add"},
                    EnumName<TreeCall>{TreeCall::collect, "collect"},
                    EnumName<TreeCall>{TreeCall::merge, "merge"},
                    EnumName<TreeCall>{TreeCall::apply, "apply"},
                    EnumName<TreeCall>{TreeCall::remove, "remove"}};
}

/// Done by the runtime, one after the other. Completed by `WorktreesAnswered`. Each may be asked
/// for again: the end is the same.
struct AskWorktrees {
  static constexpr std::string_view kType = "ask_worktrees";
  EffectId effect = 0;
  MissionId mission;
  TreeCall call = TreeCall::check;
  std::string name;
  std::string from;
  std::string to;
  TaskId task;  ///< whose work it is about; empty: nobody's

  ORCH_FIELDS(effect, mission, call, name, from, to, task);
};

/// The host is to let go of a worktree: its instance there ends. Completed by `DirectoryDisposed`
/// or `EffectFailed`.
struct DisposeDirectory {
  static constexpr std::string_view kType = "dispose_directory";
  EffectId effect = 0;
  std::string directory;

  ORCH_FIELDS(effect, directory);
};

/// The host is to bring up its instance of a worktree, which takes it a second or three, before
/// anybody works there. Completed by `DirectoryOpened`.
struct OpenDirectory {
  static constexpr std::string_view kType = "open_directory";
  EffectId effect = 0;
  std::string directory;

  ORCH_FIELDS(effect, directory);
};

using Effect = std::variant<Reply, CreateSession, PromptSession, AbortSession, InspectSession,
                            WatchSession, ShowToast, StartTimer, CancelTimer, FindSessions,
                            RejectPermission, AskWorktrees, DisposeDirectory, OpenDirectory>;
using Effects = std::vector<Effect>;

}  // namespace orchestrator
