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
  delegating,   ///< a call of its turn waits for delegated tasks; it holds no slot
  parting       ///< its work is submitted; its last words wait for a quieter time, without a slot
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
  std::uint32_t tool_warnings = 0;  ///< such rows in the work on its present card
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
  std::string answer_model;  ///< that gave its newest answer
  std::string asking_model;  ///< that the request which waits is for
  std::string refusal;       ///< why the newest of `refusals` was refused, shortened
  RequestId last_call;       ///< of `parting`: the call that is not answered yet
  std::string last_answer;   ///< what it will be told

  ORCH_FIELDS(id, role, task, state, agent, attempt, effect, continuations, refusals, submitted,
              errored, failed, compacted, prompt, timer, tokens, usd, started_ms, seen_ms, began,
              inspecting, inspections, leased_ms, parent, sent, paid_message, denied, aborting,
              first_look, outcome, model_asked, model, fault, faults, asked_ms, retrying,
              tool_error, tool_errors, tool_warnings, asked_missing, wrote, reserved_tokens,
              reserved_usd, answer_tokens, answer_bytes, request_bytes, asking, asking_output,
              asking_input_usd, asking_output_usd, answer_model, asking_model, refusal, last_call,
              last_answer);
};

/// A tool call of a child session that waits for a person.
struct PermissionRequest {
  PermissionId id;
  SessionId session;
  std::string what;
  TimerId timer = 0;

  ORCH_FIELDS(id, session, what, timer);
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
  /// The mission does not run any more, and no person has spoken since: what it asks for must fit
  /// into what is kept for its last words. What a person asks of it is the person's to pay for.
  bool closing = false;
  std::string answer_model;  ///< that gave its newest answer
  std::string asking_model;  ///< that the request which waits is for
  bool cut_off = false;      ///< its turn stood still and was aborted by us, not by a person

  ORCH_FIELDS(waiting, background, busy, continued, errored, owed, early_ends, continuations,
              effect, timer, prompted, unanswered, paid_message, model, reserved_tokens,
              reserved_usd, answer_tokens, answer_usd, request_bytes, answer_bytes, asking,
              asking_output, asking_input_usd, asking_output_usd, asked_ms, closing, answer_model,
              asking_model, cut_off);
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
