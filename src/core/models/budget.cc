#include "core/models/budget.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/state/sessions.h"

namespace orchestrator::core {
namespace {

// A token is at least one byte, so bytes bound tokens. The bytes do not include the schemas of the
// role's tools, which are at most this many tokens.
constexpr std::uint64_t kToolTokens = 10'000;
/// A request is held if it would leave room for a shorter answer than this.
constexpr std::uint64_t kOutputTokensMin = 4'096;
constexpr std::uint64_t kOutputTokensUnknown = 32'000;
/// Cost of the Commander's closing report beside its newest answer: the report of 4 kB with the
/// rest of its tool call, and the shortest answer.
constexpr std::uint64_t kClosingTokens = 6'000 + kOutputTokensMin;
/// Keeps the conversion to an integer defined; no budget is as large.
constexpr double kTokensMost = 1e15;
constexpr std::uint64_t kFirstAnswerTokens = 12'000;
/// How long the costs of an aborted turn may still arrive.
constexpr TimeMs kAbortedMs = 60'000;

struct Amount {
  double tokens = 0;
  double usd = 0;
};

Amount operator+(Amount a, Amount b) { return {a.tokens + b.tokens, a.usd + b.usd}; }

/// Average price of a token so far, in dollars.
double mean_price(const Budget& budget) {
  return budget.tokens > 0 ? budget.usd / static_cast<double>(budget.tokens) : 0;
}

Amount reserved_by_children(const State& state) {
  Amount sum;
  for (const Session& session : state.sessions)
    sum = sum + Amount{static_cast<double>(session.metering.reserved.tokens),
                       session.metering.reserved.usd};
  return sum;
}

Amount closing(const State& state) {
  const Commander& commander = state.commander;
  const double tokens = static_cast<double>(commander.metering.answer.tokens + kClosingTokens);
  return {tokens, std::max(commander.metering.answer.usd, mean_price(state.budget) * tokens)};
}

/// Amount left for the next answer; infinite without a cap.
Amount room(const State& state, bool for_closing) {
  const Budget& budget = state.budget;
  Amount taken = reserved_by_children(state);
  if (!for_closing) {
    taken = taken + closing(state);
    taken = taken + Amount{static_cast<double>(state.commander.metering.reserved.tokens),
                           state.commander.metering.reserved.usd};
  }
  Amount left{INFINITY, INFINITY};
  if (budget.tokens_max > 0) {
    left.tokens = static_cast<double>(budget.tokens_max) +
                  static_cast<double>(budget.tokens_granted) - static_cast<double>(budget.tokens) -
                  taken.tokens;
  }
  if (budget.usd_max > 0) left.usd = budget.usd_max + budget.usd_granted - budget.usd - taken.usd;
  return left;
}

bool fits(Amount wanted, Amount left) {
  return wanted.tokens <= left.tokens && wanted.usd <= left.usd;
}

/// Estimated cost of an answer whose request is not known yet.
Amount estimate(const State& state, const Session* session, std::size_t prompt_bytes) {
  const Budget& budget = state.budget;
  std::uint64_t tokens = std::max(kFirstAnswerTokens, prompt_bytes / 2 + kFirstAnswerTokens / 2);
  if (session != nullptr && session->metering.answer.tokens > 0) {
    tokens = session->metering.answer.tokens + prompt_bytes + kOutputTokensMin;
  } else {
    tokens = std::max(tokens, std::min(budget.answer_tokens_max, 4 * kFirstAnswerTokens));
  }
  return {static_cast<double>(tokens),
          std::max(budget.answer_usd_max, 2 * mean_price(budget) * static_cast<double>(tokens))};
}

double input_bound(const Metering& metering, const RequestAsked& event) {
  const std::uint64_t before = metering.answer.tokens;
  const std::uint64_t bytes_before = metering.answer.bytes;
  if (event.bytes == 0)
    return static_cast<double>(std::max(kFirstAnswerTokens, before + before / 2));
  const auto bytes = static_cast<double>(event.bytes);
  const double whole = bytes + static_cast<double>(kToolTokens);
  // The newest answer gives the real size of the conversation up to it, for the same model only.
  const bool grown = before > 0 && bytes_before > 0 && event.bytes >= bytes_before;
  const bool same_model =
      metering.answer.model.empty() || event.model.empty() || metering.answer.model == event.model;
  if (!grown || !same_model) return whole;
  return std::min(whole, static_cast<double>(before) + bytes - static_cast<double>(bytes_before));
}

/// Most that a request can cost, with as many tokens for its answer as fit; `output` is 0 if none
/// fit.
struct Bound {
  Amount amount;
  std::uint64_t output = 0;
};

Bound bound_of(const State& state, const Metering& metering, const RequestAsked& event,
               Amount left) {
  const double input = input_bound(metering, event);
  const double wanted =
      static_cast<double>(event.output_max == 0 ? kOutputTokensUnknown : event.output_max);
  double in_price = std::max(0.0, event.input_usd) / 1e6;
  double out_price = std::max(0.0, event.output_usd) / 1e6;
  if (in_price <= 0 && out_price <= 0) {
    // The host reports costs but no prices: estimate them from the costs so far.
    in_price = out_price = 2 * mean_price(state.budget);
  }
  double output = std::min(wanted, left.tokens - input);
  if (out_price > 0) output = std::min(output, (left.usd - input * in_price) / out_price);
  if (out_price <= 0 && input * in_price > left.usd) output = 0;
  if (output < std::min(wanted, static_cast<double>(kOutputTokensMin))) return {};
  output = std::floor(output);
  return {{input + output, input * in_price + output * out_price},
          static_cast<std::uint64_t>(output)};
}

bool is_reserved(const Metering& metering) {
  return metering.reserved.tokens > 0 || metering.reserved.usd > 0;
}

/// Whether the reservation belongs to an aborted turn whose end the host has not reported yet.
bool is_left_reserved(const Session& session) {
  return is_reserved(session.metering) && !holds_slot(session) &&
         session.state != SessionState::delegating;
}

/// Whether the Commander's answer is on its way and may free a part of its reservation. It is
/// waited for only until the stall timeout, and not while the Commander's `mission_run` waits for
/// the sessions.
bool is_answering(const Context& ctx) {
  const Commander& commander = ctx.state.commander;
  return is_reserved(commander.metering) && commander.turn.busy && commander.waiting.empty() &&
         !is_waiting_session(ctx.state, ctx.state.root_session) &&
         ctx.now_ms < commander.metering.asked_ms + stall_ms(ctx.state);
}

void answer(Context& ctx, const RequestId& request, std::uint64_t output) {
  ctx.emit(Reply{request, true, "", LeaveAnswer{output}});
}

std::string no_budget_text() {
  return "Budget: the mission's budget is spent, so it is paused; /resume grants the same amount "
         "again.";
}

std::string no_leave_text(const State& state) {
  if (state.budget.spent) return no_budget_text();
  return "Budget: mission " + state.mission.value +
         " needs nothing from this session now: end your turn.";
}

/// The waiting request, rebuilt from the session's metering.
RequestAsked waiting_request(const Metering& metering) {
  RequestAsked event;
  event.request = metering.request.waiting;
  event.model = metering.request.model;
  event.bytes = metering.request.bytes;
  event.output_max = metering.request.output_max;
  event.input_usd = metering.request.input_usd;
  event.output_usd = metering.request.output_usd;
  return event;
}

void note_request(Metering& metering, const RequestAsked& event) {
  metering.request.waiting = event.request;
  metering.request.model = event.model;
  metering.request.bytes = event.bytes;
  metering.request.output_max = event.output_max;
  metering.request.input_usd = event.input_usd;
  metering.request.output_usd = event.output_usd;
}

void reserve(Metering& metering, Amount amount) {
  metering.reserved.tokens =
      static_cast<std::uint64_t>(std::ceil(std::min(amount.tokens, kTokensMost)));
  metering.reserved.usd = amount.usd;
}

/// Allows the waiting request if it fits into `left`.
bool let_out(Context& ctx, Metering& metering, Amount left) {
  const RequestAsked event = waiting_request(metering);
  const Bound bound = bound_of(ctx.state, metering, event, left);
  if (bound.output == 0) return false;
  reserve(metering, bound.amount);
  metering.request.waiting = RequestId{};
  answer(ctx, event.request, bound.output);
  return true;
}

void let_session_out(Context& ctx, Session& session) {
  if (session.metering.request.waiting.empty()) return;
  // The reservation of the prompt is given up first: it must not keep other sessions waiting.
  reserve(session.metering, {});
  (void)let_out(ctx, session.metering, room(ctx.state, false));
}

void let_commander_out(Context& ctx) {
  State& state = ctx.state;
  Commander& commander = state.commander;
  if (commander.metering.request.waiting.empty()) return;
  reserve(commander.metering, {});
  commander.metering.asked_ms = ctx.now_ms;
  const bool stopped = !is_running(state.phase) || state.dormant;
  if (let_out(ctx, commander.metering, room(state, stopped)) || !stopped) return;
  if (commander.closing) {
    ctx.refuse(commander.metering.request.waiting, no_leave_text(state));
  } else {
    answer(ctx, commander.metering.request.waiting, kOutputTokensMin);
  }
  commander.metering.request.waiting = RequestId{};
}

std::string count_text(std::uint64_t n) { return std::to_string(n); }

std::string usd_text(double usd) {
  char text[40];
  std::snprintf(text, sizeof text, "$%.2f", usd);
  return text;
}

void pay(State& state, const TurnEnded& event, Session* session) {
  Budget& budget = state.budget;
  budget.tokens += event.tokens;
  budget.usd += event.usd;
  budget.answer_tokens_max = std::max(budget.answer_tokens_max, event.tokens);
  budget.answer_usd_max = std::max(budget.answer_usd_max, event.usd);
  Metering& metering = session == nullptr ? state.commander.metering : session->metering;
  if (event.tokens > 0) {
    metering.answer.tokens = event.tokens;
    metering.answer.bytes = metering.request.bytes;
    metering.answer.model = event.model;
  }
  metering.answer.usd = std::max(metering.answer.usd, event.usd);
  metering.reserved = {};
  if (session == nullptr) return;
  session->tokens += event.tokens;
  session->usd += event.usd;
  if (Task* task = find_task(state, session->task)) {
    task->tokens += event.tokens;
    task->usd += event.usd;
  }
}

}  // namespace

bool is_capped(const State& state) {
  return state.budget.tokens_max > 0 || state.budget.usd_max > 0;
}

bool over_cap(const Budget& budget) {
  constexpr double kRounding = 1e-9;
  return (budget.tokens_max > 0 && budget.tokens - budget.tokens_granted > budget.tokens_max) ||
         (budget.usd_max > 0 && budget.usd - budget.usd_granted > budget.usd_max + kRounding);
}

bool over_budget(const Budget& budget) {
  return (budget.tokens_max > 0 && budget.tokens - budget.tokens_granted >= budget.tokens_max) ||
         (budget.usd_max > 0 && budget.usd - budget.usd_granted >= budget.usd_max);
}

bool affords_prompt(const State& state, const Session* session, std::size_t prompt_bytes) {
  return !is_capped(state) || fits(estimate(state, session, prompt_bytes), room(state, false));
}

void reserve_for_prompt(Context& ctx, Session& session) {
  if (!is_capped(ctx.state)) return;
  reserve(session.metering, {});
  reserve(session.metering, estimate(ctx.state, &session, session.lease.prompt.size()));
}

void reserve_unasked(Context& ctx, Session& session) {
  if (session.metering.reserved.tokens == 0) reserve_for_prompt(ctx, session);
}

void release_reservation(Context& ctx, Session& session) {
  if (!session.metering.request.waiting.empty()) {
    ctx.refuse(session.metering.request.waiting, no_leave_text(ctx.state));
    session.metering.request.waiting = RequestId{};
  }
  if (!is_reserved(session.metering)) return;
  // An aborted turn may still bring an answer: its reservation stays until the host reports the end
  // of the turn.
  if (session.turn.aborting) return;
  session.metering.reserved = {};
  ctx.moved = true;
}

void release_commander(Context& ctx) {
  Commander& commander = ctx.state.commander;
  if (!commander.metering.request.waiting.empty())
    ctx.refuse(commander.metering.request.waiting, no_leave_text(ctx.state));
  commander.metering.request.waiting = RequestId{};
  if (!is_reserved(commander.metering)) return;
  commander.metering.reserved = {};
  ctx.moved = true;
}

TimeMs reservation_lapses_ms(const Context& ctx) {
  TimeMs due = 0;
  if (!is_capped(ctx.state)) return due;
  const auto note = [&](TimeMs lapses_ms) {
    if (lapses_ms > ctx.now_ms && (due == 0 || lapses_ms < due)) due = lapses_ms;
  };
  if (is_answering(ctx)) note(ctx.state.commander.metering.asked_ms + stall_ms(ctx.state));
  for (const Session& session : ctx.state.sessions) {
    if (is_left_reserved(session)) note(std::max(session.seen_ms + kAbortedMs, ctx.now_ms + 1));
  }
  return due;
}

void let_reservations_lapse(Context& ctx) {
  for (Session& session : ctx.state.sessions) {
    if (!is_left_reserved(session) || ctx.now_ms < session.seen_ms + kAbortedMs) continue;
    session.metering.reserved = {};
    ctx.moved = true;
  }
}

void on(Context& ctx, const RequestAsked& event) {
  State& state = ctx.state;
  Session* session = find_session(state, event.session);
  const bool root = event.session == state.root_session && !event.session.empty();
  if (!is_active(state.phase) || !is_capped(state) || (session == nullptr && !root))
    return ctx.accept(event.request, "");
  ctx.moved = true;  // the request may need less than was reserved for it
  RequestId& asking =
      root ? state.commander.metering.request.waiting : session->metering.request.waiting;
  if (asking == event.request) return;                            // the host sent it twice
  if (!asking.empty()) ctx.refuse(asking, no_leave_text(state));  // a request of an earlier turn
  if (root) {
    note_request(state.commander.metering, event);
    return let_commander_out(ctx);
  }
  note_request(session->metering, event);
  const bool may_ask = is_busy(*session) && !session->lease.submitted && is_running(state.phase);
  if (!may_ask) return release_reservation(ctx, *session);
  let_session_out(ctx, *session);
}

void let_requests_out(Context& ctx) {
  if (!is_capped(ctx.state)) return;
  let_commander_out(ctx);
  for (Session& session : ctx.state.sessions) let_session_out(ctx, session);
}

void charge_answer(Context& ctx, Session* session, const TurnEnded& event) {
  State& state = ctx.state;
  std::string& paid =
      (session == nullptr ? state.commander.metering : session->metering).paid_message;
  if (!event.message.empty() && paid == event.message) return;
  paid = event.message;
  pay(state, event, session);
  if (session != nullptr) session->seen_ms = ctx.now_ms;
  if (!is_capped(state)) return;
  ctx.moved = true;
  if (over_budget(state.budget) && is_running(state.phase)) {
    state.budget.spent = true;
    ctx.conclude(Phase::paused, "the budget is spent: " + spent_text(state));
  }
}

void check_budget(Context& ctx) {
  State& state = ctx.state;
  Commander& commander = state.commander;
  if (!is_capped(state)) return;
  // The reservation of a turn that waits for subtasks is not given back before they are done.
  const bool outstanding = std::ranges::any_of(state.sessions, [](const Session& session) {
    return is_reserved(session.metering) && session.state != SessionState::delegating;
  });
  if (outstanding) return;
  // Nothing is outstanding here, so a request that still waits does not fit.
  const auto wants = [&](const Session& session) {
    return !session.metering.request.waiting.empty() ||
           (session.state == SessionState::held &&
            !affords_prompt(state, &session, session.lease.prompt.size()));
  };
  const bool waits =
      !commander.metering.request.waiting.empty() || std::ranges::any_of(state.sessions, wants);
  const bool may_begin_one =
      state.phase == Phase::briefing || slots_used(state) > 0 || affords_prompt(state, nullptr, 0);
  if (!waits && may_begin_one) return;
  if (is_answering(ctx)) return;
  state.budget.spent = true;
  release_commander(ctx);
  ctx.conclude(Phase::paused,
               "the budget is spent: " + spent_text(state) + ", and the next answer would not fit");
}

void grant_budget(State& state) {
  Budget& budget = state.budget;
  if (!budget.spent && !over_budget(budget)) return;
  budget.spent = false;
  budget.tokens_granted = budget.tokens;
  budget.usd_granted = budget.usd;
}

std::string spent_text(const State& state) {
  const Budget& budget = state.budget;
  const std::uint64_t tokens = budget.tokens - budget.tokens_granted;
  std::string text = count_text(tokens);
  if (budget.tokens_max > 0) text += " of " + count_text(budget.tokens_max);
  text += " tokens, " + usd_text(budget.usd - budget.usd_granted);
  if (budget.usd_max > 0) text += " of " + usd_text(budget.usd_max);
  if (budget.tokens_granted > 0 || budget.usd_granted > 0)
    text += " (in all " + count_text(budget.tokens) + " tokens, " + usd_text(budget.usd) + ")";
  return text;
}

}  // namespace orchestrator::core
