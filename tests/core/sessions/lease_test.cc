// Each child session ends exactly once, with an outcome, and the engine acts on it at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "core/state/sessions.h"
#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

PlanArgs single_task() { return plan_of({task("T1")}); }

Outcome first_worker(const FakeHost& host) {
  const auto it = std::ranges::find_if(host.state.sessions,
                                       [](const Session& s) { return s.role == Role::worker; });
  return it == host.state.sessions.end() ? Outcome::none : it->outcome;
}

MISSION_SCENARIO(Lease, EverySessionOfASealedMissionHasEndedOk) {
  FakeHost host;
  host.task_command("build it");
  host.run();
  ASSERT_EQ(host.state.phase, Phase::sealed);
  for (const Session& session : host.state.sessions) {
    EXPECT_EQ(session.outcome, Outcome::ok) << session.id.value;
    EXPECT_EQ(session.state, SessionState::ended) << session.id.value;
  }
  EXPECT_EQ(host.timers(), 0U);
}

MISSION_SCENARIO(Lease, AWorkerThatIsRefusedTooOftenEndsAsDenied) {
  FakeHost host;
  host.plan = single_task();
  host.script(Role::worker, [&](Turn& turn) {
    if (host.at("T1").attempt > 1) return void(turn.do_work());
    for (int i = 0; i < 8; ++i) turn.work({TaskId("T9"), "", {}, {}, {}});
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(first_worker(host), Outcome::denied);
}

MISSION_SCENARIO(Lease, AWorkerWhoseLeaseIsOverEndsAsTimedOut) {
  FakeHost host;
  host.plan = single_task();
  host.options.timeouts.task_min = 1;
  host.script(Role::worker, [&](Turn& turn) {
    if (host.at("T1").attempt > 1) return void(turn.do_work());
    turn.hang();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(first_worker(host), Outcome::timed_out);
}

MISSION_SCENARIO(Lease, AWorkerOfAStoppedMissionEndsAsDenied) {
  FakeHost host;
  host.plan = single_task();
  host.script(Role::worker, [&](Turn& turn) { turn.hang(); });
  host.task_command("build it");
  host.run_until([&] { return host.running("T1") && !host.at("T1").session.empty(); });
  host.stop();
  EXPECT_EQ(first_worker(host), Outcome::denied);
  host.run();
  EXPECT_EQ(first_worker(host), Outcome::denied);
}

MISSION_SCENARIO(Lease, AWorkerThatStopsIsAskedOnceThenItsChangesAreReviewed) {
  FakeHost host;
  host.plan = single_task();
  host.script(Role::worker, [&](Turn& turn) { turn.write("src/T1.cc"); });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_EQ(host.sessions_of(Role::worker), 1U);
  const auto prompts = host.prompts_to(host.at("T1").session);
  ASSERT_EQ(prompts.size(), 2U);
  EXPECT_NE(prompts[1].text.find("What is missing?"), std::string::npos);
  const auto reviews = host.prompts_that_begin("Task T1");
  EXPECT_NE(reviews.back().text.find("ended its turn twice without calling submit_work"),
            std::string::npos);
}

MISSION_SCENARIO(Lease, ChangesThatAreReviewedWithoutASubmissionAreProgress) {
  FakeHost host;
  host.plan = single_task();
  bool down = true;
  host.provider = [&](const SessionId& session, const std::string&) {
    const Session* asking = find_session(host.state, session);
    const bool fails = down && asking != nullptr && asking->role == Role::worker;
    return std::string(fails ? "socket hang up" : "");
  };
  host.script(Role::worker, [&](Turn& turn) { turn.write("src/T1.cc"); });
  host.task_command("build it");
  host.run_until(
      [&] { return !host.state.tasks.empty() && host.at("T1").progress.sessions_lost > 0; });
  down = false;
  host.run_until([&] { return host.at("T1").status == TaskStatus::reviewing; });
  EXPECT_EQ(host.at("T1").progress.sessions_lost, 0U);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
}

MISSION_SCENARIO(Lease, AWorkerThatStopsWithHalfOfItsFilesFails) {
  FakeHost host;
  host.plan = plan_of({task("T1", {}, {"a.cc", "b/**"})});
  host.script(Role::worker, [&](Turn& turn) {
    if (host.at("T1").attempt > 1) {
      turn.write("b/x.cc");
      return void(turn.do_work());
    }
    turn.write("a.cc");
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::worker), 2U);
}

MISSION_SCENARIO(Lease, ARepeatedToolErrorBringsAHintThenAFreshSession) {
  FakeHost host;
  host.plan = single_task();
  const auto crash = [&](const SessionId& session, const char* error, bool running) {
    host.deliver(ToolFailed{session, "edit", error, running});
  };
  host.script(Role::worker, [&](Turn& turn) {
    if (turn.session.value != host.at("T1").session.value || host.sessions_of(Role::worker) > 1)
      return void(turn.do_work());
    crash(turn.session, "oldString not found", false);
    crash(turn.session, "oldString not found", true);
    crash(turn.session, "another", true);
    crash(turn.session, "oldString not found", true);
    crash(turn.session, "oldString not found", false);
    crash(turn.session, "oldString not found", true);
    EXPECT_TRUE(host.prompts_that_begin("Task T1").size() == 1) << "not three of them in a row";
    crash(turn.session, "oldString not found", true);
    ASSERT_EQ(host.prompts_that_begin("Task T1").size(), 2U);
    EXPECT_NE(host.prompts.back().text.find("three times running"), std::string::npos);
    EXPECT_NE(host.prompts.back().text.find("oldString not found"), std::string::npos);
    for (int i = 0; i < 3; ++i) crash(turn.session, "oldString not found", true);
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::worker), 2U);
  EXPECT_EQ(first_worker(host), Outcome::error);
}

MISSION_SCENARIO(Lease, TheEngineActsOnTheEndOfATurnWithinTwoSeconds) {
  for (int kind = 0; kind < 5; ++kind) {
    SCOPED_TRACE(kind);
    FakeHost host;
    host.plan = single_task();
    TimeMs over_at = 0;
    host.script(Role::worker, [&](Turn& turn) {
      if (turn.number > 1 || host.sessions_of(Role::worker) > 1) return void(turn.do_work());
      over_at = host.now;
      if (kind == 0) turn.do_work();
      if (kind == 1) turn.fail("APIError");
      if (kind == 3) {
        for (int i = 0; i < 8; ++i) turn.work({TaskId("T9"), "", {}, {}, {}});
      }
      if (kind == 4) host.deliver(SessionDeleted{turn.session});
    });
    host.provider = [&](const SessionId& session, const std::string&) -> std::string {
      const Session* s = find_session(host.state, session);
      const bool hit = kind == 2 && over_at == 0 && s != nullptr && s->role == Role::worker;
      if (hit) over_at = host.now + 100;
      return hit ? "empty" : "";
    };
    host.task_command("build it");
    host.run_until([&] { return over_at != 0 && host.now >= over_at; });
    const std::size_t acts = host.prompts.size() + host.creations.size();
    host.run_until([&] { return host.prompts.size() + host.creations.size() > acts; });
    EXPECT_LE(host.now - over_at, 2000);
    host.run();
    EXPECT_EQ(host.state.phase, Phase::sealed);
  }
}

/// Two missions of so many tasks each: ORCH_LEASE_TASKS=500 makes it a thousand.
TEST(Lease, SlotsAndTimersAreNotLeakedOverManyTasks) {
  const char* asked = std::getenv("ORCH_LEASE_TASKS");
  const int count = asked == nullptr ? 100 : std::atoi(asked);
  FakeHost host;
  host.think_ms = 1'000;  // so long that all slots are taken
  std::vector<TaskSpec> tasks;
  for (int i = 1; i <= count; ++i) tasks.push_back(task("T" + std::to_string(i)));
  for (int mission = 0; mission < 2; ++mission) {
    host.plan = plan_of(tasks);
    host.task_command("--parallel 50 build it");
    host.run();
    ASSERT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
    EXPECT_EQ(host.timers(), 0U);
    EXPECT_EQ(core::slots_used(host.state), 0U);
    EXPECT_TRUE(host.state.receipts.empty());
    EXPECT_EQ(host.state.metrics.sessions_peak, 50U);
    for (const Session& session : host.state.sessions) {
      EXPECT_NE(session.outcome, Outcome::none);
      EXPECT_EQ(session.effect, 0U);
      EXPECT_TRUE(session.lease.prompt.empty());
      EXPECT_EQ(session.metering.reserved.tokens, 0U);
    }
  }
}

}  // namespace
}  // namespace orchestrator::test
