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
#include "orchestrator/tool_args.h"

/// Events: everything that can happen to a mission, named in the past tense. An event contains what
/// the runtime observed when it happened (time, file hashes), so a replay needs nothing but the
/// log.
namespace orchestrator {

// ---- events of the user -------------------------------------------------------------------------

/// `/task`. The runtime has chosen `mission` and `seed`; `arguments` is the user's text, unchanged.
struct MissionRequested {
  static constexpr std::string_view kType = "mission_requested";
  RequestId request;
  SessionId session;
  std::string arguments;
  HostMode mode = HostMode::serve;
  MissionId mission;
  std::uint64_t seed = 0;
  std::vector<std::string> agents;
  Options options;
  bool extreme = false;  ///< `/extreme-mission`

  ORCH_FIELDS(request, session, arguments, mode, mission, seed, agents, options, extreme);
};

/// `/stop`, and `/stop --pause`.
struct StopRequested {
  static constexpr std::string_view kType = "stop_requested";
  RequestId request;
  SessionId session;
  std::string arguments;

  ORCH_FIELDS(request, session, arguments);
};

/// `/resume [mission]`, from any session: that session becomes the mission's own.
struct ResumeRequested {
  static constexpr std::string_view kType = "resume_requested";
  RequestId request;
  SessionId session;
  std::string arguments;
  HostMode mode = HostMode::serve;

  ORCH_FIELDS(request, session, arguments, mode);
};

/// The user wrote into the mission's session.
struct UserSpoke {
  static constexpr std::string_view kType = "user_spoke";
  SessionId session;
  std::string text;  ///< at most 2 kB of it

  ORCH_FIELDS(session, text);
};

/// A new process has loaded the mission; nothing that the old process began is in flight any more.
struct ProcessStarted {
  static constexpr std::string_view kType = "process_started";
  HostMode mode = HostMode::serve;

  ORCH_FIELDS(mode);
};

// ---- tool calls of models -----------------------------------------------------------------------

/// Call of a tool that needs nothing but its arguments. `request` waits for the `Reply`; `problems`
/// are the errors of form that the codec found in the arguments. The event has the tool's name.
template <class ToolArgs>
struct ToolCall {
  static constexpr std::string_view kType = ToolArgs::kTool.name;
  RequestId request;
  SessionId session;
  ToolArgs args;
  std::vector<std::string> problems;

  ORCH_FIELDS(request, session, args, problems);
};

using RunCalled = ToolCall<RunArgs>;
using TodoUpdated = ToolCall<TodoArgs>;
/// Delegation of a subtask by a Worker, or of another task by the Commander.
using DelegateCalled = ToolCall<DelegateArgs>;
using ResultAsked = ToolCall<ResultArgs>;
using CancelCalled = ToolCall<CancelArgs>;

struct PlanSubmitted {
  static constexpr std::string_view kType = PlanArgs::kTool.name;
  RequestId request;
  SessionId session;
  PlanArgs args;
  std::vector<std::string> problems;
  bool harvested = false;  ///< found in the host after a crash: no call waits for the reply
  EffectId prompt = 0;     ///< of a harvested one: the `PromptSession` that it answers

  ORCH_FIELDS(request, session, args, problems, harvested, prompt);
};

struct WorkSubmitted {
  static constexpr std::string_view kType = WorkArgs::kTool.name;
  RequestId request;
  SessionId session;
  WorkArgs args;
  std::vector<std::string> problems;
  bool harvested = false;  ///< found in the host after a crash: no call waits for the reply
  EffectId prompt = 0;     ///< of a harvested one: the `PromptSession` that it answers
  Diagnosis diagnosis{};   ///< of the changed files at the time of the call

  ORCH_FIELDS(request, session, args, problems, harvested, prompt, diagnosis);
};

struct ReviewSubmitted {
  static constexpr std::string_view kType = ReviewArgs::kTool.name;
  RequestId request;
  SessionId session;
  ReviewArgs args;
  std::vector<std::string> problems;
  std::string files_hash;                  ///< of the vouched files, at the moment of the call
  std::vector<std::string> syntax_errors;  ///< new errors in the changed files, a sentence each
  bool harvested = false;                  ///< see `WorkSubmitted`
  EffectId prompt = 0;

  ORCH_FIELDS(request, session, args, problems, files_hash, syntax_errors, harvested, prompt);
};

/// The host gave up a waiting tool call: the user pressed Esc, or its session was aborted.
struct CallAborted {
  static constexpr std::string_view kType = "call_aborted";
  RequestId request;
  SessionId session;

  ORCH_FIELDS(request, session);
};

/// The host ran a shell command for a mission session.
struct CommandRan {
  static constexpr std::string_view kType = "command_ran";
  SessionId session;
  std::string command;
  std::string workdir;  ///< relative to the project; empty: the project itself
  std::int64_t exit_code = 0;
  std::string output_hash;
  std::string files_hash;       ///< of the vouched files after the command
  std::string begun_hash = {};  ///< … before it; `kUnseen`: not observed; empty: an old log
  TaskId task = {};             ///< the session's task at that time
  std::string previous =
      {};  ///< hash of the receipt before this one (runtime/history/receipt_chain.h)
  std::string chain_hash = {};  ///< over `previous`, all fields above and the event's time
  std::string call =
      {};  ///< the host's id of the tool call, by which the runtime finds the start of this command

  /// Stands for the hash of files that were not observed; equal to no hash.
  static constexpr std::string_view kUnseen = "unseen";

  ORCH_FIELDS(session, command, workdir, exit_code, output_hash, files_hash, begun_hash, task,
              previous, chain_hash, call);
};

/// A mission session got permission to write a file with a tool of the host: its task's claim
/// grows.
struct FileWritten {
  static constexpr std::string_view kType = "file_written";
  SessionId session;
  std::string path;  ///< relative to the project

  ORCH_FIELDS(session, path);
};

// ---- events of the host -------------------------------------------------------------------------

struct SessionCreated {
  static constexpr std::string_view kType = "session_created";
  EffectId effect = 0;
  SessionId session;

  ORCH_FIELDS(effect, session);
};

struct PromptAccepted {
  static constexpr std::string_view kType = "prompt_accepted";
  EffectId effect = 0;

  ORCH_FIELDS(effect);
};

/// The host could not carry out an effect.
struct EffectFailed {
  static constexpr std::string_view kType = "effect_failed";
  EffectId effect = 0;
  std::string error;

  ORCH_FIELDS(effect, error);
};

/// An assistant message has begun in a session.
struct TurnStarted {
  static constexpr std::string_view kType = "turn_started";
  SessionId session;
  std::string model = {};  ///< "provider/model" that is asked; empty: the host does not say

  ORCH_FIELDS(session, model);
};

/// An assistant message is complete. Tokens are the host's own counts for it.
struct TurnEnded {
  static constexpr std::string_view kType = "turn_ended";
  SessionId session;
  std::uint64_t tokens = 0;
  double usd = 0;
  bool stopped = false;      ///< it asked for no tool: the session goes idle unless it is prompted
  std::string message = {};  ///< the host's id of the message: a repeated event is counted once
  std::string model = {};    ///< "provider/model" that answered
  bool empty = false;        ///< it contains neither text nor a tool call
  bool failed = false;       ///< it ended in an error, for which there is a `SessionErrored`

  ORCH_FIELDS(session, tokens, usd, stopped, message, model, empty, failed);
};

/// A text part of the Commander is complete, and the host waits for the reply: the turn may be
/// about to end. Only in `run` mode, where an idle Commander ends the process.
struct TurnEnding {
  static constexpr std::string_view kType = "turn_ending";
  RequestId request;
  SessionId session;

  ORCH_FIELDS(request, session);
};

struct SessionIdled {
  static constexpr std::string_view kType = "session_idled";
  SessionId session;

  ORCH_FIELDS(session);
};

struct SessionErrored {
  static constexpr std::string_view kType = "session_errored";
  SessionId session;
  std::string name;
  std::string message;
  std::int64_t status = 0;  ///< of HTTP; 0: none

  ORCH_FIELDS(session, name, message, status);
};

/// The host waits before it repeats a model request by itself.
struct SessionRetried {
  static constexpr std::string_view kType = "session_retried";
  SessionId session;
  std::string message;
  std::uint32_t attempt = 0;  ///< from 1; 0: not known
  TimeMs delay_ms = 0;        ///< from now to its next try

  ORCH_FIELDS(session, message, attempt, delay_ms);
};

struct SessionCompacted {
  static constexpr std::string_view kType = "session_compacted";
  SessionId session;

  ORCH_FIELDS(session);
};

struct SessionDeleted {
  static constexpr std::string_view kType = "session_deleted";
  SessionId session;

  ORCH_FIELDS(session);
};

/// The host's answer to `InspectSession`: the state of a session that was silent.
struct SessionInspected {
  static constexpr std::string_view kType = "session_inspected";
  EffectId effect = 0;
  SessionId session;
  bool exists = false;
  bool busy = false;
  bool in_tool = false;   ///< a tool call of it is running
  bool answered = false;  ///< its newest message is a completed answer

  ORCH_FIELDS(effect, session, exists, busy, in_tool, answered);
};

/// A child session that exists in the host, recognised by the metadata of its creation.
struct FoundSession {
  SessionId session;
  EffectId creation = 0;  ///< the `CreateSession` that asked for it
  bool busy = false;      ///< a turn of it runs
  bool in_tool = false;   ///< a tool call of it is running
  bool answered = false;  ///< its newest message is a completed answer
  EffectId prompt = 0;    ///< the `PromptSession` of its newest message of the engine; 0: none

  ORCH_FIELDS(session, creation, busy, in_tool, answered, prompt);
};

/// The host's answer to `FindSessions`: the mission's sessions that still exist. Before it come, as
/// `harvested` calls, the submissions that never reached the log.
struct SessionsFound {
  static constexpr std::string_view kType = "sessions_found";
  EffectId effect = 0;
  std::vector<FoundSession> sessions;

  ORCH_FIELDS(effect, sessions);
};

/// A line of `.opencode/todo.md` that describes a task.
struct TodoLine {
  TaskId id;  ///< its first word, if that could be an id; empty: a person has added the line
  TodoMark mark = TodoMark::open;
  std::string title;
  std::string agent;
  std::vector<std::string> files;
  std::vector<TaskId> deps;

  ORCH_FIELDS(id, mark, title, agent, files, deps);
};

/// A person has changed `.opencode/todo.md`. `lines` are all its lines now.
struct TodoEdited {
  static constexpr std::string_view kType = "todo_edited";
  std::vector<TodoLine> lines;
  /// The engine's own text before the edit: only differences to it are the person's changes. Empty:
  /// compare with the present state.
  std::vector<TodoLine> before;
  /// The mission session whose command probably made the edit: then it is ignored. Empty: a person
  /// did.
  SessionId by;

  ORCH_FIELDS(lines, before, by);
};

/// A mission session's tool call waits for a permission.
struct PermissionAsked {
  static constexpr std::string_view kType = "permission_asked";
  PermissionId permission;
  SessionId session;
  std::string what;  ///< for people, e.g. `bash: rm -r build`

  ORCH_FIELDS(permission, session, what);
};

/// A person, the host or the engine itself has answered the permission request.
struct PermissionAnswered {
  static constexpr std::string_view kType = "permission_answered";
  PermissionId permission;
  SessionId session;
  bool allowed = false;

  ORCH_FIELDS(permission, session, allowed);
};

/// The log could not be written for a while (disk full, I/O error). Events that had not become
/// durable were discarded.
struct StorageFailed {
  static constexpr std::string_view kType = "storage_failed";
  std::string reason;

  ORCH_FIELDS(reason);
};

/// The host has replaced the directory's instance within the same process (`POST
/// /instance/dispose`, a changed configuration): every turn has ended, every waiting call is lost.
struct HostReloaded {
  static constexpr std::string_view kType = "host_reloaded";
  HostMode mode = HostMode::serve;

  ORCH_FIELDS(mode);
};

/// A tool call of a mission session has failed, or the host could not read the call (its tool
/// `invalid`; `tool` is the tool that the model meant).
struct ToolFailed {
  static constexpr std::string_view kType = "tool_failed";
  SessionId session;
  std::string tool;
  std::string error;
  bool running = false;  ///< the session's previous tool call failed as well
  bool garbled = false;  ///< the host could not read the call

  ORCH_FIELDS(session, tool, error, running, garbled);
};

/// The host is about to make a model request in a mission with a budget, and waits for the reply: a
/// `LeaveAnswer` or a refusal.
struct RequestAsked {
  static constexpr std::string_view kType = "request_asked";
  RequestId request;
  SessionId session;
  std::string model;
  std::uint64_t bytes = 0;       ///< size of the request without the tools' schemas; 0: not known
  std::uint64_t output_max = 0;  ///< most tokens that the answer may have; 0: not known
  double input_usd = 0;          ///< price of a million tokens
  double output_usd = 0;

  ORCH_FIELDS(request, session, model, bytes, output_max, input_usd, output_usd);
};

/// The machine's load has changed.
struct LoadChanged {
  static constexpr std::string_view kType = "load_changed";
  Load load = Load::calm;
  std::string why;  ///< the measured figure

  ORCH_FIELDS(load, why);
};

/// The engine found files of the project that have changed although no tool of a mission session
/// had permission to write them: a shell command or a person did it.
struct FilesChanged {
  static constexpr std::string_view kType = "files_changed";
  std::vector<std::string> paths;  ///< of the project; changed, new or gone
  std::uint32_t left_out = 0;      ///< more of them
  std::vector<SessionId> ran;      ///< mission sessions that ran a command meanwhile

  ORCH_FIELDS(paths, left_out, ran);
};

/// A Worker was refused to write a file that another task holds.
struct WriteRefused {
  static constexpr std::string_view kType = "write_refused";
  SessionId session;
  std::string path;

  ORCH_FIELDS(session, path);
};

/// A path in which git found a merge conflict. The two sides are bounded texts for a model; content
/// that cannot be shown is described.
struct TreeConflict {
  std::string path;
  std::string kind;  ///< git's word for it
  std::string base;
  std::string ours;    ///< the integrated side
  std::string theirs;  ///< the task's side

  ORCH_FIELDS(path, kind, base, ours, theirs);
};

/// Result of an `AskWorktrees`.
struct WorktreesAnswered {
  static constexpr std::string_view kType = "worktrees_answered";
  EffectId effect = 0;
  std::string problem;             ///< why it failed; empty: it succeeded
  std::string commit;              ///< snapshot, collect, merge
  std::string directory;           ///< add
  std::vector<std::string> paths;  ///< collect: changed ones; apply: brought into the project
  std::vector<TreeConflict>
      conflicts;  ///< merge: `commit` then contains conflict marks in these files
  std::vector<std::string> refused;  ///< apply: files that were not changed, as "path: why"
  std::vector<std::string> notes;    ///< for people

  ORCH_FIELDS(effect, problem, commit, directory, paths, conflicts, refused, notes);
};

/// The host has ended its instance in a directory.
struct DirectoryDisposed {
  static constexpr std::string_view kType = "directory_disposed";
  EffectId effect = 0;

  ORCH_FIELDS(effect);
};

/// Result of an `OpenDirectory`.
struct DirectoryOpened {
  static constexpr std::string_view kType = "directory_opened";
  EffectId effect = 0;
  bool opened = false;  ///< the host's instance has started

  ORCH_FIELDS(effect, opened);
};

struct TimerFired {
  static constexpr std::string_view kType = "timer_fired";
  TimerId timer = 0;

  ORCH_FIELDS(timer);
};

/// All events. Alternatives may only be appended: their position is the tag in the log.
using Happening =
    std::variant<MissionRequested, StopRequested, ResumeRequested, UserSpoke, ProcessStarted,
                 RunCalled, PlanSubmitted, WorkSubmitted, ReviewSubmitted, TodoUpdated, CallAborted,
                 CommandRan, FileWritten, SessionCreated, PromptAccepted, EffectFailed, TurnStarted,
                 TurnEnded, TurnEnding, SessionIdled, SessionErrored, SessionRetried,
                 SessionCompacted, SessionDeleted, SessionInspected, TimerFired, SessionsFound,
                 TodoEdited, StorageFailed, PermissionAsked, PermissionAnswered, HostReloaded,
                 ToolFailed, RequestAsked, LoadChanged, FilesChanged, WriteRefused, DelegateCalled,
                 ResultAsked, CancelCalled, WorktreesAnswered, DirectoryDisposed, DirectoryOpened>;

/// Name of the event, e.g. `turn_started`.
[[nodiscard]] inline std::string type_of(const Happening& what) {
  return std::visit([](const auto& event) { return std::string(event.kType); }, what);
}

/// One record of the log.
struct Event {
  std::uint64_t seq = 0;
  TimeMs at_ms = 0;
  Happening what;

  ORCH_FIELDS(seq, at_ms, what);
};

}  // namespace orchestrator
