#pragma once

#include <string>
#include <string_view>

#include "orchestrator/mission.h"

/// The state as logs of the versions 1 and 2 and snapshots of schema 1 hold it: flat structs, whose
/// fields and their order never change again. What a field means stands at its successor, which
/// `legacy_state.cc` names.
namespace orchestrator::codec::legacy {

struct Task {
  TaskId id;
  std::string title;
  std::string agent;
  TaskStatus status = TaskStatus::pending;
  std::uint32_t attempt = 0;
  std::vector<TaskId> deps;
  std::vector<std::string> files;
  SessionId session;
  std::string summary;
  std::string description;
  std::vector<std::string> accept;
  std::vector<std::string> verify;
  std::vector<std::string> race;
  std::string note;
  std::vector<Finding> findings;
  std::vector<std::string> touched;
  std::uint32_t rejections = 0;
  std::uint32_t review_attempts = 0;
  std::uint32_t retries = 0;
  std::uint32_t iteration = 1;
  std::vector<std::string> proved_by;
  TimeMs started_ms = 0;
  TimeMs ended_ms = 0;
  bool on_word = false;
  std::vector<Proof> proofs;
  std::string last_written;
  std::uint32_t looked_at = 0;
  std::vector<std::string> diagnosis;
  std::string refused_errors;
  std::uint32_t refused_same = 0;
  std::uint32_t refused_diagnoses = 0;
  std::uint32_t losses = 0;
  std::uint64_t tokens = 0;
  double usd = 0;
  std::string wants;
  TaskId waits_for;
  std::uint32_t gave_way = 0;
  TaskId parent;
  std::string commit;
  MergeState merge = MergeState::none;
  TaskId brings;
  std::string tree_base;
  std::string strategy;
  bool racing = false;
  ORCH_FIELDS(id, title, agent, status, attempt, deps, files, session, summary, description, accept,
              verify, race, note, findings, touched, rejections, review_attempts, retries,
              iteration, proved_by, started_ms, ended_ms, on_word, proofs, last_written, looked_at,
              diagnosis, refused_errors, refused_same, refused_diagnoses, losses, tokens, usd,
              wants, waits_for, gave_way, parent, commit, merge, brings, tree_base, strategy,
              racing);
};

struct Session {
  SessionId id;
  Role role = Role::none;
  TaskId task;
  SessionState state = SessionState::creating;
  std::string agent;
  std::uint32_t attempt = 0;
  EffectId effect = 0;
  std::uint32_t continuations = 0;
  std::uint32_t refusals = 0;
  bool submitted = false;
  bool errored = false;
  bool failed = false;
  bool compacted = false;
  std::string prompt;
  TimerId timer = 0;
  std::uint64_t tokens = 0;
  double usd = 0;
  TimeMs started_ms = 0;
  TimeMs seen_ms = 0;
  bool began = false;
  bool inspecting = false;
  std::uint32_t inspections = 0;
  TimeMs leased_ms = 0;
  SessionId parent;
  EffectId sent = 0;
  std::string paid_message;
  bool aborting = false;
  std::string denied;
  bool first_look = false;
  Outcome outcome = Outcome::none;
  std::string model_asked;
  std::string model;
  ErrorClass fault = ErrorClass::none;
  std::uint32_t faults = 0;
  TimeMs asked_ms = 0;
  bool retrying = false;
  std::string tool_error;
  std::uint32_t tool_errors = 0;
  std::uint32_t tool_warnings = 0;
  bool asked_missing = false;
  bool wrote = false;
  std::uint64_t reserved_tokens = 0;
  double reserved_usd = 0;
  std::uint64_t answer_tokens = 0;
  std::uint64_t answer_bytes = 0;
  std::uint64_t request_bytes = 0;
  RequestId asking;
  std::uint64_t asking_output = 0;
  double asking_input_usd = 0;
  double asking_output_usd = 0;
  std::string answer_model;
  std::string asking_model;
  std::string refusal;
  RequestId unused_call;
  std::string unused_answer;
  std::uint32_t after_submission = 0;
  ORCH_FIELDS(id, role, task, state, agent, attempt, effect, continuations, refusals, submitted,
              errored, failed, compacted, prompt, timer, tokens, usd, started_ms, seen_ms, began,
              inspecting, inspections, leased_ms, parent, sent, paid_message, denied, aborting,
              first_look, outcome, model_asked, model, fault, faults, asked_ms, retrying,
              tool_error, tool_errors, tool_warnings, asked_missing, wrote, reserved_tokens,
              reserved_usd, answer_tokens, answer_bytes, request_bytes, asking, asking_output,
              asking_input_usd, asking_output_usd, answer_model, asking_model, refusal, unused_call,
              unused_answer, after_submission);
};

struct Commander {
  RequestId waiting;
  bool background = false;
  bool busy = false;
  bool continued = false;
  bool errored = false;
  bool owed = false;
  std::uint32_t early_ends = 0;
  std::uint32_t continuations = 0;
  EffectId effect = 0;
  TimerId timer = 0;
  bool prompted = false;
  std::uint32_t unanswered = 0;
  std::string paid_message;
  std::string model;
  std::uint64_t reserved_tokens = 0;
  double reserved_usd = 0;
  std::uint64_t answer_tokens = 0;
  double answer_usd = 0;
  std::uint64_t request_bytes = 0;
  std::uint64_t answer_bytes = 0;
  RequestId asking;
  std::uint64_t asking_output = 0;
  double asking_input_usd = 0;
  double asking_output_usd = 0;
  TimeMs asked_ms = 0;
  bool closing = false;
  std::string answer_model;
  std::string asking_model;
  bool cut_off = false;
  ORCH_FIELDS(waiting, background, busy, continued, errored, owed, early_ends, continuations,
              effect, timer, prompted, unanswered, paid_message, model, reserved_tokens,
              reserved_usd, answer_tokens, answer_usd, request_bytes, answer_bytes, asking,
              asking_output, asking_input_usd, asking_output_usd, asked_ms, closing, answer_model,
              asking_model, cut_off);
};

struct ModelLoad {
  std::string model;
  std::uint32_t limit = 0;
  std::uint32_t ceiling = 0;
  std::uint32_t run = 0;
  std::uint32_t failures = 0;
  Breaker breaker = Breaker::closed;
  std::uint32_t openings = 0;
  TimeMs not_before_ms = 0;
  TimeMs slowed_ms = 0;
  std::string error;
  bool refused = false;
  std::uint32_t misses = 0;
  ORCH_FIELDS(model, limit, ceiling, run, failures, breaker, openings, not_before_ms, slowed_ms,
              error, refused, misses);
};

struct Limiter {
  std::vector<ModelLoad> models;
  std::map<std::string, std::string> seen;
  Load load = Load::calm;
  std::string load_why;
  std::uint32_t run = 0;
  TimeMs slowed_ms = 0;
  TimerId timer = 0;
  TimeMs timer_at_ms = 0;
  ORCH_FIELDS(models, seen, load, load_why, run, slowed_ms, timer, timer_at_ms);
};

struct Worktree {
  std::string name;
  TaskId task;
  std::string base;
  std::string directory;
  TreeState state = TreeState::adding;
  EffectId effect = 0;
  std::uint32_t failures = 0;
  bool stale = false;
  bool opened = false;
  bool moves = false;
  ORCH_FIELDS(name, task, base, directory, state, effect, failures, stale, opened, moves);
};

struct WorktreesState {
  bool wanted = false;
  bool checked = false;
  std::string problem;
  std::vector<std::string> notes;
  EffectId effect = 0;
  std::string integrated;
  std::vector<Worktree> trees;
  std::uint32_t named = 0;
  MergeStep step = MergeStep::none;
  TaskId merging;
  EffectId merge_effect = 0;
  std::string theirs;
  std::string merged;
  std::uint32_t tries = 0;
  TimerId timer = 0;
  bool races = false;
  TaskId starting;
  std::uint32_t starts_failed = 0;
  std::string spares_base;
  bool for_spares = false;
  bool no_spares = false;
  bool clearing = false;
  ORCH_FIELDS(wanted, checked, problem, notes, effect, integrated, trees, named, step, merging,
              merge_effect, theirs, merged, tries, timer, races, starting, starts_failed,
              spares_base, for_spares, no_spares, clearing);
};

struct Metrics {
  std::uint32_t sessions = 0;
  std::uint32_t sessions_peak = 0;
  std::uint32_t prompts = 0;
  std::uint32_t continuations = 0;
  std::uint32_t rejections = 0;
  std::uint32_t errors = 0;
  std::uint32_t refusals = 0;
  std::uint32_t receipts = 0;
  std::uint32_t retries = 0;
  std::uint32_t slowdowns = 0;
  std::uint32_t openings = 0;
  std::uint32_t fallbacks = 0;
  ORCH_FIELDS(sessions, sessions_peak, prompts, continuations, rejections, errors, refusals,
              receipts, retries, slowdowns, openings, fallbacks);
};

struct State {
  std::uint32_t schema = 1;
  MissionId mission;
  Phase phase = Phase::none;
  std::string reason;
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
  Phase resume_phase = Phase::none;
  HostMode mode = HostMode::serve;
  std::string notes;
  std::vector<std::string> acceptance;
  std::vector<std::string> verify;
  std::string verify_reason;
  std::string plan_summary;
  std::vector<std::string> decisions;
  std::vector<std::string> agents;
  std::uint32_t parallel = 4;
  std::uint32_t parallel_max = 10;
  std::uint32_t planner_attempts = 0;
  std::uint32_t master_attempts = 0;
  std::vector<Finding> findings;
  std::vector<std::string> proved_by;
  Commander commander;
  std::vector<Receipt> receipts;
  TimerId deadline_timer = 0;
  EffectId next_effect = 1;
  TimerId next_timer = 1;
  std::uint64_t seed = 0;
  bool dormant = false;
  Options options;
  std::vector<std::string> verify_asked;
  std::uint32_t unblocks = 0;
  Recovery recovery;
  std::vector<PermissionRequest> permissions;
  TimerId stop_timer = 0;
  std::string receipt_head;
  std::vector<Proof> proofs;
  std::vector<std::uint32_t> findings_by_iteration;
  std::uint32_t convergence_from = 0;
  Limiter governor;
  std::uint32_t planner_losses = 0;
  std::uint32_t master_losses = 0;
  bool extreme = false;
  std::vector<UnattributedChange> strays;
  std::uint32_t strays_left_out = 0;
  std::vector<Waiter> waiters;
  WorktreesState worktrees;
  ORCH_FIELDS(schema, mission, phase, reason, objective, root_session, iteration, started_at,
              updated_at, last_seq, tasks, sessions, budget, metrics, resume_phase, mode, notes,
              acceptance, verify, verify_reason, plan_summary, decisions, agents, parallel,
              parallel_max, planner_attempts, master_attempts, findings, proved_by, commander,
              receipts, deadline_timer, next_effect, next_timer, seed, dormant, options,
              verify_asked, unblocks, recovery, permissions, stop_timer, receipt_head, proofs,
              findings_by_iteration, convergence_from, governor, planner_losses, master_losses,
              extreme, strays, strays_left_out, waiters, worktrees);
};

[[nodiscard]] orchestrator::State from_legacy(State old);
/// The other direction: proves a log of version 2, whose marks are hashes of this form.
[[nodiscard]] State to_legacy(orchestrator::State state);

}  // namespace orchestrator::codec::legacy
