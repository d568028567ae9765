// Sessions whose next prompt waits for their model: they hold no slot, and go on when it may be
// asked again.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/state/sessions.h"
#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

constexpr TimeMs kPatienceAskedMs = 90'000;

PlanArgs lone_task() { return plan_of({task("T1")}); }

/// The provider asks for patience while a session of it runs.
void ask_for_patience(FakeHost& host, const SessionId& session) {
  host.deliver(SessionRetried{session, "rate limit", 1, kPatienceAskedMs});
}

/// Runs until a session is held, and to the end; what was held was not asked before its time.
void held_and_let_go(FakeHost& host) {
  const Session* held = nullptr;
  host.run_until([&] {
    const auto it = std::ranges::find(host.state.sessions, SessionState::held, &Session::state);
    held = it == host.state.sessions.end() ? nullptr : &*it;
    return held != nullptr;
  });
  ASSERT_NE(held, nullptr);
  EXPECT_FALSE(core::holds_slot(*held));
  EXPECT_EQ(held->timer, 0U);
  const TimeMs from = host.state.limiter.models.front().not_before_ms;
  const std::size_t acts = host.prompts.size() + host.creations.size();
  host.run_until([&] { return host.prompts.size() + host.creations.size() > acts; });
  EXPECT_GE(host.now, from);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Held, AContinuationWaitsForItsModel) {
  FakeHost host;
  host.host_model = "p/m";
  host.plan = lone_task();
  host.script(Role::worker, [&](Turn& turn) {
    if (turn.number == 1) return ask_for_patience(host, turn.session);
    turn.do_work();
  });
  host.task_command("build it");
  held_and_let_go(host);
}

MISSION_SCENARIO(Held, AReworkWaitsForItsModel) {
  FakeHost host;
  host.host_model = "p/m";
  host.plan = lone_task();
  int reviews = 0;
  host.script(Role::reviewer, [&](Turn& turn) {
    if (++reviews > 1) return void(turn.pass());
    ask_for_patience(host, turn.session);
    turn.reject("red");
  });
  host.task_command("build it");
  held_and_let_go(host);
}

/// The host never says that it has the prompt, or not that the answer begins.
void held_without_a_sign(bool accepted) {
  FakeHost host;
  host.host_model = "p/m";
  host.plan = lone_task();
  bool silent = false;
  host.lost = [&](const Happening& what) {
    if (std::holds_alternative<TurnStarted>(what) || std::holds_alternative<TurnEnded>(what))
      return silent;
    return std::holds_alternative<PromptAccepted>(what) && silent && !accepted;
  };
  host.script(Role::worker, [&](Turn& turn) {
    silent = false;
    if (turn.number > 1) return void(turn.do_work());
    silent = true;
    ask_for_patience(host, turn.session);
  });
  host.task_command("build it");
  host.run_until([&] { return host.running("T1"); });
  silent = true;
  held_and_let_go(host);
}

MISSION_SCENARIO(Held, APromptIsHeldAfterAnUnreportedAnswer) { held_without_a_sign(true); }
MISSION_SCENARIO(Held, APromptIsHeldAfterAnUnconfirmedOne) { held_without_a_sign(false); }

/// Its session could not be made, and its model asks for patience meanwhile.
void hold_one_that_is_not_made(FakeHost& host) {
  host.host_model = "p/m";
  host.plan = lone_task();
  host.refused = [&](const Effect& effect) -> std::string {
    const auto* create = std::get_if<CreateSession>(&effect);
    const bool first = create != nullptr && host.sessions_of(Role::worker) == 0;
    if (!first || create->role != Role::worker) return "";
    host.refused = nullptr;
    return "not now";
  };
  host.task_command("build it");
  host.run_until([&] { return host.running("T1"); });
  ask_for_patience(host, host.state.root_session);
}

MISSION_SCENARIO(Held, ACreationWaitsForItsModel) {
  FakeHost host;
  hold_one_that_is_not_made(host);
  held_and_let_go(host);
}

MISSION_SCENARIO(Held, AHeldSessionEndsWithTheMission) {
  FakeHost host;
  hold_one_that_is_not_made(host);
  host.run_until([&] {
    return std::ranges::find(host.state.sessions, SessionState::held, &Session::state) !=
           host.state.sessions.end();
  });
  EXPECT_TRUE(host.stop().ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::cancelled);
}

}  // namespace
}  // namespace orchestrator::test
