#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "orchestrator/describe.h"
#include "orchestrator/ids.h"

/// The sessions of a mission: its children in the host, and the Commander's.
namespace orchestrator {

enum class Role { none, commander, planner, worker, reviewer, master_reviewer };
constexpr auto enum_names(Role) {
  return std::array{EnumName<Role>{Role::none, "none"},
                    EnumName<Role>{Role::commander, "commander"},
                    EnumName<Role>{Role::planner, "planner"},
                    EnumName<Role>{Role::worker, "worker"},
                    EnumName<Role>{Role::reviewer, "reviewer"},
                    EnumName<Role>{Role::master_reviewer, "master-reviewer"}};
}

/// Life of a child session. Everything up to `working` occupies a slot.
enum class SessionState {
  creating,   ///< asked of the host
  prompting,  ///< a prompt is on its way to the host
  waiting,    ///< the host has the prompt; no sign of an answer yet
  working,    ///< a turn runs
  closing,  ///< its work is submitted; its turn ends without another request, and it holds no slot
  idle,     ///< lease released; may be prompted again
  backing_off,  ///< a turn failed; the next prompt waits for its time
  ended,        ///< never prompted again
  held,         ///< its next prompt waits for its model or the budget; it holds no slot
  delegating,   ///< a call of its turn waits for delegated tasks; it holds no slot
  parting       ///< of old logs and snapshots, which are read as `closing`; nothing enters it
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
                    EnumName<SessionState>{SessionState::delegating, "delegating"},
                    EnumName<SessionState>{SessionState::parting, "parting"}};
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

/// What the answers of one session cost: what is reserved, and what the newest one came to.
struct Metering {
  struct Reserved {  ///< for the answer that the session is being asked for
    std::uint64_t tokens = 0;
    double usd = 0;

    ORCH_FIELDS(tokens, usd);
  };
  struct Answer {              ///< the newest one
    std::uint64_t tokens = 0;  ///< all that was read and written
    double usd = 0;            ///< of the dearest one so far
    std::uint64_t bytes = 0;   ///< of the request that it answered; 0: not known
    std::string model;         ///< that gave it

    ORCH_FIELDS(tokens, usd, bytes, model);
  };
  struct Request {  ///< the newest one
    std::uint64_t bytes = 0;
    RequestId waiting;  ///< it waits for the budget; empty: none does
    std::string model;  ///< that a waiting request is for
    std::uint64_t output_max = 0;
    double input_usd = 0;  ///< for a million tokens, as the next one
    double output_usd = 0;

    ORCH_FIELDS(bytes, waiting, model, output_max, input_usd, output_usd);
  };

  std::string paid_message;  ///< the newest answer whose tokens are counted
  Reserved reserved;
  Answer answer;
  Request request;
  TimeMs asked_ms = 0;  ///< when the newest model request went out, or will

  ORCH_FIELDS(paid_message, reserved, answer, request, asked_ms);
};

/// A card that a session has got, and what the session has done about it.
struct Lease {
  TimeMs since_ms = 0;
  std::string prompt;               ///< the text to send as soon as it may be sent
  EffectId sent = 0;                ///< the newest `PromptSession`
  bool began = false;               ///< an answer to the card has begun: the host has the card
  bool submitted = false;           ///< what the card asked for is in
  bool compacted = false;           ///< the card must stand in the system text
  bool early_review = false;        ///< a Reviewer looks while the Worker still works
  bool asked_missing = false;       ///< the session stopped without submitting, and was asked why
  bool wrote = false;               ///< a file was written
  std::uint32_t continuations = 0;  ///< prompts in a row that brought no submission
  std::uint32_t refusals = 0;       ///< refused tool calls in a row
  std::string refusal;              ///< why the newest of `refusals` was refused, shortened
  /// Signs since the accepted submission that the session goes on: requests that began, refused
  /// calls.
  std::uint32_t after_submission = 0;

  ORCH_FIELDS(since_ms, prompt, sent, began, submitted, compacted, early_review, asked_missing,
              wrote, continuations, refusals, refusal, after_submission);
};

/// The health of a session's present turn.
struct Turn {
  bool errored = false;           ///< a terminal error: the next idle is premature
  bool failed = false;            ///< that premature idle has come; the next one is real
  bool aborting = false;          ///< the engine asked for an abort that the host has not confirmed
  bool retrying = false;          ///< the host waits before it repeats the model request
  bool inspecting = false;        ///< `Session::effect` is an inspection
  std::uint32_t inspections = 0;  ///< in a row, without a sign of life
  Fault fault = Fault::none;
  std::string denied;  ///< a permission that was refused without telling the session

  ORCH_FIELDS(errored, failed, aborting, retrying, inspecting, inspections, fault, denied);
};

/// Tool calls of a session that failed.
struct ToolErrors {
  std::string newest;
  std::uint32_t repeats = 0;   ///< the same error, in a row
  std::uint32_t warnings = 0;  ///< such rows in the work on the present card

  ORCH_FIELDS(newest, repeats, warnings);
};

/// The model that a session asks.
struct ModelUse {
  std::string named;         ///< in the newest prompt; empty: the host's choice
  std::string told;          ///< what the host says that the session asks; empty: not known yet
  std::uint32_t faults = 0;  ///< of the model, in a row

  ORCH_FIELDS(named, told, faults);
};

struct Session {
  SessionId id;  ///< empty until the host has made it
  Role role = Role::none;
  TaskId task;
  SessionState state = SessionState::creating;
  Outcome outcome = Outcome::none;
  std::string agent;
  std::uint32_t attempt = 0;
  SessionId parent;  ///< the root session that it was made under
  TimeMs started_ms = 0;
  TimeMs seen_ms = 0;  ///< its last sign of life
  std::uint64_t tokens = 0;
  double usd = 0;
  EffectId effect = 0;  ///< the host call in flight for it, 0 when none
  TimerId timer = 0;
  Lease lease;
  Turn turn;
  ToolErrors tool_errors;
  ModelUse model_use;
  Metering metering;

  ORCH_FIELDS(id, role, task, state, outcome, agent, attempt, parent, started_ms, seen_ms, tokens,
              usd, effect, timer, lease, turn, tool_errors, model_use, metering);
};

/// A tool call of a child session that waits for a person.
struct PermissionRequest {
  PermissionId id;
  SessionId session;
  std::string what;
  TimerId timer = 0;

  ORCH_FIELDS(id, session, what, timer);
};

/// The present turn of the Commander.
struct CommanderTurn {
  bool busy = false;             ///< it runs, as far as the host has said
  bool continued = false;        ///< a continuation was put into the turn, which is ending
  bool errored = false;          ///< a terminal error: the next idle is premature
  bool prompted = false;         ///< a prompt of the engine has no sign of an answer yet
  bool cut_off = false;          ///< it stood still and was aborted by the engine, not by a person
  std::uint32_t unanswered = 0;  ///< prompts and inspections in a row that nothing followed

  ORCH_FIELDS(busy, continued, errored, prompted, cut_off, unanswered);
};

/// The Commander's session, which is the user's own.
struct Commander {
  RequestId waiting;                ///< a `mission_run` that has not returned yet
  bool background = false;          ///< `--background`: `mission_run` returns at once
  bool owed = false;                ///< something to decide has not reached the Commander yet
  std::uint32_t early_ends = 0;     ///< turns ended in briefing without `mission_run`
  std::uint32_t continuations = 0;  ///< in a row, without progress
  EffectId effect = 0;
  TimerId timer = 0;
  std::string model;  ///< what the host says that the session asks
  /// The mission does not run any more, and no person has spoken since: what the Commander asks for
  /// must fit into what is kept for its closing report. What a person asks of it is the person's to
  /// pay for.
  bool closing = false;
  CommanderTurn turn;
  Metering metering;

  ORCH_FIELDS(waiting, background, owed, early_ends, continuations, effect, timer, model, closing,
              turn, metering);
};

/// A tool call that returns when a task is finished, or blocked.
struct Waiter {
  RequestId request;
  SessionId session;  ///< whose call it is: a Worker's, or the root session
  TaskId task;
  TimeMs since_ms = 0;

  ORCH_FIELDS(request, session, task, since_ms);
};

}  // namespace orchestrator
