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

/// Everything that can happen to a mission. Events are facts in the past tense; what the outside
/// world looked like when they happened (time, file hashes) was observed by the runtime and is part
/// of them, so that replaying a log needs nothing but the log.
namespace orchestrator {

/// An event that a tool call or a command caused: somebody waits for its `Reply`.
/// `problems` are the mistakes of shape that the codec found in the arguments.

// ---- what the user does -------------------------------------------------------------------------

/// `/task`. `mission` and `seed` were chosen by the runtime; `arguments` are the user's raw words.
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

/// A new process has loaded the mission; nothing of the old process is in flight any more.
struct ProcessStarted {
  static constexpr std::string_view kType = "process_started";
  HostMode mode = HostMode::serve;

  ORCH_FIELDS(mode);
};

// ---- what models do: tool calls -----------------------------------------------------------------

/// A model calls a tool that needs nothing but its arguments; `problems` are its mistakes of shape.
/// The event has the tool's name.
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
/// A part of a Worker's task, or one more task of the Commander's.
using DelegateCalled = ToolCall<DelegateArgs>;
using ResultAsked = ToolCall<ResultArgs>;
using CancelCalled = ToolCall<CancelArgs>;

struct PlanSubmitted {
  static constexpr std::string_view kType = PlanArgs::kTool.name;
  RequestId request;
  SessionId session;
  PlanArgs args;
  std::vector<std::string> problems;
  bool harvested = false;  ///< found in the host after a crash: nobody waits for the reply
  EffectId prompt = 0;     ///< of a harvested one: the `PromptSession` that it answers

  ORCH_FIELDS(request, session, args, problems, harvested, prompt);
};

struct WorkSubmitted {
  static constexpr std::string_view kType = WorkArgs::kTool.name;
  RequestId request;
  SessionId session;
  WorkArgs args;
  std::vector<std::string> problems;
  bool harvested = false;  ///< found in the host after a crash: nobody waits for the reply
  EffectId prompt = 0;     ///< of a harvested one: the `PromptSession` that it answers
  Diagnosis diagnosis{};   ///< of the changed files, as they were when it was called

  ORCH_FIELDS(request, session, args, problems, harvested, prompt, diagnosis);
};

struct ReviewSubmitted {
  static constexpr std::string_view kType = ReviewArgs::kTool.name;
  RequestId request;
  SessionId session;
  ReviewArgs args;
  std::vector<std::string> problems;
  std::string files_hash;                  ///< of the vouched files, at the moment of the call
  std::vector<std::string> syntax_errors;  ///< new ones, in the changed files; a sentence each
  bool harvested = false;                  ///< see `WorkSubmitted`
  EffectId prompt = 0;

  ORCH_FIELDS(request, session, args, problems, files_hash, syntax_errors, harvested, prompt);
};

/// The host gave up a tool call that was still waiting: Esc, or an abort of its session.
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
  std::string files_hash;       ///< of the vouched files, when it had ended
  std::string begun_hash = {};  ///< … before it began; `kUnseen`: nobody looked; empty: an old log
  TaskId task = {};             ///< of the session, as the engine knew it
  std::string previous =
      {};  ///< hash of the receipt before this one (runtime/history/receipt_chain.h)
  std::string chain_hash = {};  ///< over `previous` and all of the above, with the event's time
  std::string call = {};        ///< the host's id of the tool call; names the run's begin

  /// Of files whose state was not observed: equal to no hash.
  static constexpr std::string_view kUnseen = "unseen";

  ORCH_FIELDS(session, command, workdir, exit_code, output_hash, files_hash, begun_hash, task,
              previous, chain_hash, call);
};

/// A mission session was let write a file through one of the host's tools: its claim has grown.
struct FileWritten {
  static constexpr std::string_view kType = "file_written";
  SessionId session;
  std::string path;  ///< relative to the project

  ORCH_FIELDS(session, path);
};

// ---- what the host does -------------------------------------------------------------------------

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

/// The host could not do what an effect asked for.
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
  std::string model = {};  ///< "provider/model" that is asked, as far as the host says it

  ORCH_FIELDS(session, model);
};

/// An assistant message is complete. Tokens are the host's own counts for it.
struct TurnEnded {
  static constexpr std::string_view kType = "turn_ended";
  SessionId session;
  std::uint64_t tokens = 0;
  double usd = 0;
  bool stopped = false;      ///< it asked for no tool: the session goes idle unless it is prompted
  std::string message = {};  ///< the host's id of it: one told twice is paid once
  std::string model = {};    ///< "provider/model" that gave it
  bool empty = false;        ///< neither text nor a tool call is in it
  bool failed = false;       ///< it ended in an error, which is told by itself

  ORCH_FIELDS(session, tokens, usd, stopped, message, model, empty, failed);
};

/// A text part of the Commander is complete and the host waits: a turn is perhaps about to end.
/// Only in `run` mode, where going idle ends the process.
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

/// The host itself waits before it repeats a model call.
struct SessionRetried {
  static constexpr std::string_view kType = "session_retried";
  SessionId session;
  std::string message;
  std::uint32_t attempt = 0;  ///< from 1; 0: not told
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

/// What the host says of a session that was silent.
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

/// A child session that the host has, recognised by the metadata that it was created with.
struct FoundSession {
  SessionId session;
  EffectId creation = 0;  ///< the `CreateSession` that asked for it
  bool busy = false;      ///< a turn of it runs
  bool in_tool = false;   ///< a tool call of it is running
  bool answered = false;  ///< its newest message is a completed answer
  EffectId prompt = 0;    ///< the `PromptSession` behind its newest message of ours; 0: it has none

  ORCH_FIELDS(session, creation, busy, in_tool, answered, prompt);
};

/// All that the host still has of a mission's sessions, told to a process that has taken it up.
/// Submissions that never reached the log are told before it, as `harvested` calls.
struct SessionsFound {
  static constexpr std::string_view kType = "sessions_found";
  EffectId effect = 0;
  std::vector<FoundSession> sessions;

  ORCH_FIELDS(effect, sessions);
};

/// A line of `.opencode/todo.md` that stands for a task.
struct TodoLine {
  TaskId id;  ///< its first word, where that could be an id; empty: a person has added it
  TodoMark mark = TodoMark::open;
  std::string title;
  std::string agent;
  std::vector<std::string> files;
  std::vector<TaskId> deps;

  ORCH_FIELDS(id, mark, title, agent, files, deps);
};

/// A person has changed `.opencode/todo.md`; these are all its lines now.
struct TodoEdited {
  static constexpr std::string_view kType = "todo_edited";
  std::vector<TodoLine> lines;
  /// What the engine had written before: only a difference to it is the person's doing, whatever
  /// has happened to the mission since. Empty: what the state says now.
  std::vector<TodoLine> before;
  /// A session of the mission whose command has written it, as far as can be told: it is then no
  /// person's word, and nothing of it is taken.
  SessionId by;

  ORCH_FIELDS(lines, before, by);
};

/// A mission session's tool call waits until somebody allows it.
struct PermissionAsked {
  static constexpr std::string_view kType = "permission_asked";
  PermissionId permission;
  SessionId session;
  std::string what;  ///< for people, e.g. `bash: rm -r build`

  ORCH_FIELDS(permission, session, what);
};

/// A person, the host or the engine itself has answered it.
struct PermissionAnswered {
  static constexpr std::string_view kType = "permission_answered";
  PermissionId permission;
  SessionId session;
  bool allowed = false;

  ORCH_FIELDS(permission, session, allowed);
};

/// The log could not be written for a while (disk full, I/O error); what had not become durable
/// then has not happened.
struct StorageFailed {
  static constexpr std::string_view kType = "storage_failed";
  std::string reason;

  ORCH_FIELDS(reason);
};

/// The host has thrown the directory's instance away and made it anew while the process lived on
/// (`POST /instance/dispose`, a changed configuration): every turn is over, every waiting call
/// lost.
struct HostReloaded {
  static constexpr std::string_view kType = "host_reloaded";
  HostMode mode = HostMode::serve;

  ORCH_FIELDS(mode);
};

/// A tool call of a mission session has failed, or the host could not read it (its tool `invalid`;
/// here `tool` is the one that was meant).
struct ToolFailed {
  static constexpr std::string_view kType = "tool_failed";
  SessionId session;
  std::string tool;
  std::string error;
  bool running = false;  ///< the call before it in this session failed as well
  bool garbled = false;  ///< the host could not read it

  ORCH_FIELDS(session, tool, error, running, garbled);
};

/// The host is about to ask a model for a session of a mission with a budget, and waits for the
/// reply: a `LeaveAnswer`, or a refusal.
struct RequestAsked {
  static constexpr std::string_view kType = "request_asked";
  RequestId request;
  SessionId session;
  std::string model;
  std::uint64_t bytes = 0;       ///< of all that is sent, tools excepted; 0: not known
  std::uint64_t output_max = 0;  ///< tokens that the answer may have at most; 0: not known
  double input_usd = 0;          ///< of a million tokens
  double output_usd = 0;

  ORCH_FIELDS(request, session, model, bytes, output_max, input_usd, output_usd);
};

/// The machine has become busy, or calm again.
struct LoadChanged {
  static constexpr std::string_view kType = "load_changed";
  Load load = Load::calm;
  std::string why;  ///< what was measured

  ORCH_FIELDS(load, why);
};

/// Files of the project are not what they were, and no tool of a mission session was given leave to
/// write them: a shell did it, or somebody else. Found by the engine itself.
struct FilesChanged {
  static constexpr std::string_view kType = "files_changed";
  std::vector<std::string> paths;  ///< of the project; changed, new or gone
  std::uint32_t left_out = 0;      ///< more of them
  std::vector<SessionId> ran;      ///< mission sessions in which a command ran meanwhile

  ORCH_FIELDS(paths, left_out, ran);
};

/// A Worker wanted to write a file that another task holds, and was refused.
struct WriteRefused {
  static constexpr std::string_view kType = "write_refused";
  SessionId session;
  std::string path;

  ORCH_FIELDS(session, path);
};

/// A path that two sides of a merge have changed in ways that git cannot bring together. The sides
/// are texts for a model, bounded; what cannot be shown is described.
struct TreeConflict {
  std::string path;
  std::string kind;  ///< git's word for it
  std::string base;
  std::string ours;    ///< of what is integrated
  std::string theirs;  ///< of the task

  ORCH_FIELDS(path, kind, base, ours, theirs);
};

/// What came of an `AskWorktrees`.
struct WorktreesAnswered {
  static constexpr std::string_view kType = "worktrees_answered";
  EffectId effect = 0;
  std::string problem;                  ///< why it could not be done; empty: it was
  std::string commit;                   ///< snapshot, collect, merge
  std::string directory;                ///< add
  std::vector<std::string> paths;       ///< collect: changed ones; apply: brought into the project
  std::vector<TreeConflict> conflicts;  ///< merge: then `commit` has git's marks in these files
  std::vector<std::string> refused;     ///< apply: "path: why", left alone
  std::vector<std::string> notes;       ///< for people

  ORCH_FIELDS(effect, problem, commit, directory, paths, conflicts, refused, notes);
};

/// The host has let go of a directory.
struct DirectoryDisposed {
  static constexpr std::string_view kType = "directory_disposed";
  EffectId effect = 0;

  ORCH_FIELDS(effect);
};

/// What came of an `OpenDirectory`.
struct DirectoryOpened {
  static constexpr std::string_view kType = "directory_opened";
  EffectId effect = 0;
  bool opened = false;  ///< the host has its instance there

  ORCH_FIELDS(effect, opened);
};

struct TimerFired {
  static constexpr std::string_view kType = "timer_fired";
  TimerId timer = 0;

  ORCH_FIELDS(timer);
};

/// Alternatives may only be appended: their position is the tag in the log.
using Happening =
    std::variant<MissionRequested, StopRequested, ResumeRequested, UserSpoke, ProcessStarted,
                 RunCalled, PlanSubmitted, WorkSubmitted, ReviewSubmitted, TodoUpdated, CallAborted,
                 CommandRan, FileWritten, SessionCreated, PromptAccepted, EffectFailed, TurnStarted,
                 TurnEnded, TurnEnding, SessionIdled, SessionErrored, SessionRetried,
                 SessionCompacted, SessionDeleted, SessionInspected, TimerFired, SessionsFound,
                 TodoEdited, StorageFailed, PermissionAsked, PermissionAnswered, HostReloaded,
                 ToolFailed, RequestAsked, LoadChanged, FilesChanged, WriteRefused, DelegateCalled,
                 ResultAsked, CancelCalled, WorktreesAnswered, DirectoryDisposed, DirectoryOpened>;

/// The name of what happened, e.g. `turn_started`.
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
