#pragma once

#include "core/state/context.h"

/// Budget of a mission. Before a model is asked, the most that its answer can cost is reserved;
/// when the answer is complete, the host's count replaces the reservation. A request that does not
/// fit waits until other answers have cost less than their reservations; if nothing is outstanding
/// and it still does not fit, the mission pauses. docs/user/budgets.md says how tight the bound is.
namespace orchestrator::core {

/// Whether tokens or money are capped. Time has its own timer.
[[nodiscard]] bool is_capped(const State& state);
/// Whether the budget has room for a prompt of so many bytes to this session (null: to a new one).
[[nodiscard]] bool affords_prompt(const State& state, const Session* session,
                                  std::size_t prompt_bytes);
/// Reserves the cost of the first answer to the prompt that is about to be sent to the session.
void reserve_for_prompt(Context& ctx, Session& session);
/// A turn of the session began without a `RequestAsked`: reserves the cost of its answer now.
void reserve_unasked(Context& ctx, Session& session);
/// The session or its turn has ended: gives back its reservation and refuses its waiting request.
/// During an abort the reservation stays, because an answer may still arrive.
void release_reservation(Context& ctx, Session& session);
/// The same for the Commander, whose turn ended or whose part another session has taken.
void release_commander(Context& ctx);
/// When the next reservation lapses although the host has not reported the end of its turn; 0:
/// there is none.
[[nodiscard]] TimeMs reservation_lapses_ms(const Context& ctx);
void let_reservations_lapse(Context& ctx);

void on(Context& ctx, const RequestAsked& event);
/// Allows the waiting requests that fit now.
void let_requests_out(Context& ctx);
/// Counts the cost of an answer of the session (null: of the Commander).
void charge_answer(Context& ctx, Session* session, const TurnEnded& event);
/// Pauses the mission if a request does not fit and no reservation can become free any more. Called
/// once after every event of a running mission.
void check_budget(Context& ctx);
/// A person resumed the mission: a budget that is spent is granted once more.
void grant_budget(State& state);

/// Whether a cap is reached, so that no model may be asked any more.
[[nodiscard]] bool over_budget(const Budget& budget);
/// Whether more than a cap was spent, which must never happen.
[[nodiscard]] bool over_cap(const Budget& budget);
/// "1200 of 5000 tokens, $0.12 of $1.00"; a cap that is not set is left out.
[[nodiscard]] std::string spent_text(const State& state);

}  // namespace orchestrator::core
