#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/describe.h"
#include "orchestrator/ids.h"
#include "orchestrator/limiter.h"
#include "orchestrator/options.h"
#include "orchestrator/session.h"
#include "orchestrator/task.h"
#include "orchestrator/worktrees.h"

/// The whole durable state of one mission, written as `.opencode/mission_loop.json`; the names of
/// its fields are those of the product contract (section 5). Plain data: only `step` changes it.
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
  failed  ///< named by the product contract; no mission reaches it
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

/// Kind of the host's process, which decides how the Commander is kept going.
enum class HostMode { run, serve, tui };
constexpr auto enum_names(HostMode) {
  return std::array{EnumName<HostMode>{HostMode::run, "run"},
                    EnumName<HostMode>{HostMode::serve, "serve"},
                    EnumName<HostMode>{HostMode::tui, "tui"}};
}

/// Caps of the mission's budget, and what is spent of it.
struct Budget {
  std::uint64_t tokens_max = 0;  ///< 0: no cap
  double usd_max = 0;
  TimeMs time_max_ms = 0;
  std::uint64_t tokens = 0;
  double usd = 0;
  std::uint64_t tokens_granted = 0;  ///< spent when a person last said "go on"
  double usd_granted = 0;
  TimeMs deadline_ms = 0;               ///< while the mission runs: when its time is spent
  TimeMs time_left_ms = 0;              ///< while it is paused: the time that was left
  std::uint64_t answer_tokens_max = 0;  ///< tokens of the largest answer so far, read and written
  double answer_usd_max = 0;
  bool spent = false;  ///< the mission is paused because the next answer would not fit

  ORCH_FIELDS(tokens_max, usd_max, time_max_ms, tokens, usd, tokens_granted, usd_granted,
              deadline_ms, time_left_ms, answer_tokens_max, answer_usd_max, spent);
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
  std::uint32_t retries = 0;    ///< model requests that the host repeated by itself
  std::uint32_t slowdowns = 0;  ///< times a limit was halved
  std::uint32_t trips = 0;      ///< times a model was given a cooldown
  std::uint32_t fallbacks = 0;  ///< prompts that went to a model's fallback

  ORCH_FIELDS(sessions, sessions_peak, prompts, continuations, rejections, errors, refusals,
              receipts, retries, slowdowns, trips, fallbacks);
};

/// A process has taken up the mission and asks the host which sessions exist: until then no session
/// begins.
struct Recovery {
  EffectId effect = 0;  ///< the `FindSessions` in flight; 0: none
  TimerId timer = 0;
  bool needed = false;         ///< the host has not been asked yet
  bool running = false;        ///< asked, and not answered yet
  std::uint32_t attempts = 0;  ///< how often the host was asked

  ORCH_FIELDS(effect, timer, needed, running, attempts);
};

/// A changed file that no Worker's tool or command accounts for; the Master Reviewer checks it.
struct UnattributedChange {
  std::string path;
  SessionId session;  ///< the session whose command did it; empty: not known, or not of the mission
  TimeMs at_ms = 0;

  ORCH_FIELDS(path, session, at_ms);
};

/// The plan in force, and the attempts of Planner sessions.
struct Plan {
  std::string notes;  ///< from the Commander for the Planner
  std::string summary;
  std::vector<std::string> acceptance;
  std::vector<std::string> verify;  ///< commands that the Master Reviewer must run
  std::string verify_reason;
  std::vector<std::string> verify_asked;  ///< the part of `verify` that a new plan keeps
  std::vector<std::string> decisions;
  std::vector<std::string> agents;  ///< agents that a plan may assign tasks to
  std::uint32_t attempts = 0;
  std::uint32_t sessions_lost = 0;  ///< see `TaskProgress::sessions_lost`

  ORCH_FIELDS(notes, summary, acceptance, verify, verify_reason, verify_asked, decisions, agents,
              attempts, sessions_lost);
};

struct MasterReview {
  std::uint32_t attempts = 0;
  std::uint32_t sessions_lost = 0;
  std::vector<Finding> findings;  ///< of the last reject
  std::vector<std::string> proved_by;
  std::vector<Proof> proofs;                         ///< of the pass
  std::vector<std::uint32_t> findings_by_iteration;  ///< number of findings to fix, of each reject
  std::uint32_t convergence_from = 0;  ///< earlier entries of `findings_by_iteration` are ignored

  ORCH_FIELDS(attempts, sessions_lost, findings, proved_by, proofs, findings_by_iteration,
              convergence_from);
};

/// The mission's own timers, and the ids of the next timer and effect.
struct Clock {
  EffectId next_effect = 1;
  TimerId next_timer = 1;
  TimerId deadline_timer = 0;
  TimerId stop_timer = 0;  ///< until it fires, the host may confirm the aborts of a stop or a pause

  ORCH_FIELDS(next_effect, next_timer, deadline_timer, stop_timer);
};

struct State {
  std::uint32_t schema = 2;
  MissionId mission;
  Phase phase = Phase::none;
  std::string reason;  ///< why the mission is blocked, paused or cancelled
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
  Phase resume_phase = Phase::none;  ///< the phase after `blocked` or `paused`
  HostMode mode = HostMode::serve;
  bool extreme = false;  ///< started by `/extreme-mission`
  bool dormant = false;  ///< its process died; the mission waits for `/resume`
  std::uint64_t seed = 0;
  std::uint32_t unblocks = 0;  ///< times the Commander unblocked it since a person last spoke
  std::uint32_t parallel = 4;  ///< sessions that may hold a slot now
  std::uint32_t parallel_max = 10;
  Options options;
  Plan plan;
  MasterReview master_review;
  Commander commander;
  std::vector<Receipt> receipts;
  std::string receipt_head;  ///< hash of the newest receipt
  std::vector<PermissionRequest> permissions;
  std::vector<Waiter> waiters;  ///< calls of the present process
  Clock clock;
  Recovery recovery;
  Limiter limiter;
  std::vector<UnattributedChange> unattributed;  ///< bounded; see unattributed_left_out
  std::uint32_t unattributed_left_out = 0;
  WorktreesState worktrees;

  ORCH_FIELDS(schema, mission, phase, reason, objective, root_session, iteration, started_at,
              updated_at, last_seq, tasks, sessions, budget, metrics, resume_phase, mode, extreme,
              dormant, seed, unblocks, parallel, parallel_max, options, plan, master_review,
              commander, receipts, receipt_head, permissions, waiters, clock, recovery, limiter,
              unattributed, unattributed_left_out, worktrees);
};

/// From briefing to integrating: the engine moves the mission on by itself.
[[nodiscard]] bool is_running(Phase phase);
/// Running, blocked or paused: the mission holds its directory, and another `/task` is refused.
[[nodiscard]] bool is_active(Phase phase);
/// A valid id is a letter, then up to 31 letters, digits, `.`, `_` or `-`.
[[nodiscard]] bool valid_task_id(const std::string& id);

[[nodiscard]] Task* find_task(State& state, const TaskId& id);
[[nodiscard]] const Task* find_task(const State& state, const TaskId& id);
[[nodiscard]] Session* find_session(State& state, const SessionId& id);
[[nodiscard]] const Session* find_session(const State& state, const SessionId& id);

}  // namespace orchestrator
