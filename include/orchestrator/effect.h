#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "orchestrator/describe.h"
#include "orchestrator/ids.h"
#include "orchestrator/mission.h"

/// Effects: everything that the core asks for. An effect is data, named in the imperative; the
/// runtime carries it out only when the event that caused it is on disk. An effect with an `effect`
/// id is answered by an event that carries the same id. Files (`mission_loop.json`, `todo.md`) and
/// the progress line are not effects: they are derived from the state.
namespace orchestrator {

/// Reply to `role_asked`: what the JS side must know of a session before its model request.
struct SessionInfo {
  static constexpr std::string_view kType = "role";
  Role role = Role::none;
  std::string card;
  bool capped = false;  ///< each of its model requests needs a `LeaveAnswer`
  std::string stopped;  ///< why it may make no further model request; empty: it may

  ORCH_FIELDS(role, card, capped, stopped);
};

/// Reply to `settings_asked`: the part of the configuration that the JS side needs.
struct SettingsAnswer {
  static constexpr std::string_view kType = "settings";
  HostSnapshots snapshots = HostSnapshots::keep;

  ORCH_FIELDS(snapshots);
};

/// Reply to `request_asked`: the model may be asked.
struct LeaveAnswer {
  static constexpr std::string_view kType = "leave";
  std::uint64_t output_max = 0;  ///< tokens that the answer may have; 0: no limit

  ORCH_FIELDS(output_max);
};

/// The part of a reply that the JS side reads; `Reply::text` is for people and models.
using ReplyData = std::variant<SessionInfo, SettingsAnswer, LeaveAnswer>;

/// Ends a waiting hook or tool call.
struct Reply {
  static constexpr std::string_view kType = "reply";
  RequestId request;
  bool ok = true;  ///< false: a refusal; `text` says what is wrong, where, and what to do
  std::string text;
  std::optional<ReplyData> data = {};

  ORCH_FIELDS(request, ok, text, data);
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

/// Does not wait for an answer: `PromptAccepted` says only that the host has the message.
struct PromptSession {
  static constexpr std::string_view kType = "prompt_session";
  EffectId effect = 0;
  SessionId session;
  std::string agent;  ///< always named, because the host does not keep it between prompts
  std::string model;  ///< "provider/model"; empty: the session's own
  std::string text;
  bool no_reply = false;  ///< only store the message: a running turn will read it

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

/// Rejects a waiting permission request, with a message: without one the session's turn would stop.
struct RejectPermission {
  static constexpr std::string_view kType = "reject_permission";
  PermissionId permission;
  SessionId session;
  std::string message;

  ORCH_FIELDS(permission, session, message);
};

/// A new process has taken up the mission: asks the host which sessions of it exist. Completed by
/// `SessionsFound` or `EffectFailed`.
struct FindSessions {
  static constexpr std::string_view kType = "find_sessions";
  EffectId effect = 0;
  MissionId mission;
  std::vector<SessionId> parents;  ///< their children are searched for the mission's metadata
  std::vector<SessionId> known;    ///< looked up by id if they are not among those children

  ORCH_FIELDS(effect, mission, parents, known);
};

/// From now on the JS side forwards events of this session; it drops those of all others.
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

/// Requests to git in isolation `worktree`; see runtime/git/worktrees.h.
enum class TreeCall {
  check,     ///< whether git can make worktrees here
  snapshot,  ///< commit the project's present files on top of `from`; empty: the first snapshot
  add,       ///< make the worktree `name` from the commit `from`
  collect,   ///< commit the changes in the worktree `name`
  merge,     ///< merge the commit `to` into `from`
  apply,     ///< write the changes between `from` and `to` into the project's files
  remove     ///< remove the worktree `name`; empty: everything that the mission has in git
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

/// A request to git. The runtime carries these out one after the other. Completed by
/// `WorktreesAnswered`. A repeated request has the same result.
struct AskWorktrees {
  static constexpr std::string_view kType = "ask_worktrees";
  EffectId effect = 0;
  MissionId mission;
  TreeCall call = TreeCall::check;
  std::string name;
  std::string from;
  std::string to;
  TaskId task;  ///< the task whose work this is; empty: none

  ORCH_FIELDS(effect, mission, call, name, from, to, task);
};

/// Asks the host to end its instance in a worktree. Completed by `DirectoryDisposed` or
/// `EffectFailed`.
struct DisposeDirectory {
  static constexpr std::string_view kType = "dispose_directory";
  EffectId effect = 0;
  std::string directory;

  ORCH_FIELDS(effect, directory);
};

/// Asks the host to start its instance in a worktree, which takes one to three seconds, before a
/// session works there. Completed by `DirectoryOpened`.
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
