#pragma once

#include <string>

#include "core/state/context.h"

/// Child sessions and their leases: creating, prompting, continuing, closing and giving up a
/// session. `host_events.h` handles what the host reports about them.
namespace orchestrator::core {

/// An answer begins well within this time, even on a busy machine. If none has begun by then, the
/// engine asks the host about the session.
inline constexpr TimeMs kAnswerStartMs = 15'000;
/// The most sessions of one role that the host starts at a time. The host starts sessions on one
/// thread: of fifty at once most would wait, and each takes memory from its start. With as few as
/// eight the thread collected garbage more often, and all took longer (docs/lab/benchmarks.md). The
/// limit is by role: reviews go first, and with one limit for all roles they would keep the last
/// tasks from starting until all others are reviewed.
inline constexpr std::size_t kStartingMax = 24;
/// The real idle follows a premature one within half a second (host contract A.1).
inline constexpr TimeMs kSecondIdleMs = 5'000;
/// The most time that a turn may take to end after its submission: other tool calls of the same
/// answer may still run.
inline constexpr TimeMs kClosingMs = 60'000;

/// Whether slots, the role's model and the budget allow a new session of this role now.
[[nodiscard]] bool may_begin(const Context& ctx, Role role);
/// Whether they allow the next prompt of this session now. A slot that the session holds itself
/// does not count against it.
[[nodiscard]] bool may_prompt(const Context& ctx, const Session& session);

/// Asks the host to create a session, and sends it `prompt` as soon as it exists. Invalidates
/// references to sessions.
void open_session(Context& ctx, Role role, const Task* task, const std::string& agent,
                  std::string prompt);
/// Sends an idle session a new card.
void prompt_session(Context& ctx, Session& session, std::string text);
/// Continues a session after an interruption; if no answer to its card had begun, the card is sent
/// again.
void wake_session(Context& ctx, Session& session);
/// The session's submission was accepted. The plugin lets no further model request of it out
/// (`why_not_ask`), which ends its turn and its lease.
void close_session(Context& ctx, Session& session);
/// A session went on after its accepted submission: it began a model request, or a call of it was
/// refused. After a few of these its turn is aborted.
void on_after_submission(Context& ctx, Session& session);
/// The turn of a closing session has not ended in time: aborts it; if that does not end it either,
/// the lease is over all the same.
void end_closing(Context& ctx, Session& session);
/// The lease is over. A Worker's session is kept, because its task may come back for rework; every
/// other session ends.
void release_session(Context& ctx, Session& session);
/// Asks the host to stop the session's turn. The session's next idle confirms it.
void abort_turn(Context& ctx, Session& session);
/// Aborts the session's turn if one runs, and never prompts the session again. Without an
/// `outcome`: `ok` if its submission was accepted, else `denied`.
void end_session(Context& ctx, Session& session, Outcome outcome = Outcome::none);
/// Aborts the running turn but keeps the session for later.
void interrupt_session(Context& ctx, Session& session);
/// Ends every session of a task, e.g. when it is dropped.
void end_task_sessions(Context& ctx, const TaskId& task);
/// Drops a task for the reason that `note` gives; its sessions end.
void drop_task(Context& ctx, Task& task, std::string note);
/// The process that ran the turns has ended: no effect, timer or turn of a session is in flight any
/// more. When the mission goes on, recovery.h asks the host which turns still run.
void forget_turns(Context& ctx);

/// The same for a mission that was already over when another process left it.
void forget_ended_turns(State& state);

/// Sends `session.lease.prompt`, after creating the session if the host does not have it yet. Where
/// its model or the budget does not allow a prompt now, the session is held until they do.
void send_prompt(Context& ctx, Session& session);
/// Sends a message into the turn that runs; the model reads it with its next request.
void say_in_turn(Context& ctx, Session& session, std::string text);
/// A call was refused, or a turn ended without the submission that its card asked for: prompts the
/// session again, after a delay if something `failed`. Gives the attempt up when
/// `limits.continuations` is used up.
void continue_or_give_up(Context& ctx, Session& session, const std::string& why, bool failed);
/// A turn failed because of its model: continues a few times in the same session, then in a new
/// one, a few times without costing the task an attempt. Blocks the mission if no model answers
/// this role.
void go_on_after_model_failure(Context& ctx, Session& session);
/// A Worker's turn ended without a submission: asks once what is missing. After a second time the
/// changed files go to review as they are, or the attempt is given up if not all files of its claim
/// were written.
void on_worker_stopped(Context& ctx, Session& session);
/// This session ends without a submission. The next session may bring one, if `limits.attempts`
/// allows another attempt.
void give_up_attempt(Context& ctx, Session& session, const std::string& reason,
                     Outcome outcome = Outcome::error);
/// Asks the host what the session is doing; gives the session up if the host does not answer.
void inspect_session(Context& ctx, Session& session);
/// Restarts the session's timer. It fires at the end of the lease at the latest.
void arm(Context& ctx, Session& session, TimeMs delay_ms);
[[nodiscard]] bool lease_over(const Context& ctx, const Session& session);

/// Aborts a turn whose model has failed in this way; the session continues when the turn has ended.
void fail_turn(Context& ctx, Session& session, ErrorClass error_class, const std::string& words);

/// A tool call failed with the same error several times in a row: sends the session a hint; if it
/// goes on, and none of its calls can be parsed, the fallback of its model takes over; after that,
/// a new session.
void on_tool_failed(Context& ctx, Session& session, const ToolFailed& event);
/// A call of this session was refused with this text. After too many in a row the attempt is given
/// up.
void on_refused_call(Context& ctx, Session& session, const std::string& text);

}  // namespace orchestrator::core
