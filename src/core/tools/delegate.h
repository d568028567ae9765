#pragma once

#include <string>
#include <vector>

#include "core/state/context.h"

/// `delegate_task`, `get_task_result`, `cancel_task`: a Worker's delegated tasks are parts of its
/// own, to any depth that the limits allow. A turn that waits for one holds no slot, and gets one
/// again before it is answered, so that no tree of tasks waits for its own leaves.
namespace orchestrator::core {

void on_delegate(Context& ctx, const DelegateCalled& event);
void on_result_asked(Context& ctx, const ResultAsked& event);
void on_cancel(Context& ctx, const CancelCalled& event);
/// Whether the call that the host gave up was one that waits for a task.
bool on_wait_aborted(Context& ctx, const CallAborted& event);

/// Calls whose task is finished, or blocked, return, as far as there are slots for their turns.
void answer_waiters(Context& ctx);
/// Nobody reads the answers of this session's calls any more, but for `text`, where there is one.
/// Whether there was such a call.
bool stop_waiting(Context& ctx, const SessionId& session, const std::string& text = "");
[[nodiscard]] bool is_waiting_session(const State& state, const SessionId& session);
/// Its Worker's turn waits for tasks that it has delegated, and holds no slot.
[[nodiscard]] bool waits_for_parts(const State& state, const Task& task);
/// The host says that a turn is over whose call waits: it goes on when there is a slot.
void end_delegating(Context& ctx, Session& session);

/// Parts of a task that is settled, or not there any more, are dropped.
void drop_orphans(Context& ctx);
/// Parts that are neither done nor dropped.
[[nodiscard]] std::vector<TaskId> unfinished_parts(const State& state, const Task& task);
/// What a part that is not worked on any more has changed is its whole's change, and its whole's
/// claim, unless another task holds it by now.
void keep_claims(State& state);
/// For its Worker: what was delegated so far, and what came of it. Empty: nothing was.
[[nodiscard]] std::string part_list(const State& state, const Task& task);

}  // namespace orchestrator::core
