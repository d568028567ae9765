#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/describe.h"
#include "orchestrator/ids.h"
#include "orchestrator/options.h"

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

enum class TaskStatus {
  pending,
  ready,
  running,
  submitted,
  reviewing,
  rework,
  done,
  dropped,
  blocked
};
constexpr auto enum_names(TaskStatus) {
  return std::array{EnumName<TaskStatus>{TaskStatus::pending, "pending"},
                    EnumName<TaskStatus>{TaskStatus::ready, "ready"},
                    EnumName<TaskStatus>{TaskStatus::running, "running"},
                    EnumName<TaskStatus>{TaskStatus::submitted, "submitted"},
                    EnumName<TaskStatus>{TaskStatus::reviewing, "reviewing"},
                    EnumName<TaskStatus>{TaskStatus::rework, "rework"},
                    EnumName<TaskStatus>{TaskStatus::done, "done"},
                    EnumName<TaskStatus>{TaskStatus::dropped, "dropped"},
                    EnumName<TaskStatus>{TaskStatus::blocked, "blocked"}};
}

enum class Role { none, commander, planner, worker, reviewer, master_reviewer };
constexpr auto enum_names(Role) {
  return std::array{EnumName<Role>{Role::none, "none"},
                    EnumName<Role>{Role::commander, "commander"},
                    EnumName<Role>{Role::planner, "planner"},
                    EnumName<Role>{Role::worker, "worker"},
                    EnumName<Role>{Role::reviewer, "reviewer"},
                    EnumName<Role>{Role::master_reviewer, "master-reviewer"}};
}

/// Life of a child session. Everything up to `closing` occupies a slot.
enum class SessionState {
  creating,     ///< asked of the host
  prompting,    ///< a prompt is on its way to the host
  waiting,      ///< the host has the prompt; no sign of an answer yet
  working,      ///< a turn runs
  closing,      ///< its work is submitted; the last turn runs out
  idle,         ///< lease released; may be prompted again
  backing_off,  ///< a turn failed; the next prompt waits for its time
  ended,        ///< never prompted again
  held,         ///< its next prompt waits for its model or the budget; it holds no slot
  delegating    ///< a call of its turn waits for delegated tasks; it holds no slot
};
constexpr auto enum_names(SessionState) {
  return std::array{EnumName<SessionState>{SessionState::creating, "creating"},
                    EnumName<SessionState>{SessionState::prompting, "prompting"},
                    EnumName<SessionState>{SessionState::waiting, "waiting"},
                    EnumName<SessionState>{SessionState::working, "working"},
                    EnumName<SessionState>{SessionState::closing, "closing"},
                    EnumName<SessionState>{SessionState::idle, "idle"},
                    EnumName<SessionState>{SessionState::backing_off, "backing_off"},
                    EnumName<SessionState>{SessionState::ended, "ended"},
                    EnumName<SessionState>{SessionState::held, "held"},
                    EnumName<SessionState>{SessionState::delegating, "delegating"}};
}

/// How a child session has ended, once and for good.
enum class Outcome {
  none,      ///< it has not ended yet
  ok,        ///< what it was asked for is in
  error,     ///< it failed, or never brought what it was asked for
  empty,     ///< its model gave empty answers
  denied,    ///< it was not let go on: its calls were refused, or nobody wants its work any more
  timed_out  ///< its time was over, or nothing was heard of it
};
constexpr auto enum_names(Outcome) {
  return std::array{EnumName<Outcome>{Outcome::none, "none"},
                    EnumName<Outcome>{Outcome::ok, "ok"},
                    EnumName<Outcome>{Outcome::error, "error"},
                    EnumName<Outcome>{Outcome::empty, "empty"},
                    EnumName<Outcome>{Outcome::denied, "denied"},
                    EnumName<Outcome>{Outcome::timed_out, "timed out"}};
}

/// What went wrong with a turn (contract, section 7); see core/fault.h.
enum class Fault {
  none,
  rate_limit,
  overload,
  network,
  empty,
  garbled,
  context_overflow,
  output_length,
  refused,  ///< the provider will not answer before somebody mends the key, the account or the
            ///< model
  aborted,
  other
};
constexpr auto enum_names(Fault) {
  return std::array{EnumName<Fault>{Fault::none, "none"},
                    EnumName<Fault>{Fault::rate_limit, "rate limit"},
                    EnumName<Fault>{Fault::overload, "overload"},
                    EnumName<Fault>{Fault::network, "network error"},
                    EnumName<Fault>{Fault::empty, "empty answer"},
                    EnumName<Fault>{Fault::garbled, "garbled answer"},
                    EnumName<Fault>{Fault::context_overflow, "context overflow"},
                    EnumName<Fault>{Fault::output_length, "output limit"},
                    EnumName<Fault>{Fault::refused, "refused by the provider"},
                    EnumName<Fault>{Fault::aborted, "aborted"},
                    EnumName<Fault>{Fault::other, "error"}};
}

/// Of the machine. `high`: no limit grows; `critical`: besides, no further session is begun.
enum class Load { calm, high, critical };
constexpr auto enum_names(Load) {
  return std::array{EnumName<Load>{Load::calm, "calm"}, EnumName<Load>{Load::high, "high"},
                    EnumName<Load>{Load::critical, "critical"}};
}

/// closed: asked freely; open: not asked; half_open: one session tries it.
enum class Breaker { closed, open, half_open };
constexpr auto enum_names(Breaker) {
  return std::array{EnumName<Breaker>{Breaker::closed, "closed"},
                    EnumName<Breaker>{Breaker::open, "open"},
                    EnumName<Breaker>{Breaker::half_open, "half open"}};
}

/// What becomes of a task's commit, in isolation `worktree`.
enum class MergeState {
  none,     ///< nothing is to be merged (yet)
  waiting,  ///< it is accepted, and comes into the project next, or is coming into it
  conflict  ///< another task brings it together with what was integrated before it
};
constexpr auto enum_names(MergeState) {
  return std::array{EnumName<MergeState>{MergeState::none, "none"},
                    EnumName<MergeState>{MergeState::waiting, "waiting"},
                    EnumName<MergeState>{MergeState::conflict, "conflict"}};
}

/// Life of a worktree.
enum class TreeState {
  adding,     ///< asked of git; what a crash has left of it is taken as it is
  standing,   ///< sessions may work in it
  disposing,  ///< nobody needs it: the host is told to let go of it
  removing
};
constexpr auto enum_names(TreeState) {
  return std::array{EnumName<TreeState>{TreeState::adding, "adding"},
                    EnumName<TreeState>{TreeState::standing, "standing"},
                    EnumName<TreeState>{TreeState::disposing, "disposing"},
                    EnumName<TreeState>{TreeState::removing, "removing"}};
}

/// Where the one merge that goes on stands.
enum class MergeStep {
  none,
  snapshot,  ///< what others have done to the project's files since
  merge,
  apply
};
constexpr auto enum_names(MergeStep) {
  return std::array{EnumName<MergeStep>{MergeStep::none, "none"},
                    EnumName<MergeStep>{MergeStep::snapshot, "snapshot"},
                    EnumName<MergeStep>{MergeStep::merge, "merge"},
                    EnumName<MergeStep>{MergeStep::apply, "apply"}};
}

enum class Severity { error, warning, note };
constexpr auto enum_names(Severity) {
  return std::array{EnumName<Severity>{Severity::error, "error"},
                    EnumName<Severity>{Severity::warning, "warning"},
                    EnumName<Severity>{Severity::note, "note"}};
}

/// The process that hosts the plugin: it decides how the Commander is kept going.
enum class HostMode { run, serve, tui };
constexpr auto enum_names(HostMode) {
  return std::array{EnumName<HostMode>{HostMode::run, "run"},
                    EnumName<HostMode>{HostMode::serve, "serve"},
                    EnumName<HostMode>{HostMode::tui, "tui"}};
}

/// What a Reviewer found. `line` counts from 1; 0 is "no line".
struct Finding {
  std::string file;
  std::int64_t line = 0;
  Severity severity = Severity::error;
  std::string message;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("file", self.file);
    visit("line", self.line);
    visit("severity", self.severity, required);
    visit("message", self.message, required);
  }
};

/// An error that a language server reports. Line and column count from 1.
struct Diagnostic {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string code;
  std::string server;
  std::string message;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("file", self.file);
    visit("line", self.line);
    visit("column", self.column);
    visit("code", self.code);
    visit("server", self.server);
    visit("message", self.message);
  }
};

/// What language servers say of the files that a Worker hands in.
struct Diagnosis {
  std::vector<Diagnostic> errors;    ///< that were not there before the mission; bounded
  std::uint32_t left_out = 0;        ///< more of them
  std::vector<std::string> servers;  ///< that answered
  std::vector<std::string> notes;    ///< sentences: what is not known, and why

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("errors", self.errors);
    visit("left_out", self.left_out);
    visit("servers", self.servers);
    visit("notes", self.notes);
  }
};

/// A shell command that the host ran in a mission session, seen by the engine itself.
struct Receipt {
  SessionId session;
  TaskId task;
  std::string command;
  std::int64_t exit_code = 0;
  std::string output_hash;  ///< BLAKE2b of the output, hex
  std::string files_hash;   ///< of the files it vouches for, as they were when it ended
  TimeMs at_ms = 0;
  bool changed_files = false;  ///< these files were not the same when it began: it proves nothing
  std::string hash;            ///< its link in the mission's chain of receipts

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("session", self.session);
    visit("task", self.task);
    visit("command", self.command);
    visit("exit_code", self.exit_code);
    visit("output_hash", self.output_hash);
    visit("files_hash", self.files_hash);
    visit("at_ms", self.at_ms);
    visit("changed_files", self.changed_files);
    visit("hash", self.hash);
  }
};

/// What a pass rests on: a verify command, and the receipt of the run that was green.
struct Proof {
  std::string command;
  std::string receipt;  ///< `Receipt::hash`; empty where an old log kept none
  TimeMs at_ms = 0;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("command", self.command);
    visit("receipt", self.receipt);
    visit("at_ms", self.at_ms);
  }
};

struct Task {
  TaskId id;
  std::string title;
  std::string agent;
  TaskStatus status = TaskStatus::pending;
  std::uint32_t attempt = 0;  ///< sessions that have been given to it; the first is 1
  std::vector<TaskId> deps;
  std::vector<std::string> files;  ///< the claim: globs, relative to the project
  SessionId session;               ///< its newest Worker
  std::string summary;             ///< the Worker's own, from its last submission
  std::string description;
  std::vector<std::string> accept;
  std::vector<std::string> verify;
  std::vector<std::string> race;
  std::string note;                    ///< why it is blocked or dropped, or a Commander's remark
  std::vector<Finding> findings;       ///< of its last rejection
  std::vector<std::string> touched;    ///< files it wrote or submitted
  std::uint32_t rejections = 0;        ///< in a row, of this attempt
  std::uint32_t review_attempts = 0;   ///< Reviewer sessions spent on the present submission
  std::uint32_t retries = 0;           ///< times the Commander has put it back
  std::uint32_t iteration = 1;         ///< the iteration that made it
  std::vector<std::string> proved_by;  ///< the commands whose receipts its review rests on
  TimeMs started_ms = 0;
  TimeMs ended_ms = 0;
  bool on_word = false;       ///< done because a person says so: no review stands behind it
  std::vector<Proof> proofs;  ///< of its passing review, a command each
  std::string last_written;   ///< the file that its Worker wrote last; the ones before are finished
  std::uint32_t looked_at = 0;          ///< the attempt that had its first look
  std::vector<std::string> diagnosis;   ///< what the Reviewer is told of the language servers
  std::string refused_errors;           ///< the errors of its last refusal, in short
  std::uint32_t refused_same = 0;       ///< refusals in a row for the very same errors
  std::uint32_t refused_diagnoses = 0;  ///< refusals in a row for errors of language servers
  std::uint32_t losses = 0;  ///< sessions lost to their model since it last came on: not attempts
  std::uint64_t tokens = 0;  ///< what all its sessions have cost
  double usd = 0;
  std::string wants;           ///< a file that its Worker was refused, because ...
  TaskId waits_for;            ///< ... this task holds it; empty: none
  std::uint32_t gave_way = 0;  ///< attempts that ended for another task's sake; they cost nothing
  TaskId parent;               ///< the task that it was delegated from; empty: none
  std::string commit;  ///< what its worktree held when it was submitted; empty: not collected yet
  MergeState merge = MergeState::none;
  TaskId brings;          ///< the task whose conflict it solves; empty: it is an ordinary one
  std::string tree_base;  ///< … and the commit with git's marks, from which its worktree is made

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("id", self.id);
    visit("title", self.title);
    visit("agent", self.agent);
    visit("status", self.status);
    visit("attempt", self.attempt);
    visit("deps", self.deps);
    visit("files", self.files);
    visit("session", self.session);
    visit("summary", self.summary);
    visit("description", self.description);
    visit("accept", self.accept);
    visit("verify", self.verify);
    visit("race", self.race);
    visit("note", self.note);
    visit("findings", self.findings);
    visit("touched", self.touched);
    visit("rejections", self.rejections);
    visit("review_attempts", self.review_attempts);
    visit("retries", self.retries);
    visit("iteration", self.iteration);
    visit("proved_by", self.proved_by);
    visit("started_ms", self.started_ms);
    visit("ended_ms", self.ended_ms);
    visit("on_word", self.on_word);
    visit("proofs", self.proofs);
    visit("last_written", self.last_written);
    visit("looked_at", self.looked_at);
    visit("diagnosis", self.diagnosis);
    visit("refused_errors", self.refused_errors);
    visit("refused_same", self.refused_same);
    visit("refused_diagnoses", self.refused_diagnoses);
    visit("losses", self.losses);
    visit("tokens", self.tokens);
    visit("usd", self.usd);
    visit("wants", self.wants);
    visit("waits_for", self.waits_for);
    visit("gave_way", self.gave_way);
    visit("parent", self.parent);
    visit("commit", self.commit);
    visit("merge", self.merge);
    visit("brings", self.brings);
    visit("tree_base", self.tree_base);
  }
};

struct Session {
  SessionId id;  ///< empty until the host has made it
  Role role = Role::none;
  TaskId task;
  SessionState state = SessionState::creating;
  std::string agent;
  std::uint32_t attempt = 0;
  EffectId effect = 0;              ///< the host call in flight for it, 0 when none
  std::uint32_t continuations = 0;  ///< prompts in a row that brought no submission
  std::uint32_t refusals = 0;       ///< refused tool calls in a row
  bool submitted = false;           ///< what its present prompt asked for is in
  bool errored = false;             ///< a terminal error: the next idle is premature
  bool failed = false;              ///< that premature idle has come; the next one is real
  bool compacted = false;           ///< its task card must stand in the system text
  std::string prompt;               ///< the text to send as soon as it may be sent
  TimerId timer = 0;
  std::uint64_t tokens = 0;
  double usd = 0;
  TimeMs started_ms = 0;
  TimeMs seen_ms = 0;       ///< its last sign of life
  bool began = false;       ///< an answer to its present card has begun: the host has the card
  bool inspecting = false;  ///< `effect` is an inspection
  std::uint32_t inspections = 0;  ///< in a row, without a sign of life
  TimeMs leased_ms = 0;           ///< when it got its present card
  SessionId parent;               ///< the root session that it was made under
  EffectId sent = 0;              ///< its newest `PromptSession`
  std::string paid_message;       ///< the newest answer whose tokens are counted
  bool aborting = false;          ///< told to stop; the host has not said yet that it has
  std::string denied;  ///< a permission that was refused in its present turn, without a word to it
  bool first_look = false;  ///< a Reviewer that looks while the Worker still works
  Outcome outcome = Outcome::none;
  std::string model_asked;          ///< what its newest prompt names; empty: the host's choice
  std::string model;                ///< what the host says that it asks; empty: not told yet
  Fault fault = Fault::none;        ///< of its present turn
  std::uint32_t faults = 0;         ///< of its model, in a row
  TimeMs asked_ms = 0;              ///< when its newest model request went out, or will
  bool retrying = false;            ///< the host waits before it repeats that request
  std::string tool_error;           ///< the newest one
  std::uint32_t tool_errors = 0;    ///< the same, in a row
  std::uint32_t tool_warnings = 0;  ///< recovery prompts for such a row, of its present card
  bool asked_missing = false;  ///< it stopped without submitting, and was asked what is missing
  bool wrote = false;          ///< it has written a file since its present card
  std::uint64_t reserved_tokens = 0;  ///< for the answer that it is being asked for
  double reserved_usd = 0;
  std::uint64_t answer_tokens = 0;  ///< of its newest answer, all that was read and written
  std::uint64_t answer_bytes = 0;   ///< of the request that it answered; 0: not known
  std::uint64_t request_bytes = 0;  ///< of its newest request
  RequestId asking;                 ///< a request that waits for the budget
  std::uint64_t asking_output = 0;
  double asking_input_usd = 0;
  double asking_output_usd = 0;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("id", self.id);
    visit("role", self.role);
    visit("task", self.task);
    visit("state", self.state);
    visit("agent", self.agent);
    visit("attempt", self.attempt);
    visit("effect", self.effect);
    visit("continuations", self.continuations);
    visit("refusals", self.refusals);
    visit("submitted", self.submitted);
    visit("errored", self.errored);
    visit("failed", self.failed);
    visit("compacted", self.compacted);
    visit("prompt", self.prompt);
    visit("timer", self.timer);
    visit("tokens", self.tokens);
    visit("usd", self.usd);
    visit("started_ms", self.started_ms);
    visit("seen_ms", self.seen_ms);
    visit("began", self.began);
    visit("inspecting", self.inspecting);
    visit("inspections", self.inspections);
    visit("leased_ms", self.leased_ms);
    visit("parent", self.parent);
    visit("sent", self.sent);
    visit("paid_message", self.paid_message);
    visit("denied", self.denied);
    visit("aborting", self.aborting);
    visit("first_look", self.first_look);
    visit("outcome", self.outcome);
    visit("model_asked", self.model_asked);
    visit("model", self.model);
    visit("fault", self.fault);
    visit("faults", self.faults);
    visit("asked_ms", self.asked_ms);
    visit("retrying", self.retrying);
    visit("tool_error", self.tool_error);
    visit("tool_errors", self.tool_errors);
    visit("tool_warnings", self.tool_warnings);
    visit("asked_missing", self.asked_missing);
    visit("wrote", self.wrote);
    visit("reserved_tokens", self.reserved_tokens);
    visit("reserved_usd", self.reserved_usd);
    visit("answer_tokens", self.answer_tokens);
    visit("answer_bytes", self.answer_bytes);
    visit("request_bytes", self.request_bytes);
    visit("asking", self.asking);
    visit("asking_output", self.asking_output);
    visit("asking_input_usd", self.asking_input_usd);
    visit("asking_output_usd", self.asking_output_usd);
  }
};

/// A tool call of a child session that waits for a person.
struct PermissionRequest {
  PermissionId id;
  SessionId session;
  std::string what;
  TimerId timer = 0;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("id", self.id);
    visit("session", self.session);
    visit("what", self.what);
    visit("timer", self.timer);
  }
};

/// The Commander's session, which is the user's own.
struct Commander {
  RequestId waiting;                ///< a `mission_run` that has not returned yet
  bool background = false;          ///< `--background`: `mission_run` returns at once
  bool busy = false;                ///< a turn of it runs, as far as the host has said
  bool continued = false;           ///< a continuation was put into the turn that is ending
  bool errored = false;             ///< a terminal error: the next idle is premature
  bool owed = false;                ///< something to decide has not been told to it yet
  std::uint32_t early_ends = 0;     ///< turns ended in briefing without `mission_run`
  std::uint32_t continuations = 0;  ///< in a row, without progress
  EffectId effect = 0;
  TimerId timer = 0;
  bool prompted = false;              ///< a prompt of ours has no sign of an answer yet
  std::uint32_t unanswered = 0;       ///< prompts and inspections in a row that nothing followed
  std::string paid_message;           ///< the newest answer whose tokens are counted
  std::string model;                  ///< what the host says that it asks
  std::uint64_t reserved_tokens = 0;  ///< for the answer that it is being asked for
  double reserved_usd = 0;
  std::uint64_t answer_tokens = 0;  ///< of its newest answer, all that was read and written
  double answer_usd = 0;
  std::uint64_t request_bytes = 0;  ///< of its newest request
  std::uint64_t answer_bytes = 0;   ///< of the request that its newest answer answered
  RequestId asking;                 ///< a request that waits for the budget
  std::uint64_t asking_output = 0;
  double asking_input_usd = 0;
  double asking_output_usd = 0;
  TimeMs asked_ms = 0;  ///< when its newest request was let out

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("waiting", self.waiting);
    visit("background", self.background);
    visit("busy", self.busy);
    visit("continued", self.continued);
    visit("errored", self.errored);
    visit("owed", self.owed);
    visit("early_ends", self.early_ends);
    visit("continuations", self.continuations);
    visit("effect", self.effect);
    visit("timer", self.timer);
    visit("prompted", self.prompted);
    visit("unanswered", self.unanswered);
    visit("paid_message", self.paid_message);
    visit("model", self.model);
    visit("reserved_tokens", self.reserved_tokens);
    visit("reserved_usd", self.reserved_usd);
    visit("answer_tokens", self.answer_tokens);
    visit("answer_usd", self.answer_usd);
    visit("request_bytes", self.request_bytes);
    visit("answer_bytes", self.answer_bytes);
    visit("asking", self.asking);
    visit("asking_output", self.asking_output);
    visit("asking_input_usd", self.asking_input_usd);
    visit("asking_output_usd", self.asking_output_usd);
    visit("asked_ms", self.asked_ms);
  }
};

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

/// How one model has answered, and what it is asked for at once; see core/governor.h.
struct ModelLoad {
  std::string model;           ///< "provider/model"; empty: the host's choice, not known yet
  std::uint32_t limit = 0;     ///< sessions that may ask it at once now
  std::uint32_t ceiling = 0;   ///< so many were too many; 0: not known
  std::uint32_t run = 0;       ///< good answers since the limit last changed
  std::uint32_t failures = 0;  ///< in a row
  Breaker breaker = Breaker::closed;
  std::uint32_t openings = 0;  ///< in a row; each rest is longer
  TimeMs not_before_ms = 0;    ///< nobody is sent to it before
  TimeMs slowed_ms = 0;        ///< when its limit was last halved
  std::string error;           ///< its newest, while it fails
  bool refused = false;        ///< it will not answer before somebody mends something
  std::uint32_t misses = 0;    ///< times in a row that more than the ceiling allows was too much

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("model", self.model);
    visit("limit", self.limit);
    visit("ceiling", self.ceiling);
    visit("run", self.run);
    visit("failures", self.failures);
    visit("breaker", self.breaker);
    visit("openings", self.openings);
    visit("not_before_ms", self.not_before_ms);
    visit("slowed_ms", self.slowed_ms);
    visit("error", self.error);
    visit("refused", self.refused);
    visit("misses", self.misses);
  }
};

struct Governor {
  std::vector<ModelLoad> models;
  std::map<std::string, std::string> seen;  ///< role -> the model that the host gives it by itself
  Load load = Load::calm;
  std::string load_why;
  std::uint32_t run = 0;  ///< good answers since `State::parallel` last changed
  TimeMs slowed_ms = 0;   ///< when that was last halved
  TimerId timer = 0;      ///< held sessions are looked at again then
  TimeMs timer_at_ms = 0;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("models", self.models);
    visit("seen", self.seen);
    visit("load", self.load);
    visit("load_why", self.load_why);
    visit("run", self.run);
    visit("slowed_ms", self.slowed_ms);
    visit("timer", self.timer);
    visit("timer_at_ms", self.timer_at_ms);
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

/// A tool call that returns when a task is finished, or blocked.
struct Waiter {
  RequestId request;
  SessionId session;  ///< whose call it is: a Worker's, or the root session
  TaskId task;
  TimeMs since_ms = 0;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("request", self.request);
    visit("session", self.session);
    visit("task", self.task);
    visit("since_ms", self.since_ms);
  }
};

/// A git worktree in which the sessions of one task work, and those of its parts.
struct Worktree {
  std::string name;
  TaskId task;
  std::string base;       ///< the commit that it was made from
  std::string directory;  ///< absolute; empty until it stands
  TreeState state = TreeState::adding;
  EffectId effect = 0;         ///< what is being done with it; 0: nothing, or to be asked again
  std::uint32_t failures = 0;  ///< in a row

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("name", self.name);
    visit("task", self.task);
    visit("base", self.base);
    visit("directory", self.directory);
    visit("state", self.state);
    visit("effect", self.effect);
    visit("failures", self.failures);
  }
};

/// Isolation `worktree`; see core/isolation.h.
struct IsolationState {
  bool wanted = false;   ///< by the user
  bool checked = false;  ///< git has said whether there can be any
  std::string problem;   ///< why there are none: the mission works in the shared directory
  std::vector<std::string> notes;  ///< what worktrees lack; sentences
  EffectId effect = 0;             ///< the check, or the first snapshot, in flight
  std::string integrated;          ///< the commit whose files the project has, as far as is known
  std::vector<Worktree> trees;
  std::uint32_t named = 0;  ///< worktrees so far: no name is used twice
  MergeStep step = MergeStep::none;
  TaskId merging;
  EffectId merge_effect = 0;
  std::string theirs;  ///< the commit that is being merged
  std::string merged;  ///< what came of it
  std::uint32_t tries = 0;
  TimerId timer = 0;  ///< sessions that were told to stop are waited for no longer

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("wanted", self.wanted);
    visit("checked", self.checked);
    visit("problem", self.problem);
    visit("notes", self.notes);
    visit("effect", self.effect);
    visit("integrated", self.integrated);
    visit("trees", self.trees);
    visit("named", self.named);
    visit("step", self.step);
    visit("merging", self.merging);
    visit("merge_effect", self.merge_effect);
    visit("theirs", self.theirs);
    visit("merged", self.merged);
    visit("tries", self.tries);
    visit("timer", self.timer);
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
