// What a mission may spend: reserved before it is asked for, never over the cap.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>

#include "core/state/sessions.h"
#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

PlanArgs several(int n) {
  std::vector<TaskSpec> tasks;
  for (int i = 1; i <= n; ++i) tasks.push_back(task("T" + std::to_string(i)));
  return plan_of(std::move(tasks));
}

/// A model that writes at random up to what it may.
/// Answers of any length, and a tokenizer for each model and conversation that makes one to four
/// bytes a token.
auto random_cost(std::mt19937_64& random) {
  return [&random](const FakeHost::Asked& asked) {
    const std::size_t tokenizer = std::hash<std::string>()(asked.session.value + asked.model);
    return asked.bytes / (1 + tokenizer % 4) + 3'000 + random() % (asked.output_max + 1);
  };
}

MISSION_SCENARIO(Budget, PausesBeforeTheCapAndReportsTheRest) {
  std::mt19937_64 random(1);
  FakeHost host;
  host.plan = several(12);
  host.cost = random_cost(random);
  host.answers_per_turn = 3;
  host.task_command("--budget 700ktok build it");
  host.run();
  ASSERT_EQ(host.state.phase, Phase::paused) << status_text(host.state);
  EXPECT_LE(host.state.budget.tokens, 700'000U);
  EXPECT_GE(host.state.budget.tokens, 450'000U) << "most of it is used";
  EXPECT_NE(host.state.reason.find("the budget is spent: "), std::string::npos);
  ASSERT_FALSE(host.told.empty());
  const std::string& report = host.told.back();
  EXPECT_NE(report.find("Spent: "), std::string::npos) << report;
  EXPECT_NE(report.find("of 700000 tokens"), std::string::npos) << report;
  EXPECT_NE(report.find("ktok"), std::string::npos) << "what each task has cost";
  // A person lets it go on, with the same budget once more, until it is through.
  for (int i = 0; i < 8 && host.state.phase == Phase::paused; ++i) {
    const std::uint64_t before = host.state.budget.tokens;
    EXPECT_TRUE(host.resume().ok);
    host.run();
    EXPECT_LE(host.state.budget.tokens - before, 700'000U);
  }
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
}

MISSION_SCENARIO(Budget, CostsAreKeptForEachTask) {
  FakeHost host;
  host.plan = several(3);
  host.task_command("build it");
  host.run();
  std::uint64_t sum = 0;
  for (const Task& each : host.state.tasks) {
    EXPECT_EQ(each.tokens, 200U) << "a Worker's and a Reviewer's";
    sum += each.tokens;
  }
  EXPECT_LT(sum, host.state.budget.tokens) << "the Planner and the Master Reviewer cost, too";
}

MISSION_SCENARIO(Budget, ARequestWaitsUntilAnotherCostsLessThanItsReservation) {
  FakeHost host;
  host.plan = several(8);
  host.cost = [](const FakeHost::Asked&) { return std::uint64_t{2'000}; };
  std::size_t waited = 0;
  host.answers_per_turn = 2;
  host.script(Role::worker, [&](Turn& turn) {
    for (const Session& s : host.state.sessions)
      waited += s.metering.request.waiting.empty() ? 0 : 1;
    turn.do_work();
  });
  host.task_command("--budget 170ktok --parallel 8 build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_GT(waited, 0U) << "eight answers at once might have cost more than there is";
  EXPECT_LE(host.state.budget.tokens, 170'000U);
}

MISSION_SCENARIO(Budget, ACapTooSmallForOneAnswerPausesWithoutSpendingIt) {
  FakeHost host;
  host.cost = [](const FakeHost::Asked&) { return std::uint64_t{5'000}; };
  host.task_command("--budget 10ktok build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::paused);
  EXPECT_LE(host.state.budget.tokens, 10'000U);
}

MISSION_SCENARIO(Budget, MoneyIsACapToo) {
  FakeHost host;
  host.plan = several(10);
  host.cost = [](const FakeHost::Asked& asked) { return asked.bytes / 2 + 4'000; };
  host.task_command("--budget 0.12usd build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::paused) << status_text(host.state);
  EXPECT_LE(host.state.budget.usd, 0.12);
}

bool was_paused(const FakeHost& host) {
  return std::ranges::any_of(host.toasts, [](const ShowToast& toast) {
    return toast.text.starts_with("Mission paused: the budget");
  });
}

MISSION_SCENARIO(Budget, TheCommanderWaitsForReservationsOfSessions) {
  FakeHost host;
  host.plan = several(6);
  host.cost = [](const FakeHost::Asked&) { return std::uint64_t{2'000}; };
  host.task_command("--budget 100ktok --parallel 6 build it");
  host.run_until([&] { return core::slots_used(host.state) >= 5; });
  host.stop("--pause");
  host.run();
  // All of them go on at once, and what they may cost is reserved before the Commander asks.
  EXPECT_TRUE(host.resume().ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_FALSE(was_paused(host));
  EXPECT_LE(host.state.budget.tokens, 100'000U);
}

MISSION_SCENARIO(Budget, AFailedTurnGivesItsReservationBack) {
  FakeHost host;
  host.plan = several(2);
  host.cost = [](const FakeHost::Asked&) { return std::uint64_t{1'500}; };
  bool fails = true;
  host.script(Role::worker, [&](Turn& turn) {
    const bool other_waits = std::ranges::any_of(host.state.sessions, [](const Session& one) {
      return !one.metering.request.waiting.empty();
    });
    if (!fails || !other_waits) return void(turn.do_work());
    fails = false;
    turn.fail();
  });
  host.think_ms = 1'000;
  host.task_command("--budget 75ktok --parallel 2 build it");
  host.run();
  EXPECT_FALSE(fails) << "nothing had to wait";
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_FALSE(was_paused(host));
}

MISSION_SCENARIO(Budget, AnAbortedTurnKeepsItsReservationUntilItEnds) {
  for (const bool told : {true, false}) {
    SCOPED_TRACE(told);
    FakeHost host;
    host.plan = several(2);
    host.cost = [](const FakeHost::Asked&) { return std::uint64_t{2'000}; };
    host.think_ms = 40'000;
    host.task_command("--budget 500ktok --parallel 2 build it");
    host.run_until([&] { return host.running("T1") && !host.at("T1").session.empty(); });
    host.run_for(200);
    const SessionId worker = host.at("T1").session;
    const auto reserved = [&] {
      return find_session(host.state, worker)->metering.reserved.tokens;
    };
    ASSERT_GT(reserved(), 0U);
    if (!told) {
      host.lost = [&](const Happening& what) {
        const auto* idled = std::get_if<SessionIdled>(&what);
        const auto* ended = std::get_if<TurnEnded>(&what);
        return (idled != nullptr && idled->session == worker) ||
               (ended != nullptr && ended->session == worker);
      };
    }
    TodoArgs drop;
    drop.id = TaskId("T1");
    drop.status = TodoStatus::dropped;
    EXPECT_TRUE(host.deliver(TodoUpdated{RequestId("drop"), SessionId("root"), drop, {}}).ok);
    EXPECT_EQ(find_session(host.state, worker)->state, SessionState::ended);
    EXPECT_GT(reserved(), 0U) << "its answer may be on its way";
    host.run_for(1'000);
    EXPECT_EQ(reserved() == 0, told);
    host.run();
    EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
    EXPECT_EQ(reserved(), 0U) << "a host that says nothing is not waited for for ever";
  }
}

MISSION_SCENARIO(Budget, TheReservationOfACommanderWhoseTurnNeverEndsLapses) {
  FakeHost host;
  host.plan = several(2);
  host.cost = [](const FakeHost::Asked&) { return std::uint64_t{2'000}; };
  host.lost = [&](const Happening& what) {
    const auto* ended = std::get_if<TurnEnded>(&what);
    const auto* idled = std::get_if<SessionIdled>(&what);
    const SessionId root("root");
    return host.state.phase != Phase::paused && ((ended != nullptr && ended->session == root) ||
                                                 (idled != nullptr && idled->session == root));
  };
  host.task_command("--budget 48ktok --background build it");
  host.run_for(20 * 60'000);
  EXPECT_EQ(host.state.phase, Phase::paused) << status_text(host.state);
  EXPECT_TRUE(was_paused(host));
}

MISSION_SCENARIO(Budget, ARequestConfirmsItsPrompt) {
  FakeHost host;
  host.plan = several(3);
  host.cost = [](const FakeHost::Asked&) { return std::uint64_t{1'500}; };
  host.think_ms = 1'000;
  host.lost = [](const Happening& what) { return std::holds_alternative<PromptAccepted>(what); };
  const Session* asking = nullptr;
  host.task_command("--budget 75ktok --parallel 3 build it");
  host.run_until([&] {
    const auto it = std::ranges::find_if(host.state.sessions, [](const Session& session) {
      return !session.metering.request.waiting.empty() && session.effect != 0;
    });
    asking = it == host.state.sessions.end() ? nullptr : &*it;
    return asking != nullptr;
  });
  ASSERT_NE(asking, nullptr);
  const SessionId id = asking->id;
  const std::size_t prompted = host.prompts_to(id).size();
  host.deliver(EffectFailed{asking->effect, "the connection was cut"});
  EXPECT_TRUE(core::is_busy(*find_session(host.state, id)));
  EXPECT_FALSE(find_session(host.state, id)->metering.request.waiting.empty());
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_EQ(host.prompts_to(id).size(), prompted) << "it was asked twice for the same";
}

MISSION_SCENARIO(Budget, NothingIsReservedOrWaitsAfterTheEnd) {
  std::mt19937_64 random(3);
  FakeHost host;
  host.cost = random_cost(random);
  host.task_command("--budget 5Mtok build it");
  host.run();
  ASSERT_EQ(host.state.phase, Phase::sealed);
  for (const Session& session : host.state.sessions) {
    EXPECT_EQ(session.metering.reserved.tokens, 0U);
    EXPECT_TRUE(session.metering.request.waiting.empty());
  }
}

MISSION_SCENARIO(Budget, ACommanderThatGoesOnAfterItsClosingReportIsRefused) {
  int spent_while_it_went_on = 0;
  for (std::uint64_t cap = 60'000; cap <= 400'000; cap += 10'000) {
    FakeHost host;
    host.plan = several(4);
    host.cost = [](const FakeHost::Asked& asked) { return asked.bytes / 2 + 4'000; };
    host.answers_per_turn = 6;
    // It ends its turns without mission_run until the mission begins without it; so it is in the
    // middle of a turn of many answers when the budget is spent.
    host.script(Role::commander, [](Turn&) {});
    host.task_command("--budget " + std::to_string(cap) + "tok build it");
    host.run();
    EXPECT_LE(host.state.budget.tokens, cap) << status_text(host.state);
    if (host.state.phase != Phase::paused || !host.state.budget.spent) continue;
    spent_while_it_went_on += 1;
    // A person's own words are the person's to pay for.
    const std::uint64_t before = host.state.budget.tokens;
    host.say("how far is it?");
    host.run();
    EXPECT_GT(host.state.budget.tokens, before);
  }
  EXPECT_GT(spent_while_it_went_on, 5);
}

MISSION_SCENARIO(Budget, AFallbackModelsFirstRequestIsBoundedByItsBytes) {
  // The first makes few tokens of a text, and fails in the midst of a long turn; its fallback makes
  // sixteen times as many of the same conversation, and of the newest answer's count nothing
  // follows.
  int went_on_elsewhere = 0;
  for (std::uint64_t cap = 1'000'000; cap <= 3'000'000; cap += 40'000) {
    FakeHost host;
    host.plan = several(2);
    host.host_model = "p/terse";
    host.options.fallback = {{"p/terse", "q/wordy"}};
    host.answers_per_turn = 40;
    int asked_terse = 0;
    host.provider = [&](const SessionId& session, const std::string& model) -> std::string {
      return session.value != "root" && model == "p/terse" && ++asked_terse > 100
                 ? "invalid api key"
                 : "";
    };
    host.cost = [](const FakeHost::Asked& asked) {
      return asked.bytes / (asked.model == "q/wordy" ? 1 : 16) + 3'000 + asked.output_max;
    };
    host.task_command("--budget " + std::to_string(cap) + "tok build it");
    host.run();
    EXPECT_LE(host.state.budget.tokens, cap) << status_text(host.state);
    went_on_elsewhere += host.state.metrics.fallbacks > 0 ? 1 : 0;
  }
  EXPECT_GT(went_on_elsewhere, 5);
}

TEST(Budget, NoMissionSpendsMoreThanItsCap) {
  const char* text = std::getenv("ORCH_BUDGET_MISSIONS");
  const int missions = text == nullptr ? 300 : std::atoi(text);
  double worst = 0;
  int sealed = 0;
  for (int seed = 1; seed <= missions; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(static_cast<std::uint64_t>(seed));
    FakeHost host(random() % 3 == 0 ? HostMode::run : HostMode::serve);
    host.plan = several(1 + static_cast<int>(random() % 8));
    host.cost = random_cost(random);
    host.answers_per_turn = 1 + static_cast<int>(random() % 4);
    host.options.parallel.initial = 1 + static_cast<std::uint32_t>(random() % 10);
    host.doubled = random() % 4 == 0;
    host.host_model = "p/m";
    const bool dies = random() % 4 == 0;  // and another one goes on with its conversations
    if (dies) host.options.fallback = {{"p/m", "p/other"}};
    host.provider = [&](const SessionId&, const std::string& model) -> std::string {
      const auto roll = random() % 100;
      if (dies && model == "p/m" && roll < 30) return "invalid api key";
      return roll < 4 ? "429" : roll < 6 ? "empty" : roll < 8 ? "socket closed" : "";
    };
    const std::uint64_t cap = 5'000 + random() % 900'000;
    host.task_command("--budget " + std::to_string(cap) + "tok build it");
    host.run();
    const auto spent = static_cast<double>(host.state.budget.tokens);
    worst = std::max(worst, spent / static_cast<double>(cap));
    EXPECT_LE(host.state.budget.tokens, cap) << status_text(host.state);
    sealed += host.state.phase == Phase::sealed ? 1 : 0;
    if (::testing::Test::HasFailure()) return;
  }
  std::printf("%d missions: %d sealed, none spent more than %.4f of its cap\n", missions, sealed,
              worst);
  EXPECT_GT(sealed, 0);
}

}  // namespace
}  // namespace orchestrator::test
