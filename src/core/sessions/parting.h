#pragma once

#include <string>
#include <vector>

#include "core/state/context.h"

/// Last words. A session whose work is handed in is asked once more by the host, for words that
/// nobody waits for. The host works off all sessions on one thread, so where many are at work these
/// words go after what others do wait for: the call that has handed the work in is answered later,
/// and meanwhile its session is `parting`, without a slot, since it asks no model.
namespace orchestrator::core {

/// Its work is in, and `call` is what has brought it; closes the session, and answers now or later.
void part_with(Context& ctx, Session& session, const RequestId& call, std::string answer);

/// Answers the calls for which there is time now, each with a slot again.
void let_parting_go(Context& ctx);
/// Those that have waited too long go before new work does.
void let_overdue_go(Context& ctx);
/// There is a slot, and somebody waits for this one.
void go_now(Context& ctx, Session& session);
/// It ends otherwise: whoever waits for the answer gets it.
void answer_last_call(Context& ctx, Session& session);

/// Its work is in, and the host has yet to tell the end of its turn.
[[nodiscard]] bool says_last_words(const Session& session);
/// Whether one does. Not in `opencode run`, whose process may end before they do.
[[nodiscard]] bool last_words_pending(const State& state);

// ---- of a mission that is over, outside of its log
// -----------------------------------------------

/// What the calls that wait still are to be told; they wait no more.
[[nodiscard]] std::vector<Reply> take_last_answers(State& state);
/// In a state that another process has left: nobody waits for its last words.
void forget_last_words(State& state);

void on_parting_timer(Context& ctx, Session& session);
/// Whether it was a call of a parting session.
bool on_parting_aborted(Context& ctx, const CallAborted& event);

}  // namespace orchestrator::core
