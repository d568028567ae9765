#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "opencode_model/session.h"
#include "orchestrator/effect.h"
#include "orchestrator/event.h"
#include "sim/disk.h"
#include "sim/faults.h"
#include "sim/git.h"
#include "sim/model.h"
#include "sim/process.h"
#include "sim/timeline.h"

namespace orchestrator::sim {

/// Gives an event its request, if it has one.
template <class T>
void set_request(T& event, const RequestId& request) {
  if constexpr (requires { event.request; }) event.request = request;
}

/// The simulated OpenCode: its database of sessions, which outlives processes, their turns, which
/// do not, and the JS side of the plugin between it and the engine. It does what
/// docs/design/host-contract.md found the real one to do, and goes wrong as the faults of the run
/// say.
class Host {
 public:
  Host(Faults& faults, Timeline& timeline, Git& git, Checker& checker, Trace& trace, Models& models,
       std::uint64_t seed);

  /// A new process is there, in this mode.
  void start(Process& process, HostMode mode);
  /// The process is gone: its turns are over, and perhaps the last things it stored.
  void process_gone();
  /// The host throws the plugin's instance away and makes a new one: every turn is over, and what
  /// it says meanwhile is not listened to.
  void reload();
  /// A second instance of the plugin comes up beside the first.
  void second_instance();
  [[nodiscard]] HostMode mode() const { return mode_; }
  [[nodiscard]] bool is_up() const { return process_ != nullptr; }

  // ---- what the engine asks for
  void carry_out(const Effect& effect);
  /// The engine has failed: pending calls get no answer.
  void engine_failed();

  // ---- what a person does
  /// A command in a session: its answer becomes the message that the model reads.
  void command(const SessionId& session, Happening event, std::function<void(bool ok)> told);
  void say(const SessionId& session, const std::string& text);
  void press_escape(const SessionId& session);
  void delete_session(const SessionId& session);
  [[nodiscard]] SessionId new_session();
  [[nodiscard]] bool has(const SessionId& session) const;
  /// A session of the mission that can be deleted; empty: there is none.
  [[nodiscard]] SessionId some_child(Random& random) const;
  [[nodiscard]] RequestId new_request() { return RequestId("r" + std::to_string(++requests_)); }
  /// Every step of a model takes so long at least.
  void set_pace(std::uint32_t step_ms) { pace_ms_ = step_ms; }
  /// Drops old sessions that are asked for no more, as a person clears them away.
  void forget_old_sessions(std::uint64_t older_than_ms);
  /// In `run` mode: the session whose idleness ends the process, and what is done then.
  void end_with(const SessionId& session, std::function<void()> ended);

 private:
  /// A command that really ran.
  struct Ran {
    std::string command;
    std::int64_t exit_code = 0;
    std::uint64_t tick = 0;  ///< when it began
  };
  struct Child : opencode_model::SessionModel {
    // In the database.
    MissionId mission;
    std::string directory;  ///< a worktree; empty: the project
    std::uint64_t created_ms = 0;
    EffectId prompt_before = 0;
    std::optional<Happening> submission;  ///< of the newest prompt
    bool submission_answered = false;
    std::vector<Ran> ran;
    // In the process.
    bool goes_on = false;     ///< after its submission, though the plugin lets no request out
    PermissionId permission;  ///< that its tool call waits for
    bool blocked_by_tool = false;
    std::uint32_t turns = 0;
    std::uint32_t refusals = 0;
    Script script;
    std::size_t next_step = 0;
    /// Commands whose proof held when the verdict was handed in; absent: it was not known then.
    std::optional<std::set<std::string>> green;
    std::optional<Happening> call;
    std::string writing;          ///< the path whose write is being asked for
    std::optional<Step> command;  ///< the command that waits to begin
    bool tool_failed = false;     ///< the newest step was a tool call that failed
    // Its conversation, and what its model reads and writes of it.
    std::uint64_t bytes = 0;       ///< of all that is sent, tools and system text excepted
    std::uint64_t tokens = 0;      ///< never more than `bytes`
    std::uint64_t output_max = 0;  ///< of the request that is with the model
    RequestId leave;               ///< a model request that waits for the budget
    bool paid = false;             ///< … and that was let out

    /// The model that its requests name.
    [[nodiscard]] std::string model_name() const { return model.empty() ? "sim/large" : model; }
  };

  // What the host does with each effect.
  void on(const CreateSession& effect);
  void on(const PromptSession& effect);
  void on(const AbortSession& effect);
  void on(const InspectSession& effect);
  void on(const FindSessions& effect);
  void on(const Reply& reply);
  void on(const RejectPermission& effect);
  void on(const OpenDirectory& effect);
  void on(const DisposeDirectory& effect);
  /// A person sees it, and does nothing.
  static void on(const ShowToast& /*effect*/) {}
  // The engine does these itself; they never reach the host.
  static void on(const WatchSession& /*effect*/) {}
  static void on(const StartTimer& /*effect*/) {}
  static void on(const CancelTimer& /*effect*/) {}
  static void on(const AskWorktrees& /*effect*/) {}
  void effect_failed(EffectId effect, const char* why, std::uint64_t delay_ms);

  void message(Child& child);
  void start_turn(const SessionId& id, std::uint64_t life, std::uint64_t delay_ms);
  void write_script(Child& child);
  void advance(const SessionId& id, std::uint64_t life, std::uint64_t delay_ms);
  void ask_leave(Child& child);
  [[nodiscard]] std::string why_no_request(const Child& child) const;
  void leave_given(Child& child, const Reply& reply);
  [[nodiscard]] bool is_capped(const Child& child) const;
  [[nodiscard]] TurnEnded answered(Child& child, bool stopped);
  void repeat_request(const SessionId& id, std::uint64_t life, std::uint32_t attempt);
  void take_step(Child& child);
  void write(Child& child, const std::string& path);
  void run_command(Child& child, const Step& step);
  void begin_command(Child& child, const Step& step, const RequestId& call);
  void end_command(Child& child, const Step& step, const RequestId& call);
  void call(Child& child, Happening happening);
  void call_answered(Child& child, const Reply& reply);
  void check_verdict(const Child& child);
  void end_turn(Child& child);
  void stop_turn(const SessionId& id, std::uint64_t life, bool empty = false);
  void break_turn(Child& child, const std::string& error, const std::string& words = "it failed",
                  std::int64_t status = 0);
  void hang(Child& child, bool in_tool);
  void ask_permission(Child& child, const std::string& what);
  void permission_answered(const SessionId& id, std::uint64_t life, const PermissionId& permission,
                           bool allowed, bool with_words);
  static void end_turns(Child& child);
  void session_gone(Child& child);
  [[nodiscard]] bool proves(const Child& child, const std::string& command) const;

  /// What became of an effect, or a question; lost while no instance of the plugin is there.
  void report(const Happening& happening, std::uint64_t delay_ms = 0);
  /// An event of the host, with all that can happen to it on its way.
  void tell(const SessionId& session, const Happening& happening);
  [[nodiscard]] Child* find_child(const SessionId& id);
  [[nodiscard]] std::string next_message() { return "msg" + std::to_string(++host_messages_); }

  Faults& faults_;
  Timeline& timeline_;
  Git& git_;
  Checker& checker_;
  Trace& trace_;
  Models& models_;
  Random random_;
  const bool wordy_;  ///< its models write as much as they may
  Process* process_ = nullptr;
  HostMode mode_ = HostMode::serve;
  std::map<SessionId, Child> children_;
  std::map<RequestId, SessionId> asked_;
  std::map<RequestId, SessionId> turn_endings_;
  std::map<RequestId, SessionId> leaves_;
  std::map<RequestId, std::pair<SessionId, std::function<void(bool)>>> commands_;
  SessionId last_root_;
  std::function<void()> run_ended_;
  std::uint32_t pace_ms_ = 0;
  bool deaf_ = false;  ///< the plugin is between two instances
  std::vector<Effect> held_;
  std::uint64_t permissions_ = 0;
  std::uint64_t sessions_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t host_messages_ = 0;
};

}  // namespace orchestrator::sim
