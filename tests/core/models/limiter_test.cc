// How much is asked of a model at once, and what is done when it fails.

#include "core/models/limiter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "core/sessions/session_lifecycle.h"
#include "core/state/sessions.h"
#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

PlanArgs many(int n) {
  std::vector<TaskSpec> tasks;
  for (int i = 1; i <= n; ++i) tasks.push_back(task("T" + std::to_string(i)));
  return plan_of(std::move(tasks));
}

const ModelLoad& load(const FakeHost& host, const std::string& model) {
  const auto& models = host.state.limiter.models;
  const auto it = std::ranges::find(models, model, &ModelLoad::model);
  if (it == models.end()) throw std::out_of_range("no model " + model);
  return *it;
}

/// A provider that answers so many requests at once, and 429 beyond.
auto allowing(FakeHost& host, std::size_t at_once) {
  return [&host, at_once](const SessionId&, const std::string& model) -> std::string {
    return host.being_answered(model) < at_once ? "" : "429";
  };
}

MISSION_SCENARIO(Limiter, ALimitGrowsByOneAfterARunOfGoodAnswersWhileItIsUsedUp) {
  FakeHost host;
  host.host_model = "p/m";
  host.options.parallel = {2, 6, {}};
  host.plan = many(40);
  host.task_command("build it");
  std::uint32_t before = 2;
  host.run_until([&] {
    const std::uint32_t now = host.state.parallel;
    EXPECT_LE(now, before + 1);
    before = now;
    return now == 6;
  });
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.state.metrics.sessions_peak, 6U);
  EXPECT_EQ(load(host, "p/m").limit, 6U);
}

MISSION_SCENARIO(Limiter, OneCongestionHalvesOnceForAllItsSessions) {
  FakeHost host;
  host.host_model = "p/m";
  host.plan = many(12);
  host.task_command("--parallel 8 build it");
  host.run_until([&] { return host.together == 8; });
  host.run_for(60);  // all are being asked
  std::vector<SessionId> sessions;
  for (const Session& s : host.state.sessions) {
    if (core::holds_slot(s)) sessions.push_back(s.id);
  }
  ASSERT_EQ(sessions.size(), 8U);
  for (int i = 0; i < 3; ++i)
    host.deliver(SessionRetried{sessions[static_cast<std::size_t>(i)], "rate limit", 1, 7000});
  EXPECT_EQ(load(host, "p/m").limit, 4U);
  EXPECT_EQ(host.state.metrics.slowdowns, 1U);
  EXPECT_EQ(host.state.parallel, 8U) << "other models may go on";
  EXPECT_EQ(load(host, "p/m").ceiling, 6U) << "five are still being answered";
  const TimeMs until = host.now + 7000;
  const std::size_t created = host.creations.size();
  const std::size_t prompted = host.prompts.size();
  host.run_for(6990);
  EXPECT_EQ(host.creations.size(), created) << "dispatched before the provider's time";
  EXPECT_EQ(host.prompts.size(), prompted);
  host.run_until([&] { return host.creations.size() > created; });
  EXPECT_GE(host.now, until);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Limiter, FailuresBetweenGoodAnswersStartNoCooldown) {
  FakeHost host;
  host.host_model = "p/m";
  host.plan = many(20);
  int asked = 0;
  int failed = 0;
  host.provider = [&](const SessionId&, const std::string&) -> std::string {
    if (++asked % 2 == 0) return "";
    ++failed;
    return "Internal error";
  };
  host.task_command("--parallel 1 build it");
  std::uint32_t openings = 0;
  host.run_until([&] {
    for (const ModelLoad& one : host.state.limiter.models) openings = std::max(openings, one.trips);
    return host.state.phase == Phase::sealed;
  });
  EXPECT_EQ(openings, 0U);
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_GT(failed, 20);
}

MISSION_SCENARIO(Limiter, FindsTheLimitOfAProvider) {
  FakeHost host;
  host.host_model = "p/m";
  host.plan = many(120);
  host.answers_per_turn = 4;
  host.provider = allowing(host, 6);
  host.task_command("--parallel 20 build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_GE(load(host, "p/m").limit, 4U);
  EXPECT_LE(load(host, "p/m").limit, 9U);
  EXPECT_EQ(host.state.metrics.errors, 0U) << "no turn was lost by it";
}

/// Virtual time of 80 tasks under a provider that allows six at once.
TimeMs time_with(const std::string& flags) {
  FakeHost host;
  host.host_model = "p/m";
  host.plan = many(80);
  host.answers_per_turn = 4;
  host.provider = allowing(host, 6);
  host.think_ms = 1'000;
  host.task_command(flags + " build it");
  const TimeMs begin = host.now;
  host.run_until([&] { return host.state.phase == Phase::sealed; });
  EXPECT_EQ(host.state.phase, Phase::sealed);
  if (std::getenv("ORCH_VERBOSE") != nullptr) {
    std::printf("%s: %lld ms, %u retries, %u slowdowns, limit %u, peak %u\n", flags.c_str(),
                static_cast<long long>(host.now - begin), host.state.metrics.retries,
                host.state.metrics.slowdowns, load(host, "p/m").limit,
                host.state.metrics.sessions_peak);
  }
  return host.now - begin;
}

TEST(Limiter, IsNearlyAsFastAsTheBestFixedLimit) {
  TimeMs best = time_with("--parallel 6");
  for (const char* flags : {"--parallel 5", "--parallel 7", "--parallel 8"})
    best = std::min(best, time_with(flags));
  const TimeMs own = time_with("--parallel 20");
  RecordProperty("throughput_of_best_fixed", std::to_string(double(best) / double(own)));
  EXPECT_GE(double(best) / double(own), 0.85) << best << " ms at best, " << own << " ms by itself";
}

MISSION_SCENARIO(Limiter, AModelHasACapOfItsOwn) {
  FakeHost host;
  host.options.models = {{"worker", "p/slow"}, {"reviewer", "p/fast"}};
  host.options.parallel.per_model = {{"p/slow", 2}};
  host.plan = many(12);
  std::size_t most = 0;
  host.script(Role::worker, [&](Turn& turn) {
    std::size_t workers = 0;
    for (const Session& s : host.state.sessions)
      workers += s.role == Role::worker && core::holds_slot(s) ? 1 : 0;
    most = std::max(most, workers);
    turn.do_work();
  });
  host.task_command("--parallel 8 build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(most, 2U);
}

MISSION_SCENARIO(Limiter, ACapHoldsAlsoForAModelThatTheHostHasNotNamedYet) {
  FakeHost host;
  host.host_model = "p/m";
  host.options.parallel.per_model = {{"p/m", 2}};
  host.plan = many(8);
  std::size_t most = 0;
  host.script(Role::commander, [&](Turn& turn) {  // no Planner, whose model would be known
    if (host.state.phase == Phase::briefing) turn.plan(host.plan);
    if (is_running(host.state.phase)) turn.mission_run();
  });
  for (const Role role : {Role::worker, Role::reviewer}) {
    host.script(role, [&, role](Turn& turn) {
      most = std::max(most, core::slots_used(host.state));
      role == Role::worker ? turn.do_work() : turn.pass();
    });
  }
  host.task_command("--parallel 8 build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(most, 2U);
}

// Found by the simulator, seed 4305586: a cap on the newer one was passed.
MISSION_SCENARIO(Limiter, ALateTurnEndedDoesNotChangeTheSessionsModel) {
  FakeHost host;
  host.options.models = {{"worker", "p/new"}};
  host.plan = plan_of({task("T1")});
  host.script(Role::worker, [](Turn& turn) { turn.hang(); });
  host.task_command("build it");
  host.run_until([&] { return !host.prompts_that_begin("Task T1").empty(); });
  Session& session = *find_session(host.state, host.at("T1").session);
  ASSERT_EQ(session.state, SessionState::prompting);
  TurnEnded late;
  late.session = session.id;
  late.model = "p/old";
  host.deliver(late);
  EXPECT_EQ(core::model_of(host.state, session), "p/new");
  host.stop();
}

MISSION_SCENARIO(Limiter, ABusyMachineFreezesTheLimits) {
  FakeHost host;
  host.options.parallel = {2, 8, {}};
  host.plan = many(20);
  host.task_command("build it");
  host.deliver(LoadChanged{Load::high, "load 40"});
  EXPECT_TRUE(status_text(host.state).find("busy (load 40)") != std::string::npos);
  host.run_until([&] { return host.finished.size() == 10; });
  EXPECT_EQ(host.state.parallel, 2U);
  host.deliver(LoadChanged{Load::critical, "no memory"});
  EXPECT_EQ(host.state.parallel, 1U);
  host.run_until([&] { return host.finished.size() == 14; });
  host.deliver(LoadChanged{Load::calm, ""});
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

// ---- the circuit breaker ------------------------------------------------------------------------

MISSION_SCENARIO(Limiter, AModelThatOnlyFailsCoolsDownAndIsTriedByOneSession) {
  FakeHost host;
  host.host_model = "p/m";
  host.plan = many(6);
  bool broken = true;
  host.provider = [&](const SessionId& session, const std::string&) -> std::string {
    return broken && session.value != "root" && host.state.phase == Phase::executing
               ? "socket hang up"
               : "";
  };
  host.task_command("--parallel 6 build it");
  host.run_until([&] {
    return !host.state.limiter.models.empty() && load(host, "p/m").breaker == Breaker::open;
  });
  EXPECT_FALSE(host.toasts.empty());
  EXPECT_TRUE(status_text(host.state).find("does not answer") != std::string::npos);
  host.run_until([&] { return load(host, "p/m").breaker == Breaker::half_open; });
  host.run_for(40);
  EXPECT_EQ(std::ranges::count_if(host.state.sessions, core::is_busy), 1) << "one tries it";
  const TimeMs first = host.now;
  host.run_until([&] { return load(host, "p/m").breaker == Breaker::open; });
  host.run_until([&] { return load(host, "p/m").breaker == Breaker::half_open; });
  EXPECT_GE(host.now - first, 2 * core::kCooldownFirstMs) << "each rest is longer";
  broken = false;
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(load(host, "p/m").breaker, Breaker::closed);
}

MISSION_SCENARIO(Limiter, SessionsOfAFailingModelUseItsFallback) {
  FakeHost host;
  host.options.models = {{"worker", "p/dead"}};
  host.options.fallback = {{"p/dead", "q/alive"}};
  host.plan = many(6);
  host.provider = [&](const SessionId&, const std::string& model) -> std::string {
    return model == "p/dead" ? "500" : "";
  };
  host.task_command("--parallel 3 build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_GT(host.state.metrics.fallbacks, 0U);
  for (const Task& each : host.state.tasks) EXPECT_EQ(each.attempt, 1U) << each.id.value;
}

MISSION_SCENARIO(Limiter, AModelWithUnreadableToolCallsIsReplacedByItsFallback) {
  for (const bool stand_in_fails : {false, true}) {
    FakeHost host;
    host.options.models = {{"worker", "p/garbles"}};
    host.options.fallback = {{"p/garbles", "q/alive"}};
    host.plan = many(2);
    host.script(Role::worker, [&](Turn& turn) {
      const Session* s = find_session(host.state, turn.session);
      if (!stand_in_fails && s->model_use.named != "p/garbles") return void(turn.do_work());
      for (int i = 0; i < 6; ++i)
        host.deliver(ToolFailed{turn.session, "edit", "JSON parsing failed", true, true});
      TurnEnded last;  // the answer with that call, which is reported after it
      last.session = turn.session;
      host.deliver(last);
    });
    host.task_command("build it");
    host.run();
    if (stand_in_fails) {
      EXPECT_EQ(host.state.phase, Phase::blocked);
      EXPECT_NE(host.state.reason.find("JSON parsing failed"), std::string::npos);
      EXPECT_EQ(host.sessions_of(Role::worker), 6U) << "three attempts of each";
    } else {
      EXPECT_EQ(host.state.phase, Phase::sealed);
      EXPECT_EQ(host.state.metrics.fallbacks, 2U);
      EXPECT_EQ(host.sessions_of(Role::worker), 2U);
      for (const Task& each : host.state.tasks) EXPECT_EQ(each.attempt, 1U) << each.id.value;
    }
  }
}

MISSION_SCENARIO(Limiter, AFallbackMayBeNamedForARole) {
  FakeHost host;
  host.host_model = "p/m";
  host.options.fallback = {{"worker", "q/alive"}};
  host.plan = many(2);
  host.provider = [&](const SessionId& session, const std::string& model) -> std::string {
    const Session* s = find_session(host.state, session);
    return s != nullptr && s->role == Role::worker && model == "p/m" ? "Unauthorized" : "";
  };
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Limiter, AProviderThatRefusesBlocksTheMissionWithItsMessage) {
  FakeHost host;
  host.host_model = "p/m";
  host.plan = many(3);
  bool refuses = true;
  host.provider = [&](const SessionId& session, const std::string&) -> std::string {
    return refuses && session.value != "root" ? "invalid api key" : "";
  };
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked);
  EXPECT_NE(host.state.reason.find("p/m: invalid api key"), std::string::npos) << host.state.reason;
  EXPECT_FALSE(std::ranges::any_of(host.toasts, [](const ShowToast& toast) {
    return toast.text.starts_with("Not confirmed");
  })) << "a turn that had failed was to stop";
  refuses = false;
  EXPECT_TRUE(host.resume().ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Limiter, ACooldownMayEndWhileTheMissionIsBlocked) {
  FakeHost host;
  host.host_model = "p/m";
  host.plan = many(2);
  bool refuses = true;
  host.provider = [&](const SessionId& session, const std::string&) -> std::string {
    return refuses && session.value != "root" ? "invalid api key" : "";
  };
  host.script(Role::commander, [&](Turn& turn) {
    if (host.state.phase == Phase::blocked && !refuses) turn.plan(host.plan);
    if (is_running(host.state.phase)) turn.mission_run();
  });
  host.task_command("build it");
  host.run();
  ASSERT_EQ(host.state.phase, Phase::blocked);
  host.now += 3'600'000;
  refuses = false;
  host.say("Its key is fixed: plan it yourself");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
}

MISSION_SCENARIO(Limiter, AModelThatNeverComesBackBlocksTheMission) {
  FakeHost host;
  host.host_model = "p/m";
  host.plan = many(3);
  host.provider = [&](const SessionId& session, const std::string&) -> std::string {
    return session.value != "root" && host.state.phase == Phase::executing ? "500" : "";
  };
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked) << status_text(host.state);
}

MISSION_SCENARIO(Limiter, TheHostStartsALimitedNumberOfSessionsAtATime) {
  FakeHost host;
  host.plan = many(40);
  host.think_ms = 5'000;
  host.options.parallel.initial = 40;
  std::size_t most_starting = 0;
  host.task_command("--parallel 40 build it");
  host.run_until([&] {
    const auto starting = std::ranges::count_if(host.state.sessions, [](const Session& session) {
      return core::is_starting(session.state);
    });
    most_starting = std::max(most_starting, static_cast<std::size_t>(starting));
    return host.state.phase == Phase::sealed;
  });
  EXPECT_EQ(most_starting, core::kStartingMax);
  EXPECT_EQ(host.state.metrics.sessions_peak, 40U) << "it keeps no other session from working";
}

MISSION_SCENARIO(Limiter, StartingReviewsDoNotKeepTasksFromBeginning) {
  FakeHost host;
  host.plan = many(30);
  host.plan.tasks.push_back(task("T31", {"T1"}));
  host.options.parallel.initial = 50;
  // The host takes long over the beginnings of all reviews but the first.
  host.swallowed = [&](const PromptSession& prompt) {
    const Session* session = find_session(host.state, prompt.session);
    return session != nullptr && session->role == Role::reviewer && session->task != TaskId("T1");
  };
  host.task_command("--parallel 50 build it");
  host.run_until([&] { return !host.finished.empty(); });
  host.run_for(1'000);
  const auto starting = std::ranges::count_if(host.state.sessions, [](const Session& session) {
    return session.role == Role::reviewer && core::is_starting(session.state);
  });
  EXPECT_EQ(starting, static_cast<std::ptrdiff_t>(core::kStartingMax));
  EXPECT_NE(host.at("T31").status, TaskStatus::ready);
}

// ---- one fault after the other ------------------------------------------------------------------

MISSION_SCENARIO(Limiter, AFailedAnswerIsRepeatedInTheSameSessionThenInAFreshOne) {
  for (const char* what : {"empty", "socket hang up", "overloaded", "JSON parsing failed"}) {
    SCOPED_TRACE(what);
    FakeHost host;
    host.plan = many(1);
    int faults = 3;
    host.provider = [&](const SessionId& session, const std::string&) -> std::string {
      const Session* s = find_session(host.state, session);
      const bool worker = s != nullptr && s->role == Role::worker;
      return worker && faults-- > 0 ? what : "";
    };
    host.task_command("build it");
    host.run();
    EXPECT_EQ(host.state.phase, Phase::sealed);
    EXPECT_EQ(host.sessions_of(Role::worker), 2U) << "the third one, and a fresh session";
    EXPECT_EQ(host.at("T1").attempt, 1U) << "it costs no attempt";
    const auto lost = std::ranges::find_if(host.state.sessions,
                                           [](const Session& s) { return s.role == Role::worker; });
    EXPECT_EQ(lost->outcome, std::string(what) == "empty" ? Outcome::empty : Outcome::error);
  }
}

MISSION_SCENARIO(Limiter, AStalledAnswerCountsAsAFailureOfTheModel) {
  FakeHost host;
  host.plan = many(1);
  int faults = 1;
  host.provider = [&](const SessionId& session, const std::string&) -> std::string {
    const Session* s = find_session(host.state, session);
    return s != nullptr && s->role == Role::worker && faults-- > 0 ? "stall" : "";
  };
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::worker), 1U);
}

MISSION_SCENARIO(Limiter, AModelWithOnlyEmptyAnswersBlocksTheMission) {
  FakeHost host;
  host.plan = many(1);
  host.provider = [&](const SessionId& session, const std::string&) -> std::string {
    const Session* s = find_session(host.state, session);
    return s != nullptr && s->role == Role::worker ? "empty" : "";
  };
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked);
  EXPECT_NE(host.state.reason.find("empty answer"), std::string::npos) << host.state.reason;
}

TEST(Limiter, ThirtyPercentOfFaultyAnswersStopNoMission) {
  const char* text = std::getenv("ORCH_FAULT_MISSIONS");
  const int missions = text == nullptr ? 100 : std::atoi(text);
  int sealed = 0;
  for (int seed = 1; seed <= missions; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(static_cast<std::uint64_t>(seed));
    FakeHost host;
    host.host_model = "p/m";
    host.plan = many(6);
    host.answers_per_turn = 3;
    host.provider = [&](const SessionId&, const std::string&) -> std::string {
      if (random() % 100 >= 30) return "";
      constexpr std::array<const char*, 7> kinds = {
          "429", "500", "503", "socket closed", "empty", "JSON parsing failed", "stall"};
      return kinds[random() % kinds.size()];
    };
    host.task_command("build it");
    host.run();
    sealed += host.state.phase == Phase::sealed ? 1 : 0;
    const bool known = host.state.phase == Phase::sealed || host.state.phase == Phase::blocked;
    EXPECT_TRUE(known) << status_text(host.state);
  }
  EXPECT_GE(sealed, missions - std::max(1, missions / 10'000)) << sealed << " of " << missions;
  std::printf("%d missions with 30 %% of faulty answers: %d sealed\n", missions, sealed);
}

}  // namespace
}  // namespace orchestrator::test
