#pragma once

#include "core/state/context.h"

/// What a mission may spend. Every answer is paid for in advance: before a model is asked, the most
/// that its answer can cost is reserved, and what the host counts in the end takes the
/// reservation's place. What would not fit waits until other answers have cost less than was
/// reserved for them; when nothing is outstanding any more and it still does not fit, the mission
/// pauses. How tight that is stands in docs/user/budgets.md.
namespace orchestrator::core {

/// A cap on tokens or money. Time has its own timer.
[[nodiscard]] bool is_capped(const State& state);
/// Whether a prompt of so many bytes may go out to this session, null for a new one.
[[nodiscard]] bool affords_prompt(const State& state, const Session* session,
                                  std::size_t prompt_bytes);
/// Reserves for the first answer to the session's prompt, which is about to be sent.
void reserve_for_prompt(Context& ctx, Session& session);
/// A turn of it began that nobody has asked for leave for.
void reserve_unasked(Context& ctx, Session& session);
/// Its turn is over, or it is: nothing is reserved for it, and what it asks for is refused. While
/// it is being aborted, an answer may still come: then what that may cost stays reserved.
void release_reservation(Context& ctx, Session& session);
/// The Commander's turn is over, or another session is the Commander now.
void release_commander(Context& ctx);
/// When the next reservation is not waited for any longer, though the host has not said that its
/// answer is there or never will be; 0: there is none.
[[nodiscard]] TimeMs reservation_lapses_ms(const Context& ctx);
void let_reservations_lapse(Context& ctx);

void on_request_asked(Context& ctx, const RequestAsked& event);
/// Lets out what waits and fits now.
void let_requests_out(Context& ctx);
/// Counts what an answer of a session has cost; null: of the Commander.
void settle(Context& ctx, Session* session, const TurnEnded& event);
/// Where what is wanted does not fit and nothing can become free any more, pauses the mission.
/// Called once after every event of a running mission.
void check_budget(Context& ctx);
/// A person goes on with it: a budget that is spent is granted once more.
void grant_budget(State& state);

/// The cap is reached: nothing may be asked for any more.
[[nodiscard]] bool over_budget(const Budget& budget);
/// More than the cap is spent, which must not be.
[[nodiscard]] bool over_cap(const Budget& budget);
/// "1200 of 5000 tokens, $0.12 of $1.00"; without the caps where there are none.
[[nodiscard]] std::string spent_text(const State& state);

}  // namespace orchestrator::core
