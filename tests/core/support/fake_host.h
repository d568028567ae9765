#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "core/state/moves.h"
#include "opencode_model/git.h"
#include "opencode_model/session.h"
#include "orchestrator/step.h"

/// OpenCode as far as the engine can tell, on a virtual clock: it makes sessions, takes prompts,
/// runs turns of scripted models, goes idle, and keeps the oddities of the host contract (an idle
/// before its time after an error, prompts that are accepted and never answered). A whole mission
/// runs in it within a unit test. After every step it checks what must hold at any time.
namespace orchestrator::test {

using core::MovesMade;

/// A number that a longer run of the tests sets.
std::uint64_t from_environment(const char* name, std::uint64_t otherwise);

class FakeHost;

/// What came back from a tool call.
struct Answer {
  bool ok = false;
  bool given = false;  ///< false: the call blocks
  std::string text;

  [[nodiscard]] bool says(const std::string& part) const {
    return text.find(part) != std::string::npos;
  }
};

/// A model's view of its turn. It acts by these calls; when its function returns, the turn ends,
/// or, where its last call blocks, it is called again with the call's result as `text`.
struct Turn {
  FakeHost& host;
  SessionId session;
  Role role = Role::none;
  std::string text;  ///< the newest message, or the result of the call that blocked
  TaskId task;       ///< of a child session
  int number = 1;    ///< turns of this session so far, this one included

  [[nodiscard]] std::string first_line() const { return text.substr(0, text.find('\n')); }

  // What models can do.
  Answer mission_run(RunArgs args = {});
  Answer plan(PlanArgs args);
  Answer work(WorkArgs args);
  Answer review(ReviewArgs args);
  Answer todo(TodoArgs args);
  Answer delegate(DelegateArgs args);
  Answer result(const std::string& task_id);
  Answer cancel(const std::string& task_id, const std::string& reason = "");
  void write(const std::string& path);
  void run(const std::string& command, int exit_code = 0);
  /// The same; `meanwhile` happens between its begin and its end.
  void run_while(const std::string& command, const std::function<void()>& meanwhile,
                 int exit_code = 0);

  // What models mostly do.
  /// Writes the task's files and submits it.
  Answer do_work();
  /// Runs each verify command, with this exit code.
  void run_verify(int exit_code = 0);
  /// Runs each verify command and passes.
  Answer pass();
  Answer reject(const std::string& message, const std::string& file = "");
  /// The provider fails: an error, a premature idle, the real idle.
  void fail(const std::string& name = "APIError");
  /// The turn neither ends nor says anything any more; as in a tool call that lasts, or as a stream
  /// that has stopped.
  void hang(bool in_tool = true);
};

using Model = std::function<void(Turn&)>;

[[nodiscard]] TaskSpec task(const std::string& id, std::vector<std::string> deps = {},
                            std::vector<std::string> files = {});
[[nodiscard]] PlanArgs plan_of(std::vector<TaskSpec> tasks);
/// T1; T2, T3, T4 upon it; T5 upon T2 and T3; T6 upon all.
[[nodiscard]] PlanArgs diamond();

class FakeHost {
 public:
  explicit FakeHost(HostMode host_mode = HostMode::serve);
  ~FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  // ---- what a test sets
  PlanArgs plan = diamond();  ///< what the Planner submits unless it is scripted
  Options options;            ///< of the next `/task`
  std::vector<std::string> agents = {"worker"};
  bool extreme = false;                                 ///< `/extreme-mission`
  bool doubled = false;                                 ///< every event of the host comes twice
  std::function<bool(const Happening&)> lost;           ///< events that never arrive
  std::function<bool(const PromptSession&)> swallowed;  ///< accepted and never answered
  std::function<std::string(const Effect&)> refused;    ///< the error with which an effect fails
  std::string host_model;  ///< that it asks where a prompt names none; empty: it does not say so
  /// What its provider does with a request: "" answers; "empty" gives an empty answer; "stall" is
  /// silent; "429", "500", "503" are tried again by the host, each time with a new question here;
  /// any other text is a terminal error of that message.
  std::function<std::string(const SessionId&, const std::string& model)> provider;
  TimeMs think_ms = 100;     ///< that an answer takes
  int answers_per_turn = 1;  ///< requests of a turn; all but the last call tools
  struct Asked {
    const SessionId& session;
    const std::string& model;
    std::uint64_t bytes;       ///< of the request
    std::uint64_t output_max;  ///< tokens that the answer may have
  };
  /// Tokens of an answer: what was read and written. What a session's conversation has cost to read
  /// it costs again, as with any tokenizer, as long as the model is the same.
  std::function<std::uint64_t(const Asked&)> cost;
  /// Why git does not do what it is asked for; empty: it does.
  std::function<std::string(const AskWorktrees&)> git_fails;
  /// Whether the host lets a session go on whose model the plugin lets ask for nothing more.
  std::function<bool(const SessionId&)> goes_on;
  std::function<bool()> open_fails;  ///< the host does not open a directory ahead
  /// Requests that the model answers at this moment.
  [[nodiscard]] std::size_t being_answered(const std::string& of_model) const;
  void script(Role role, Model model) { models_[role] = std::move(model); }

  // ---- what a person does
  Answer task_command(const std::string& arguments, const SessionId& session = SessionId("root"));
  Answer stop(const std::string& arguments = "", const SessionId& session = SessionId("root"));
  Answer resume(const std::string& arguments = "", const SessionId& session = SessionId("root"));
  void say(const std::string& text);
  void press_escape();
  /// The process dies, and all turns with it; a new one loads the state.
  void crash(HostMode host_mode);
  /// The engine in it alone dies: the host and its turns go on. What the log held after `events`
  /// records is lost.
  void crash_engine(std::size_t events = SIZE_MAX);
  /// The host throws its instance away and makes it anew: all turns are over, the engine lives on.
  void reload();
  /// The host forgets a session without a word, as when it is deleted while no plugin listens.
  void forget(const SessionId& session) { child_of(session).gone = true; }
  /// The host's newest prompt in a session.
  [[nodiscard]] EffectId newest_prompt(const SessionId& session) {
    return child_of(session).prompt;
  }

  // ---- time
  /// Until nothing is due any more.
  void run();
  /// Until `condition`; fails the test if it never holds.
  void run_until(const std::function<bool()>& condition);
  /// Until this many events were taken in all, or nothing is due.
  void run_to_event(std::size_t events);
  void run_for(TimeMs ms);

  /// Gives the engine one event now.
  Answer deliver(Happening what);

  // ---- what a test looks at
  State state;
  TimeMs now = 1'000'000;
  std::vector<Event> log;
  std::vector<PromptSession> prompts;
  std::vector<CreateSession> creations;
  std::vector<SessionId> aborted;
  std::vector<ShowToast> toasts;
  std::vector<RejectPermission> permissions_rejected;
  std::vector<std::string> told;  ///< what `mission_run` returned and what woke the Commander
  std::vector<TaskId> started;    ///< tasks in the order in which they became `running`
  std::vector<TaskId> finished;   ///< in the order in which they became `done`
  std::size_t together = 0;       ///< most tasks running at once

  [[nodiscard]] const Task& at(const std::string& id) const;
  [[nodiscard]] std::vector<PromptSession> prompts_to(const SessionId& session) const;
  /// Prompts whose text begins so.
  [[nodiscard]] std::vector<PromptSession> prompts_that_begin(const std::string& start) const;
  [[nodiscard]] std::size_t sessions_of(Role role, const std::string& task_id = "") const;
  [[nodiscard]] std::string files_hash(const SessionId& session) const;
  void touch(const std::string& path) { git_.project()[path] = git_.new_text(); }
  using Files = opencode_model::Files;
  /// Of the project, or of the worktree that a session works in.
  Files& files_of(const SessionId& session);
  [[nodiscard]] const Files& project() const { return git_.project(); }
  std::vector<AskWorktrees> git_calls;  ///< in their order
  std::vector<std::string> disposed;    ///< directories that the host has let go of
  std::vector<std::string> opened;      ///< those that it was told to open, before there was a task
 private:
  opencode_model::GitModel git_{"/trees"};

 public:
  /// Worktrees that stand, by their directory's name: `<mission>.<name>`.
  const std::map<std::string, opencode_model::GitModel::Tree>& trees = git_.trees();
  [[nodiscard]] bool running(const std::string& id) const;
  [[nodiscard]] std::size_t timers() const { return timers_.size(); }

 private:
  friend struct Turn;
  struct Child : opencode_model::SessionModel {
    std::string inbox;  ///< the newest message that is not answered yet
    bool hangs = false;
    bool gone = false;  ///< deleted
    int turns = 0;
    bool answering = false;   ///< a request of it is with the model
    int answers_left = -1;    ///< before the last of its turn; -1: it is a new one
    bool empty = false;       ///< the answer has nothing in it
    std::uint64_t bytes = 0;  ///< of its conversation
    std::uint64_t output_max = 0;
  };
  struct Due {
    TimeMs at = 0;
    std::uint64_t order = 0;
    std::function<void()> act;
    bool operator<(const Due& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  void after(TimeMs ms, std::function<void()> act);
  bool step_once();
  void host_says(Happening what);
  void watch_states(const State& before);
  void check(const State& before, const Effects& effects);
  void check_fixpoint() const;
  void check_standstill() const;
  void check_replay() const;
  [[nodiscard]] RequestId new_request();

  void carry_out(const Effect& effect);
  // What the host does with each effect.
  void on(const AbortSession& effect);
  void on(const OpenDirectory& effect);
  void on(const DisposeDirectory& effect);
  void on(const StartTimer& effect);
  void on(const CancelTimer& effect) { timers_.erase(effect.timer); }
  void on(const WatchSession& effect) { watched_.insert(effect.session); }
  void on(const ShowToast& effect) { toasts.push_back(effect); }
  void on(const RejectPermission& effect) { permissions_rejected.push_back(effect); }
  void on(const CreateSession& effect);
  void on(const PromptSession& effect);
  void on(const InspectSession& effect);
  void on(const FindSessions& effect);
  void abort(const SessionId& session, bool by_user);
  void lose_turns();
  void on(const Reply& reply);
  void on(const AskWorktrees& effect);

  Child& child_of(const SessionId& session);
  [[nodiscard]] std::string next_message() { return "msg" + std::to_string(++messages_); }
  void message(const SessionId& session, const std::string& text);
  void begin_turn(const SessionId& session);
  void ask_leave(const SessionId& session, std::uint64_t life);
  void start_answer(const SessionId& session, std::uint64_t life);
  void ask_provider(const SessionId& session, std::uint64_t life, std::uint32_t attempt);
  void go_on_answering(const SessionId& session, std::uint64_t life);
  [[nodiscard]] TurnEnded ended_answer(const SessionId& session, bool stopped);
  void think(const SessionId& session, const std::string& text);
  void end_turn(const SessionId& session);
  void stop_turn(const SessionId& session, std::uint64_t life);
  void break_turn(const SessionId& session, const std::string& error,
                  const std::string& words = "it failed");
  Answer call(Happening what, const SessionId& session);
  void default_model(Turn& turn);

  HostMode mode_;
  std::map<Role, Model> models_;
  std::map<SessionId, Child> children_;
  std::set<SessionId> watched_;
  std::map<TimerId, std::uint64_t> timers_;
  std::map<RequestId, Reply> replies_;
  std::map<RequestId, SessionId> turn_endings_;
  std::map<RequestId, std::pair<SessionId, std::uint64_t>> leaves_;  ///< requests that wait
  std::uint64_t messages_ = 0;
  Files nowhere_;  ///< of directories that are gone
  std::priority_queue<Due> queue_;
  std::uint64_t order_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t sessions_ = 0;
  std::uint64_t missions_ = 0;
  std::set<SessionId> stopped_;
};

// ---- scenarios ----------------------------------------------------------------------------------

/// One mission again and again: left alone, then with a crash after its first event, after `stride`
/// more, and so on to its end. `begin` starts it; `expect` looks at what came of it each time, and
/// the first failure ends it all.
void crash_after_events(std::size_t stride, const std::function<void(FakeHost&)>& begin,
                        const std::function<void(FakeHost&)>& expect);

/// A scenario is a test that the table coverage runs once more, all of them in one process.
struct Scenario {
  const char* name;
  void (*run)();
};
std::vector<Scenario>& scenarios();
inline bool add_scenario(const char* name, void (*run)()) {
  scenarios().push_back({name, run});
  return true;
}
/// The rows that all fake hosts of this process have taken.
MovesMade& taken_rows();

}  // namespace orchestrator::test

#define MISSION_SCENARIO(suite, name)                                              \
  static void suite##_##name##_run();                                              \
  [[maybe_unused]] static const bool suite##_##name##_added =                      \
      ::orchestrator::test::add_scenario(#suite "." #name, &suite##_##name##_run); \
  TEST(suite, name) { suite##_##name##_run(); }                                    \
  static void suite##_##name##_run()
