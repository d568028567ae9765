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

/// State of a child session. The states up to `working` hold a slot.
enum class SessionState {
  creating,   ///< the host was asked to create it
  prompting,  ///< a prompt is on its way to the host
  waiting,    ///< the host has the prompt; no sign of an answer yet
  working,    ///< a turn runs
  closing,    ///< its submission was accepted; its turn ends without another request; holds no slot
  idle,       ///< no lease and no turn; may be prompted again
  backing_off,  ///< a turn failed; the next prompt waits for a timer
  ended,        ///< never prompted again
  held,         ///< its next prompt waits for its model or the budget; holds no slot
  delegating,   ///< a call of its turn waits for delegated tasks; holds no slot
  parting       ///< only in old logs and snapshots; read as `closing`
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

/// How a child session has ended.
enum class Outcome {
  none,      ///< it has not ended yet
  ok,        ///< its submission was accepted
  error,     ///< it failed, or never submitted
  empty,     ///< its model gave empty answers
  denied,    ///< the engine stopped it: its calls were refused, or its work is not needed any more
  timed_out  ///< its lease was over, or no event of it arrived any more
};
constexpr auto enum_names(Outcome) {
  return std::array{EnumName<Outcome>{Outcome::none, "none"},
                    EnumName<Outcome>{Outcome::ok, "ok"},
                    EnumName<Outcome>{Outcome::error, "error"},
                    EnumName<Outcome>{Outcome::empty, "empty"},
                    EnumName<Outcome>{Outcome::denied, "denied"},
                    EnumName<Outcome>{Outcome::timed_out, "timed out"}};
}

/// Error class of a failed turn (product contract, section 7); see core/models/error_class.h.
enum class ErrorClass {
  none,
  rate_limit,
  overload,
  network,
  empty,
  garbled,
  context_overflow,
  output_length,
  refused,  ///< the provider will not answer until a person fixes the key, the account or the model
  aborted,
  other
};
constexpr auto enum_names(ErrorClass) {
  return std::array{EnumName<ErrorClass>{ErrorClass::none, "none"},
                    EnumName<ErrorClass>{ErrorClass::rate_limit, "rate limit"},
                    EnumName<ErrorClass>{ErrorClass::overload, "overload"},
                    EnumName<ErrorClass>{ErrorClass::network, "network error"},
                    EnumName<ErrorClass>{ErrorClass::empty, "empty answer"},
                    EnumName<ErrorClass>{ErrorClass::garbled, "garbled answer"},
                    EnumName<ErrorClass>{ErrorClass::context_overflow, "context overflow"},
                    EnumName<ErrorClass>{ErrorClass::output_length, "output limit"},
                    EnumName<ErrorClass>{ErrorClass::refused, "refused by the provider"},
                    EnumName<ErrorClass>{ErrorClass::aborted, "aborted"},
                    EnumName<ErrorClass>{ErrorClass::other, "error"}};
}

/// Costs of one session: its reservation, its newest answer and its newest request.
struct Metering {
  struct Reserved {  ///< for the answer in progress
    std::uint64_t tokens = 0;
    double usd = 0;

    ORCH_FIELDS(tokens, usd);
  };
  struct Answer {              ///< the newest one
    std::uint64_t tokens = 0;  ///< read and written
    double usd = 0;            ///< of the most expensive answer so far
    std::uint64_t bytes = 0;   ///< of the request that it answered; 0: not known
    std::string model;         ///< the model that gave it

    ORCH_FIELDS(tokens, usd, bytes, model);
  };
  struct Request {  ///< the newest one
    std::uint64_t bytes = 0;
    RequestId waiting;  ///< the request that waits for the budget; empty: none
    std::string model;  ///< the model that the waiting request asks
    std::uint64_t output_max = 0;
    double input_usd = 0;  ///< for a million tokens, as the next one
    double output_usd = 0;

    ORCH_FIELDS(bytes, waiting, model, output_max, input_usd, output_usd);
  };

  std::string paid_message;  ///< the newest message whose tokens are counted
  Reserved reserved;
  Answer answer;
  Request request;
  TimeMs asked_ms = 0;  ///< when the newest model request started, or will start

  ORCH_FIELDS(paid_message, reserved, answer, request, asked_ms);
};

/// The card of a session, and what the session has done about it.
struct Lease {
  TimeMs since_ms = 0;
  std::string prompt;          ///< the text to send as soon as admission allows
  EffectId sent = 0;           ///< the newest `PromptSession`
  bool began = false;          ///< an answer to the card has begun: the host has the card
  bool submitted = false;      ///< the submission that the card asked for was accepted
  bool compacted = false;      ///< the conversation was compacted: the system text repeats the card
  bool early_review = false;   ///< the session makes an early review
  bool asked_missing = false;  ///< it stopped without a submission, and was asked what is missing
  bool wrote = false;          ///< a file was written
  std::uint32_t continuations = 0;  ///< prompts in a row that brought no submission
  std::uint32_t refusals = 0;       ///< refused tool calls in a row
  std::string refusal;              ///< why the newest of `refusals` was refused, shortened
  /// Requests and refused calls since the accepted submission: the session goes on although it
  /// should end.
  std::uint32_t after_submission = 0;

  ORCH_FIELDS(since_ms, prompt, sent, began, submitted, compacted, early_review, asked_missing,
              wrote, continuations, refusals, refusal, after_submission);
};

/// The health of a session's present turn.
struct Turn {
  bool premature_idle_due =
      false;  ///< after a terminal error the host reports an idle that does not end the turn
  bool failed = false;            ///< the turn has failed; the next idle ends it
  bool aborting = false;          ///< the engine asked for an abort that the host has not confirmed
  bool retrying = false;          ///< the host waits before it repeats the model request
  bool inspecting = false;        ///< `Session::effect` is an inspection
  std::uint32_t inspections = 0;  ///< in a row, without a sign of life
  ErrorClass error_class = ErrorClass::none;
  std::string denied;  ///< a permission that was refused without a message to the session

  ORCH_FIELDS(premature_idle_due, failed, aborting, retrying, inspecting, inspections, error_class,
              denied);
};

/// Tool calls of a session that failed.
struct ToolErrors {
  std::string newest;
  std::uint32_t repeats = 0;   ///< the same error, in a row
  std::uint32_t warnings = 0;  ///< such repetitions during the present card

  ORCH_FIELDS(newest, repeats, warnings);
};

/// The model of a session.
struct ModelUse {
  std::string named;           ///< in the newest prompt; empty: the host's choice
  std::string told;            ///< the model that the host reports; empty: not known yet
  std::uint32_t failures = 0;  ///< of the model, in a row

  ORCH_FIELDS(named, told, failures);
};

struct Session {
  SessionId id;  ///< empty until the host has made it
  Role role = Role::none;
  TaskId task;
  SessionState state = SessionState::creating;
  Outcome outcome = Outcome::none;
  std::string agent;
  std::uint32_t attempt = 0;
  SessionId parent;  ///< the root session under which it was created
  TimeMs started_ms = 0;
  TimeMs seen_ms = 0;  ///< time of its newest event
  std::uint64_t tokens = 0;
  double usd = 0;
  EffectId effect = 0;  ///< the effect in flight for it; 0: none
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
  bool busy = false;                ///< it runs, as far as the host has reported
  bool continued = false;           ///< a continuation was put into the turn, which is ending
  bool premature_idle_due = false;  ///< as in `Turn`
  bool prompted = false;            ///< a prompt of the engine has no sign of an answer yet
  bool cut_off = false;             ///< the engine, not a person, aborted it because it had stalled
  std::uint32_t unanswered = 0;     ///< prompts and inspections in a row without an answer

  ORCH_FIELDS(busy, continued, premature_idle_due, prompted, cut_off, unanswered);
};

/// The Commander's session, which is the user's own.
struct Commander {
  RequestId waiting;                ///< a `mission_run` that has not returned yet
  bool background = false;          ///< `--background`: `mission_run` returns at once
  bool owed = false;                ///< a report for the Commander has not been delivered yet
  std::uint32_t early_ends = 0;     ///< turns ended in briefing without `mission_run`
  std::uint32_t continuations = 0;  ///< in a row, without progress
  EffectId effect = 0;
  TimerId timer = 0;
  std::string model;  ///< the model that the host reports
  /// The mission has stopped, and no person has spoken since: the Commander's requests must fit
  /// into the amount kept for its closing report. After a person has spoken they are the person's
  /// own costs.
  bool closing = false;
  CommanderTurn turn;
  Metering metering;

  ORCH_FIELDS(waiting, background, owed, early_ends, continuations, effect, timer, model, closing,
              turn, metering);
};

/// A tool call that returns when a task is finished, or blocked.
struct Waiter {
  RequestId request;
  SessionId session;  ///< the session that made the call: a Worker's, or the root session
  TaskId task;
  TimeMs since_ms = 0;

  ORCH_FIELDS(request, session, task, since_ms);
};

}  // namespace orchestrator
