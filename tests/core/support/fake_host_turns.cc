#include <algorithm>
#include <utility>

#include "core/support/fake_host.h"

/// The turns of the sessions of `FakeHost`: requests to a provider, answers, failures, endings.
namespace orchestrator::test {
namespace {

constexpr TimeMs kRealIdleMs = 200;

}  // namespace

void FakeHost::message(const SessionId& session, const std::string& text) {
  Child& child = child_of(session);
  const Child::Arrival arrival = child.message();
  if (arrival != Child::Arrival::lost) child.inbox = text;
  if (arrival == Child::Arrival::begins) begin_turn(session);
}

void FakeHost::begin_turn(const SessionId& session) {
  Child& child = child_of(session);
  const std::uint64_t life = child.begin_turn();
  child.hangs = child.answering = child.empty = false;
  // What a turn that was stopped has done already is done.
  if (child.answers_left < 0) child.answers_left = answers_per_turn - 1;
  child.bytes += 8'000 + child.inbox.size();
  after(10, [this, session, life] { ask_leave(session, life); });
}

/// The hook before each model request, of a mission with a budget.
void FakeHost::ask_leave(const SessionId& session, std::uint64_t life) {
  Child& child = child_of(session);
  if (child.life != life) return;
  child.output_max = 8'000;
  const bool capped = state.budget.tokens_max > 0 || state.budget.usd_max > 0;
  if (!capped || !watched_.contains(session)) return start_answer(session, life);
  const RequestId request = new_request();
  leaves_[request] = {session, life};
  const std::string& model = child.model.empty() ? host_model : child.model;
  deliver(RequestAsked{request, session, model, child.bytes, child.output_max, 0, 0});
}

void FakeHost::start_answer(const SessionId& session, std::uint64_t life) {
  if (child_of(session).life != life) return;
  const std::string& named = child_of(session).model;
  host_says(TurnStarted{session, named.empty() ? host_model : named});
  if (child_of(session).life == life) ask_provider(session, life, 1);
}

/// With the host's own retries.
void FakeHost::ask_provider(const SessionId& session, std::uint64_t life, std::uint32_t attempt) {
  Child& child = child_of(session);
  if (child.life != life) return;
  const std::string says =
      provider ? provider(session, child.model.empty() ? host_model : child.model) : "";
  if (says.empty() || says == "empty") {
    child.answering = true;
    child.empty = says == "empty";
    after(think_ms, [this, session, life] { go_on_answering(session, life); });
  } else if (says == "stall") {
    child.hangs = true;
  } else if ((says == "429" || says == "500" || says == "503") &&
             attempt <= opencode_model::kRetriesMax) {
    const TimeMs delay_ms = opencode_model::retry_delay_ms(attempt);
    const char* words = says == "429"   ? opencode_model::kRateLimited
                        : says == "503" ? opencode_model::kOverloaded
                                        : opencode_model::kProviderBroken;
    host_says(SessionRetried{session, words, attempt, delay_ms});
    after(delay_ms, [this, session, life, attempt] { ask_provider(session, life, attempt + 1); });
  } else {
    child.empty = true;
    break_turn(session, "APIError", says);
  }
}

void FakeHost::go_on_answering(const SessionId& session, std::uint64_t life) {
  Child& child = child_of(session);
  if (child.life != life) return;
  child.answering = false;
  if (child.empty) return end_turn(session);
  child.answers_left -= 1;
  if (child.answers_left < 0) return think(session, child.inbox);
  host_says(ended_answer(session, false));
  if (child_of(session).life == life) ask_leave(session, life);
}

TurnEnded FakeHost::ended_answer(const SessionId& session, bool stopped) {
  Child& child = child_of(session);
  const std::string& model = child.model.empty() ? host_model : child.model;
  const std::uint64_t tokens = child.empty ? 0
                               : cost      ? cost({session, model, child.bytes, child.output_max})
                                           : 100;
  child.bytes += 4'000;
  return {session,     tokens,         cost ? static_cast<double>(tokens) * 1e-6 : 0.01,
          stopped,     next_message(), model,
          child.empty, false};
}

std::size_t FakeHost::being_answered(const std::string& of_model) const {
  return static_cast<std::size_t>(std::ranges::count_if(children_, [&](const auto& entry) {
    const Child& child = entry.second;
    return child.answering && (child.model.empty() ? host_model : child.model) == of_model;
  }));
}

void FakeHost::think(const SessionId& session, const std::string& text) {
  Child& child = child_of(session);
  child.read_messages();
  const std::uint64_t life = child.life;
  Turn turn{*this, session, child.role, text, child.task, ++child.turns};
  const auto model = models_.find(child.role);
  if (model != models_.end() && model->second) {
    model->second(turn);
  } else {
    default_model(turn);
  }
  const Child& left = child_of(session);
  if (left.life != life || !left.running) return;  // it failed, or was aborted
  if (!left.blocked.empty() || left.hangs) return;
  // Its next request is the plugin's to refuse, which ends the turn with an error.
  const Session* child_session = find_session(state, session);
  const std::string why = child_session == nullptr ? "" : why_not_ask(state, *child_session);
  if (why.empty()) return end_turn(session);
  host_says(ended_answer(session, false));
  if (child_of(session).life != life) return;
  if (goes_on && goes_on(session)) {
    after(think_ms, [this, session, life] {
      if (child_of(session).life != life) return;
      host_says(TurnStarted{session});
      if (child_of(session).life == life) think(session, "");
    });
    return;
  }
  host_says(TurnStarted{session});  // of the message that is the error
  if (child_of(session).life == life) break_turn(session, "UnknownError", why);
}

void FakeHost::end_turn(const SessionId& session) {
  const std::uint64_t life = child_of(session).life;
  if (mode_ == HostMode::run && session == state.root_session) {
    const RequestId request = new_request();
    turn_endings_[request] = session;
    host_says(TurnEnding{request, session});
    return;
  }
  stop_turn(session, life);
}

void FakeHost::stop_turn(const SessionId& session, std::uint64_t life) {
  host_says(ended_answer(session, true));
  child_of(session).empty = false;
  after(opencode_model::kIdleAfterAnswerMs, [this, session, life] {
    Child& child = child_of(session);
    const Child::End end = child.finish_turn(life);
    if (end == Child::End::goes_on) think(session, child.inbox);
    if (end == Child::End::idle) host_says(SessionIdled{session});
  });
}

void FakeHost::break_turn(const SessionId& session, const std::string& error,
                          const std::string& words) {
  Child& child = child_of(session);
  child.hangs = child.answering = false;
  const std::uint64_t life = child.break_turn();
  const std::string& model = child.model.empty() ? host_model : child.model;
  for (opencode_model::Told& news : child.broken(error, words, 0, next_message(), model)) {
    after(news.after_ms, [this, events = std::move(news.events)] {
      for (const Happening& event : events) host_says(event);
    });
  }
  after(kRealIdleMs, [this, session, life] {
    if (child_of(session).end_broken_turn(life)) host_says(SessionIdled{session});
  });
}

Answer FakeHost::call(Happening what, const SessionId& session) {
  RequestId request;
  std::visit(
      [&](const auto& event) {
        if constexpr (requires { event.request; }) request = event.request;
      },
      what);
  if (lost && lost(what)) return {};
  const Happening copy = what;
  Answer given = deliver(std::move(what));
  if (!given.given) {  // `answer` goes on with it
    child_of(session).blocked = request;
  }
  if (doubled) deliver(copy);
  const auto reply = replies_.find(request);
  if (!given.given) return given;
  if (std::holds_alternative<RunCalled>(copy)) told.push_back(reply->second.text);
  return Answer{reply->second.ok, true, reply->second.text};
}

void FakeHost::default_model(Turn& turn) {
  switch (turn.role) {
    case Role::commander:
      if (is_running(state.phase)) turn.mission_run();
      return;
    case Role::planner:
      turn.plan(plan);
      return;
    case Role::worker:
      turn.do_work();
      return;
    case Role::reviewer:
    case Role::master_reviewer:
      turn.pass();
      return;
    case Role::none:
      return;
  }
}

}  // namespace orchestrator::test
