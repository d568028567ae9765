#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/describe.h"
#include "orchestrator/governor.h"
#include "orchestrator/ids.h"
#include "orchestrator/isolation.h"
#include "orchestrator/options.h"
#include "orchestrator/session.h"
#include "orchestrator/task.h"

/// The whole durable state of one mission. It is written as `.opencode/mission_loop.json`, so the
/// field names of the contract (section 5) stand here and nowhere else. Plain data: every change
/// goes through `step`.
namespace orchestrator {

enum class Phase {
  none,  ///< no mission has been started; never stored
  briefing,
  planning,
  executing,
  integrating,
  sealed,
  blocked,
  paused,
  cancelled,
  failed
};
constexpr auto enum_names(Phase) {
  return std::array{EnumName<Phase>{Phase::none, "none"},
                    EnumName<Phase>{Phase::briefing, "briefing"},
                    EnumName<Phase>{Phase::planning, "planning"},
                    EnumName<Phase>{Phase::executing, "executing"},
                    EnumName<Phase>{Phase::integrating, "integrating"},
                    EnumName<Phase>{Phase::sealed, "sealed"},
                    EnumName<Phase>{Phase::blocked, "blocked"},
                    EnumName<Phase>{Phase::paused, "paused"},
                    EnumName<Phase>{Phase::cancelled, "cancelled"},
                    EnumName<Phase>{Phase::failed, "failed"}};
}

/// The process that hosts the plugin: it decides how the Commander is kept going.
enum class HostMode { run, serve, tui };
constexpr auto enum_names(HostMode) {
  return std::array{EnumName<HostMode>{HostMode::run, "run"},
                    EnumName<HostMode>{HostMode::serve, "serve"},
                    EnumName<HostMode>{HostMode::tui, "tui"}};
}

/// What the mission may spend, and what it has spent.
struct Budget {
  std::uint64_t tokens_max = 0;  ///< 0: no cap
  double usd_max = 0;
  TimeMs time_max_ms = 0;
  std::uint64_t tokens = 0;
  double usd = 0;
  std::uint64_t tokens_granted = 0;  ///< spent when a person last said "go on"
  double usd_granted = 0;
  TimeMs deadline_ms = 0;               ///< while it runs: when its time is spent
  TimeMs time_left_ms = 0;              ///< while it is paused: what was left
  std::uint64_t answer_tokens_max = 0;  ///< the largest answer so far, all read and written
  double answer_usd_max = 0;
  bool spent = false;  ///< it is paused because the next answer would not fit

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("tokens_max", self.tokens_max);
    visit("usd_max", self.usd_max);
    visit("time_max_ms", self.time_max_ms);
    visit("tokens", self.tokens);
    visit("usd", self.usd);
    visit("tokens_granted", self.tokens_granted);
    visit("usd_granted", self.usd_granted);
    visit("deadline_ms", self.deadline_ms);
    visit("time_left_ms", self.time_left_ms);
    visit("answer_tokens_max", self.answer_tokens_max);
    visit("answer_usd_max", self.answer_usd_max);
    visit("spent", self.spent);
  }
};

struct Metrics {
  std::uint32_t sessions = 0;
  std::uint32_t sessions_peak = 0;  ///< the most that held a slot at once
  std::uint32_t prompts = 0;
  std::uint32_t continuations = 0;
  std::uint32_t rejections = 0;
  std::uint32_t errors = 0;
  std::uint32_t refusals = 0;
  std::uint32_t receipts = 0;
  std::uint32_t retries = 0;    ///< of the host's own, after a model's trouble
  std::uint32_t slowdowns = 0;  ///< times a limit was halved
  std::uint32_t openings = 0;   ///< times a model was given a rest
  std::uint32_t fallbacks = 0;  ///< prompts that went to a model's stand-in

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("sessions", self.sessions);
    visit("sessions_peak", self.sessions_peak);
    visit("prompts", self.prompts);
    visit("continuations", self.continuations);
    visit("rejections", self.rejections);
    visit("errors", self.errors);
    visit("refusals", self.refusals);
    visit("receipts", self.receipts);
    visit("retries", self.retries);
    visit("slowdowns", self.slowdowns);
    visit("openings", self.openings);
    visit("fallbacks", self.fallbacks);
  }
};

/// A process has taken the mission up and waits for what the host has of it: nothing is dispatched.
struct Recovery {
  EffectId effect = 0;  ///< the `FindSessions` in flight; 0: none
  TimerId timer = 0;
  bool needed = false;         ///< nothing is known yet of what the process before has left behind
  bool running = false;        ///< begun, and not answered yet
  std::uint32_t attempts = 0;  ///< how often the host was asked

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("effect", self.effect);
    visit("timer", self.timer);
    visit("needed", self.needed);
    visit("running", self.running);
    visit("attempts", self.attempts);
  }
};

/// A file that has changed though no task's Worker has it from its tools or its own shell: the
/// Master Review looks at it.
struct StrayFile {
  std::string path;
  SessionId session;  ///< whose command did it; empty: not known, or nobody's of the mission
  TimeMs at_ms = 0;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("path", self.path);
    visit("session", self.session);
    visit("at_ms", self.at_ms);
  }
};

struct State {
  std::uint32_t schema = 1;
  MissionId mission;
  Phase phase = Phase::none;
  std::string reason;  ///< why it is blocked, paused, cancelled or failed
  std::string objective;
  SessionId root_session;
  std::uint32_t iteration = 1;
  TimeMs started_at = 0;
  TimeMs updated_at = 0;
  std::uint64_t last_seq = 0;
  std::vector<Task> tasks;
  std::vector<Session> sessions;
  Budget budget;
  Metrics metrics;
  Phase resume_phase = Phase::none;  ///< where `blocked` and `paused` go on
  HostMode mode = HostMode::serve;
  std::string notes;  ///< the Commander's, for the Planner
  std::vector<std::string> acceptance;
  std::vector<std::string> verify;  ///< commands of the Master Review
  std::string verify_reason;
  std::string plan_summary;
  std::vector<std::string> decisions;
  std::vector<std::string> agents;  ///< names that a plan may assign a task to
  std::uint32_t parallel = 4;       ///< sessions that may hold a slot now
  std::uint32_t parallel_max = 10;
  std::uint32_t planner_attempts = 0;
  std::uint32_t master_attempts = 0;
  std::vector<Finding> findings;  ///< of the last failed Master Review
  std::vector<std::string> proved_by;
  Commander commander;
  std::vector<Receipt> receipts;
  TimerId deadline_timer = 0;
  EffectId next_effect = 1;
  TimerId next_timer = 1;
  std::uint64_t seed = 0;
  bool dormant = false;  ///< its process died; it waits for `/resume`
  Options options;
  std::vector<std::string> verify_asked;  ///< of `verify`: what no new plan may take away
  std::uint32_t unblocks = 0;  ///< times the Commander unblocked it since a person last spoke
  Recovery recovery;
  std::vector<PermissionRequest> permissions;
  TimerId stop_timer = 0;     ///< when the aborts of a stop or a pause must be confirmed
  std::string receipt_head;   ///< hash of the newest receipt
  std::vector<Proof> proofs;  ///< of the passing Master Review
  std::vector<std::uint32_t> findings_by_iteration;  ///< of each rejected Master Review, to mend
  std::uint32_t convergence_from = 0;  ///< counts before this one do not bind any more
  Governor governor;
  std::uint32_t planner_losses = 0;  ///< see `Task::losses`
  std::uint32_t master_losses = 0;
  bool extreme = false;           ///< started by `/extreme-mission`
  std::vector<StrayFile> strays;  ///< bounded; see strays_left_out
  std::uint32_t strays_left_out = 0;
  std::vector<Waiter> waiters;  ///< of this process; a new one has none
  IsolationState worktrees;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("schema", self.schema);
    visit("mission", self.mission);
    visit("phase", self.phase);
    visit("reason", self.reason);
    visit("objective", self.objective);
    visit("root_session", self.root_session);
    visit("iteration", self.iteration);
    visit("started_at", self.started_at);
    visit("updated_at", self.updated_at);
    visit("last_seq", self.last_seq);
    visit("tasks", self.tasks);
    visit("sessions", self.sessions);
    visit("budget", self.budget);
    visit("metrics", self.metrics);
    visit("resume_phase", self.resume_phase);
    visit("mode", self.mode);
    visit("notes", self.notes);
    visit("acceptance", self.acceptance);
    visit("verify", self.verify);
    visit("verify_reason", self.verify_reason);
    visit("plan_summary", self.plan_summary);
    visit("decisions", self.decisions);
    visit("agents", self.agents);
    visit("parallel", self.parallel);
    visit("parallel_max", self.parallel_max);
    visit("planner_attempts", self.planner_attempts);
    visit("master_attempts", self.master_attempts);
    visit("findings", self.findings);
    visit("proved_by", self.proved_by);
    visit("commander", self.commander);
    visit("receipts", self.receipts);
    visit("deadline_timer", self.deadline_timer);
    visit("next_effect", self.next_effect);
    visit("next_timer", self.next_timer);
    visit("seed", self.seed);
    visit("dormant", self.dormant);
    visit("options", self.options);
    visit("verify_asked", self.verify_asked);
    visit("unblocks", self.unblocks);
    visit("recovery", self.recovery);
    visit("permissions", self.permissions);
    visit("stop_timer", self.stop_timer);
    visit("receipt_head", self.receipt_head);
    visit("proofs", self.proofs);
    visit("findings_by_iteration", self.findings_by_iteration);
    visit("convergence_from", self.convergence_from);
    visit("governor", self.governor);
    visit("planner_losses", self.planner_losses);
    visit("master_losses", self.master_losses);
    visit("extreme", self.extreme);
    visit("strays", self.strays);
    visit("strays_left_out", self.strays_left_out);
    visit("waiters", self.waiters);
    visit("worktrees", self.worktrees);
  }
};

/// Briefing to integrating: the engine moves it on by itself.
[[nodiscard]] bool is_running(Phase phase);
/// Running, blocked or paused: it holds its directory, and `/task` beside it is refused.
[[nodiscard]] bool is_active(Phase phase);
/// `valid` ids: a letter, then up to 31 letters, digits, `.`, `_` or `-`.
[[nodiscard]] bool valid_task_id(const std::string& id);

[[nodiscard]] Task* find_task(State& state, const TaskId& id);
[[nodiscard]] const Task* find_task(const State& state, const TaskId& id);
[[nodiscard]] Session* find_session(State& state, const SessionId& id);
[[nodiscard]] const Session* find_session(const State& state, const SessionId& id);

}  // namespace orchestrator
