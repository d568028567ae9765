#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "codec/json.h"
#include "orchestrator/describe.h"
#include "orchestrator/effect.h"
#include "orchestrator/event.h"
#include "orchestrator/mission.h"

/// The messages between JavaScript and the engine, and the durable forms of events and state.
namespace orchestrator::codec {

/// A JS instance started. Before the first one nothing is loaded or written.
struct Hello {
  static constexpr std::string_view kType = "hello";
  HostMode mode = HostMode::serve;

  ORCH_FIELDS((mode, required));
};

/// Which role does this session play? Answered by a `SessionInfo`.
struct RoleAsked {
  static constexpr std::string_view kType = "role_asked";
  RequestId request;
  SessionId session;

  ORCH_FIELDS((request, required), (session, required));
};

/// `mission_status`, and the command `/mission`.
struct StatusAsked {
  static constexpr std::string_view kType = StatusArgs::kTool.name;
  RequestId request;

  ORCH_FIELDS((request, required));
};

/// A mission session is about to write these files (absolute, or relative to the project).
struct WriteAsked {
  static constexpr std::string_view kType = "write_asked";
  RequestId request;
  SessionId session;
  std::vector<std::string> paths;
  bool child = false;  ///< the engine has made this session, for this mission or an earlier one

  ORCH_FIELDS((request, required), (session, required), paths, child);
};

/// A mission session has written these files. Answered by their new syntax errors, as text for the
/// tool's output, or by nothing.
struct CheckAsked {
  static constexpr std::string_view kType = "check_asked";
  RequestId request;
  SessionId session;
  std::vector<std::string> paths;

  ORCH_FIELDS((request, required), (session, required), paths);
};

/// A mission session is about to run a command. The command begins when this is answered; before
/// that the engine hashes the files that the receipt will cover.
struct CommandAsked {
  static constexpr std::string_view kType = "command_asked";
  RequestId request;
  SessionId session;
  std::string call;     ///< the host's id of the tool call, as in `CommandRan`
  std::string command;  ///< its beginning

  ORCH_FIELDS((request, required), (session, required), call, command);
};

/// A tool that looks at the project's code; `args` is what the model wrote, read by the runtime.
template <class Args>
struct CodeAsked {
  static constexpr std::string_view kType = Args::kTool.name;
  RequestId request;
  SessionId session;
  std::string args;

  ORCH_FIELDS((request, required), (session, required));
};
using AstSearchAsked = CodeAsked<SearchArgs>;
using AstReplaceAsked = CodeAsked<ReplaceArgs>;
using AstOutlineAsked = CodeAsked<OutlineArgs>;

/// A tool whose arguments the codec reads.
template <class Args>
struct ToolAsked {
  static constexpr std::string_view kType = Args::kTool.name;
  RequestId request;
  SessionId session;
  Args args;
  std::vector<std::string> problems;  ///< mistakes of the model in `args`

  ORCH_FIELDS((request, required), (session, required));
};

/// Asks language servers for the current diagnostics of these files.
using DiagnosticsAsked = ToolAsked<DiagnosticsArgs>;
using ListAsked = ToolAsked<ListArgs>;

/// The part of the configuration that the host needs. Answered by `SettingsAnswer`.
struct SettingsAsked {
  static constexpr std::string_view kType = "settings_asked";
  RequestId request;

  ORCH_FIELDS((request, required));
};

using Query = std::variant<Hello, RoleAsked, StatusAsked, WriteAsked, CheckAsked, CommandAsked,
                           AstSearchAsked, AstReplaceAsked, AstOutlineAsked, DiagnosticsAsked,
                           ListAsked, SettingsAsked>;

/// Progress of a mission, for the tool call that waits for it.
struct ShowProgress {
  static constexpr std::string_view kType = "show_progress";
  RequestId request;
  std::string title;
  std::string text;

  ORCH_FIELDS(request, title, text);
};

/// A directory's logic ended by an exception; waiting requests get no reply.
struct EngineFailed {
  static constexpr std::string_view kType = "engine_failed";
  std::string reason;

  ORCH_FIELDS(reason);
};

/// Messages to the JS side beside effects: derived, never logged.
using Notice = std::variant<ShowProgress, EngineFailed>;

/// A parsed message of the JS side.
struct Incoming {
  std::variant<std::monostate, Happening, Query> what;  ///< monostate: `problem` says why
  std::string output;  ///< of a command that ran; hashed by the runtime, never stored
  std::string problem;
};

/// Never throws. Mistakes in a tool's arguments are not a problem of the message: they go into the
/// event's own `problems`, so that the model gets them all at once.
[[nodiscard]] Incoming decode_message(std::string_view json);

/// The message that carries out an effect.
[[nodiscard]] std::string encode_effect(const Effect& effect);

[[nodiscard]] std::string encode_notice(const Notice& notice);

/// The record of an event in the log. Both directions are exact.
[[nodiscard]] std::string encode_event(const Event& event);
[[nodiscard]] bool decode_event(std::string_view bytes, Event& event, std::string* error);

/// `mission_loop.json`. Impossible states are refused: see `validate_state`.
[[nodiscard]] std::string dump_state(const State& state);
[[nodiscard]] bool parse_state(std::string_view json, State& state, Problems& problems);
/// The schema number in a snapshot, whatever else it contains; 0: none.
[[nodiscard]] std::uint32_t schema_of(std::string_view json);

/// Reads `.opencode/orchestrator.json`, or the plugin's options, over what `options` holds. All
/// mistakes are collected, each with the nearest key.
[[nodiscard]] bool parse_options(std::string_view jsonc, Options& options, Problems& problems);
/// Problems of values that have the right type.
[[nodiscard]] bool check_options(const Options& options, Problems& problems);

}  // namespace orchestrator::codec
