#pragma once

#include <string>

#include "core/state/context.h"

/// Child sessions and their leases: what may hold a slot, what is prompted, what is given up.
/// What the host tells about them comes in through `host_events.h`.
namespace orchestrator::core {

/// An answer begins well within this time, even on a busy machine; else the host is asked.
inline constexpr TimeMs kAnswerStartMs = 15'000;
/// Sessions of a role that the host is starting at a time. It works them off on one thread: of
/// fifty at once, most would wait, and their beginnings stay in its memory. Few at a time keep that
/// thread from the long stretches in which it collects no garbage: eight took it longer
/// (docs/lab/benchmarks.md). By role, or reviews, which go first, would keep the last tasks from
/// beginning until all others are reviewed.
inline constexpr std::size_t kStartingMax = 24;
/// The real idle follows a premature one within half a second (host contract A.1).
inline constexpr TimeMs kSecondIdleMs = 5'000;
/// So long after its submission a turn may take to end: tool calls of the same answer still run.
inline constexpr TimeMs kClosingMs = 60'000;

/// Whether a session of this role may be begun now, as far as slots, its model and the budget say.
[[nodiscard]] bool may_begin(const Context& ctx, Role role);
/// Whether this one may be given its next prompt now; its own slot is not counted against it.
[[nodiscard]] bool may_prompt(const Context& ctx, const Session& session);

/// Asks the host for a session (references to sessions do not outlive this), which gets `prompt` as
/// soon as it exists.
void open_session(Context& ctx, Role role, const Task* task, const std::string& agent,
                  std::string prompt);
/// Gives an idle session something new to do.
void prompt_session(Context& ctx, Session& session, std::string text);
/// After an interruption: goes on with what it has, or is given its card if that never began.
void wake_session(Context& ctx, Session& session);
/// Its work is in. From now on its model is asked for nothing (`why_not_ask`), which ends its turn,
/// and the lease with it.
void close_session(Context& ctx, Session& session);
/// Something that a session whose work is in should not be doing any more: a request began, a call
/// was refused. After a few of them its turn is aborted.
void on_after_submission(Context& ctx, Session& session);
/// The turn of a session whose work is in has not ended in time: it is aborted, and given up where
/// that does not help either.
void end_closing(Context& ctx, Session& session);
/// The lease is over: a Worker may still get a rework, all others are done for good.
void release_session(Context& ctx, Session& session);
/// Tells the host to stop its turn, which is confirmed by its next idle.
void abort_turn(Context& ctx, Session& session);
/// Aborts it if it runs, and never prompts it again. Without an outcome: ok where its work is in,
/// else denied.
void end_session(Context& ctx, Session& session, Outcome outcome = Outcome::none);
/// Aborts the running turn but keeps the session for later.
void interrupt_session(Context& ctx, Session& session);
/// Ends every session of a task, e.g. when it is dropped.
void end_task_sessions(Context& ctx, const TaskId& task);
/// Drops a task for the reason that `note` gives; its sessions end.
void drop_task(Context& ctx, Task& task, std::string note);
/// Its process died: whatever it was in the middle of is no longer in flight. What has become of it
/// in the host is asked when the mission goes on (recovery.h).
void forget_turns(Context& ctx);

/// In the state of a mission that is over, which another process has left: no turn of it runs.
void forget_ended_turns(State& state);

/// Sends `session.prompt`, or first makes the session that it is for; where its model or the budget
/// does not let it, holds it until they do.
void send_prompt(Context& ctx, Session& session);
/// A word into the turn that runs, which goes on with it.
void say_in_turn(Context& ctx, Session& session, std::string text);
/// A call was refused, or a turn is over and what was asked for has not come: asks again, after a
/// while where something `failed`, and gives the attempt up when the measure is spent.
void continue_or_give_up(Context& ctx, Session& session, const std::string& why, bool failed);
/// A turn failed because of its model: goes on in the same session a few times, then with a fresh
/// one, which costs the task no attempt a few times; where there is no hope, blocks the mission.
void go_on_after_model_failure(Context& ctx, Session& session);
/// A Worker's turn is over and nothing was handed in: asks once what is missing, then judges the
/// work by what it has changed.
void on_worker_stopped(Context& ctx, Session& session);
/// This session will not bring it: the next one may, if the measure allows one more.
void give_up_attempt(Context& ctx, Session& session, const std::string& reason,
                     Outcome outcome = Outcome::error);
/// Asks the host what the session is doing; gives up a host that does not say.
void inspect_session(Context& ctx, Session& session);
/// Restarts the session's timer; it fires no later than its time for the task is over.
void arm(Context& ctx, Session& session, TimeMs delay_ms);
[[nodiscard]] bool lease_over(const Context& ctx, const Session& session);

/// Aborts a turn in which its model has failed so; it goes on when the turn has ended.
void fail_turn(Context& ctx, Session& session, ErrorClass error_class, const std::string& words);

/// The same tool error again and again: a word that helps; then, where no call of it can be read,
/// its model's stand-in; then a fresh session.
void on_tool_failed(Context& ctx, Session& session, const ToolFailed& event);
/// A call of this session was refused with this text; too many in a row, and the attempt is given
/// up.
void on_refused_call(Context& ctx, Session& session, const std::string& text);

}  // namespace orchestrator::core
