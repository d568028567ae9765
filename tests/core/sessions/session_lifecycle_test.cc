// Child sessions: what is done when a turn ends too early, fails, or is never answered.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>

#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

PlanArgs one_task() { return plan_of({task("T1")}); }

MISSION_SCENARIO(Session, AWorkerThatEndsEarlyIsContinuedInItsSession) {
  FakeHost host;
  host.plan = one_task();
  host.script(Role::worker, [](Turn& turn) {
    if (turn.number == 2) turn.do_work();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::worker), 1U);
  const auto prompts = host.prompts_to(host.at("T1").session);
  ASSERT_EQ(prompts.size(), 2U);
  EXPECT_TRUE(prompts[1].text.starts_with("Task T1: Title of T1\n"));
  EXPECT_NE(prompts[1].text.find("submit_work"), std::string::npos);
}

MISSION_SCENARIO(Session, AWorkerThatNeverSubmitsIsContinuedThenReplacedThenBlocked) {
  FakeHost host;
  host.plan = one_task();
  host.options.limits.continuations = 2;
  host.script(Role::worker, [](Turn&) {});
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked);
  EXPECT_EQ(host.sessions_of(Role::worker), 3U);
  // Each session gets its card, and is asked once what is missing.
  EXPECT_EQ(host.prompts_that_begin("Task T1").size(), 6U);
  EXPECT_NE(host.state.reason.find("without a submission"), std::string::npos);
  host.script(Role::worker, nullptr);
  host.resume();
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Session, APromptThatFailsAfterTheSubmissionIsIgnored) {
  FakeHost host;
  host.plan = one_task();
  EffectId late = 0;
  host.script(Role::worker, [&](Turn& turn) {
    // An idle before its time: a continuation is on its way while the work is handed in.
    host.deliver(SessionIdled{turn.session});
    late = host.prompts_to(turn.session).back().effect;
    turn.do_work();
    host.deliver(EffectFailed{late, "the connection was cut"});
  });
  host.task_command("build it");
  host.run_until([&] { return late != 0; });
  const SessionId worker = host.at("T1").session;
  EXPECT_EQ(find_session(host.state, worker)->state, SessionState::closing);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.prompts_to(worker).size(), 2U) << "the card and the continuation";
}

MISSION_SCENARIO(Session, AfterAnErrorOnlyTheSecondIdleIsActedOn) {
  FakeHost host;
  host.plan = one_task();
  TimeMs failed_at = 0;
  host.script(Role::worker, [&](Turn& turn) {
    if (turn.number > 1) return void(turn.do_work());
    failed_at = host.now;
    turn.fail();
  });
  host.task_command("build it");
  host.run_until([&] { return failed_at != 0; });
  host.run_for(150);
  EXPECT_EQ(host.prompts_to(host.at("T1").session).size(), 1U) << "the first idle is premature";
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::worker), 1U);
  EXPECT_EQ(host.prompts_to(host.at("T1").session).size(), 2U);
}

MISSION_SCENARIO(Session, RepeatedErrorsBackOffLongerAndLonger) {
  FakeHost host;
  host.plan = one_task();
  std::vector<TimeMs> turns;
  host.script(Role::worker, [&](Turn& turn) {
    turns.push_back(host.now);
    turns.size() < 4 ? turn.fail() : void(turn.do_work());
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  ASSERT_EQ(turns.size(), 4U);
  EXPECT_GE(turns[1] - turns[0], 1000);
  EXPECT_GE(turns[2] - turns[1], 2000);
  EXPECT_GE(turns[3] - turns[2], 4000);
  EXPECT_EQ(host.state.metrics.errors, 3U);
}

MISSION_SCENARIO(Session, AnErrorWithoutItsSecondIdleIsInspected) {
  FakeHost host;
  host.plan = one_task();
  int idles = 0;
  SessionId worker;
  host.script(Role::worker, [&](Turn& turn) {
    worker = turn.session;
    turn.number == 1 ? turn.fail() : void(turn.do_work());
  });
  host.lost = [&](const Happening& what) {
    const auto* idle = std::get_if<SessionIdled>(&what);
    return idle != nullptr && idle->session == worker && ++idles == 2;
  };
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::worker), 1U);
}

MISSION_SCENARIO(Session, AContextOverflowIsNotTheEndOfATurn) {
  FakeHost host;
  host.plan = one_task();
  host.script(Role::worker, [&](Turn& turn) {
    host.deliver(SessionErrored{turn.session, "ContextOverflowError", "too long"});
    host.deliver(SessionCompacted{turn.session});
    EXPECT_NE(system_card(host.state, turn.session).find("Task T1"), std::string::npos);
    turn.do_work();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.prompts_that_begin("Task T1").size(), 2U);
}

MISSION_SCENARIO(Session, ALostPromptIsFoundByTheTimerAndTheWholeCardIsSentAgain) {
  FakeHost host;
  host.plan = one_task();
  int seen = 0;
  host.swallowed = [&](const PromptSession& prompt) {
    return prompt.text.starts_with("Task T1") && ++seen == 1;
  };
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  const auto prompts = host.prompts_to(host.at("T1").session);
  ASSERT_EQ(prompts.size(), 2U);
  EXPECT_NE(prompts[1].text.find("Build T1"), std::string::npos)
      << "the host may never have had it";
}

MISSION_SCENARIO(Session, EveryPromptLostOnceStillLeadsToTheSeal) {
  FakeHost host;
  std::set<std::string> seen;
  host.swallowed = [&](const PromptSession& prompt) {
    return seen.insert(prompt.session.value + prompt.text.substr(0, 10)).second;
  };
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Session, ALostReworkIsSentAgainWithItsFindings) {
  FakeHost host;
  host.plan = one_task();
  int reworks = 0;
  host.swallowed = [&](const PromptSession& prompt) {
    return prompt.text.starts_with("Rework T1") && ++reworks == 1;
  };
  int reviews = 0;
  host.script(Role::reviewer,
              [&](Turn& turn) { ++reviews == 1 ? turn.reject("the test is red") : turn.pass(); });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  const auto prompts = host.prompts_that_begin("Rework T1");
  ASSERT_EQ(prompts.size(), 2U);
  EXPECT_NE(prompts[1].text.find("the test is red"), std::string::npos);
}

MISSION_SCENARIO(Session, APromptThatTheHostRefusesIsRepeatedAfterAWhile) {
  FakeHost host;
  host.plan = one_task();
  int refusals = 0;
  host.refused = [&](const Effect& effect) -> std::string {
    const auto* prompt = std::get_if<PromptSession>(&effect);
    const bool no = prompt != nullptr && prompt->text.starts_with("Task T1") && ++refusals < 3;
    return no ? "connection reset" : "";
  };
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::worker), 1U);
}

MISSION_SCENARIO(Session, AFailedCreationIsRepeated) {
  FakeHost host;
  host.plan = one_task();
  int refusals = 0;
  host.refused = [&](const Effect& effect) -> std::string {
    const auto* create = std::get_if<CreateSession>(&effect);
    return create != nullptr && create->role == Role::worker && ++refusals < 4 ? "no memory" : "";
  };
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.at("T1").attempt, 1U) << "a short trouble of the host costs no attempt";
}

MISSION_SCENARIO(Session, AHostThatNeverMakesSessionsBlocksTheMission) {
  FakeHost host;
  host.plan = one_task();
  host.refused = [&](const Effect& effect) -> std::string {
    const auto* create = std::get_if<CreateSession>(&effect);
    return create != nullptr && create->role == Role::worker ? "no memory" : "";
  };
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked);
  EXPECT_NE(host.state.reason.find("no memory"), std::string::npos);
}

MISSION_SCENARIO(Session, AnUnansweredCreationIsRepeated) {
  FakeHost host;
  host.plan = one_task();
  int lost = 0;
  host.lost = [&](const Happening& what) {
    return std::holds_alternative<SessionCreated>(what) && ++lost <= 2;
  };
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

// Found by the fuzzer of `step`: the snapshot of such a state was refused when it was read again.
MISSION_SCENARIO(Session, ACreationThatReturnsAKnownSessionAddsNone) {
  for (const bool root : {false, true}) {
    FakeHost host;
    host.plan = one_task();
    std::optional<EffectId> held;
    host.lost = [&](const Happening& what) {
      const auto* created = std::get_if<SessionCreated>(&what);
      if (created == nullptr || host.sessions_of(Role::worker) == 0 || held) return false;
      held = created->effect;
      return true;
    };
    host.task_command("build it");
    host.run_until([&] { return held.has_value(); });
    ASSERT_TRUE(held.has_value());
    const SessionId there = root ? host.state.root_session : host.state.sessions.front().id;
    ASSERT_FALSE(there.empty());
    host.deliver(SessionCreated{*held, there});
    EXPECT_LE(std::ranges::count(host.state.sessions, there, &Session::id), root ? 0 : 1);
    host.run();
    EXPECT_EQ(host.state.phase, Phase::sealed);
  }
}

MISSION_SCENARIO(Session, AStalledTurnIsAbortedAndGoesOn) {
  FakeHost host;
  host.plan = one_task();
  host.script(Role::worker, [](Turn& turn) {
    if (turn.number > 1) return void(turn.do_work());
    turn.hang();
  });
  host.task_command("build it");
  host.run_until([&] { return host.running("T1") && !host.at("T1").session.empty(); });
  host.run_for(400'000);
  EXPECT_TRUE(host.aborted.empty()) << "a tool call of it runs: that is no stall";
  host.run_for(4'000'000);
  EXPECT_FALSE(host.aborted.empty()) << "but it has task_min minutes for the task and no more";
  host.script(Role::worker, nullptr);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Session, ASilentTurnIsAbortedAfterTheStallTime) {
  FakeHost host;
  host.plan = one_task();
  host.script(Role::worker,
              [&](Turn& turn) { turn.number > 1 ? void(turn.do_work()) : turn.hang(false); });
  host.task_command("build it");
  host.run_until([&] { return !host.aborted.empty(); });
  EXPECT_LT(host.now, 1'000'000 + 320'000);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::worker), 1U) << "it goes on in its own session";
}

MISSION_SCENARIO(Session, ATurnThatHangsAfterItsSubmissionGivesItsSlotBack) {
  FakeHost host;
  host.plan = plan_of({task("T1"), task("T2", {"T1"})});
  host.script(Role::worker, [&](Turn& turn) {
    turn.do_work();
    turn.hang(turn.task == TaskId("T1"));
  });
  int reviews = 0;
  host.script(Role::reviewer,
              [&](Turn& turn) { ++reviews == 1 ? turn.reject("red") : turn.pass(); });
  host.task_command("build it --parallel 1");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Session, ASessionWithUnansweredInspectionsIsLost) {
  FakeHost host;
  host.plan = one_task();
  SessionId first;
  host.script(Role::worker, [&](Turn& turn) {
    if (first.empty()) first = turn.session;
    turn.session == first ? turn.hang() : void(turn.do_work());
  });
  host.refused = [&](const Effect& effect) -> std::string {
    const auto* inspect = std::get_if<InspectSession>(&effect);
    return inspect != nullptr && inspect->session == first ? "time-out" : "";
  };
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.at("T1").attempt, 2U);
}

MISSION_SCENARIO(Session, ADeletedWorkerIsReplaced) {
  FakeHost host;
  host.plan = one_task();
  int sessions = 0;
  host.script(Role::worker, [&](Turn& turn) {
    if (++sessions == 1) {
      turn.hang();
      host.deliver(SessionDeleted{turn.session});
    } else {
      turn.do_work();
    }
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.at("T1").attempt, 2U);
}

MISSION_SCENARIO(Session, AWorkerDeletedWhileItsTaskIsReviewedIsReplacedOnlyForARework) {
  FakeHost host;
  host.plan = one_task();
  int reviews = 0;
  host.script(Role::reviewer, [&](Turn& turn) {
    if (++reviews > 1) return void(turn.pass());
    host.deliver(SessionDeleted{host.at("T1").session});
    EXPECT_EQ(host.at("T1").status, TaskStatus::reviewing);
    turn.reject("the test is red");
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::worker), 2U);
  EXPECT_NE(host.prompts_to(host.at("T1").session)[0].text.find("the test is red"),
            std::string::npos);
}

MISSION_SCENARIO(Session, AReviewerDeletedIsReplaced) {
  FakeHost host;
  host.plan = one_task();
  int reviews = 0;
  host.script(Role::reviewer, [&](Turn& turn) {
    if (++reviews > 1) return void(turn.pass());
    turn.hang();
    host.deliver(SessionDeleted{turn.session});
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Session, ARepeatedIdleCausesNoSecondContinuation) {
  FakeHost host;
  host.plan = one_task();
  host.doubled = true;
  host.script(Role::worker, [](Turn& turn) {
    if (turn.number == 2) turn.do_work();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.prompts_to(host.at("T1").session).size(), 2U);
}

MISSION_SCENARIO(Session, AnyOneEventOfTheHostMayBeLost) {
  std::size_t events = 0;
  for (std::size_t skip = 1; skip == 1 || skip <= events; ++skip) {
    FakeHost host;
    host.plan = plan_of({task("T1"), task("T2", {"T1"})});
    std::size_t n = 0;
    host.lost = [&](const Happening& what) {
      const bool call =
          std::holds_alternative<RunCalled>(what) || std::holds_alternative<PlanSubmitted>(what) ||
          std::holds_alternative<WorkSubmitted>(what) ||
          std::holds_alternative<ReviewSubmitted>(what) || std::holds_alternative<CommandRan>(what);
      return !call && ++n == skip;
    };
    host.task_command("build it");
    host.run();
    EXPECT_EQ(host.state.phase, Phase::sealed) << "without event " << skip;
    events = std::max(events, n);
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(events, 30U);
}

MISSION_SCENARIO(Session, ModelsOfTheConfigurationAreNamed) {
  FakeHost host;
  host.options.models = {{"worker", "p/small"}, {"master-reviewer", "p/big"}};
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.prompts_that_begin("Task T1")[0].model, "p/small");
  EXPECT_EQ(host.prompts_that_begin("Task T1")[1].model, "");
  EXPECT_EQ(host.prompts_that_begin("Mission review")[0].model, "p/big");
}

MISSION_SCENARIO(Session, AnAnswerWhoseStartAndEndWereLostIsFollowedUp) {
  FakeHost host;
  host.plan = one_task();
  host.script(Role::worker, [](Turn& turn) {
    if (turn.number > 1) turn.do_work();
  });
  host.lost = [&](const Happening& what) {
    return host.prompts.size() == 2 && (std::holds_alternative<TurnStarted>(what) ||
                                        std::holds_alternative<SessionIdled>(what));
  };
  host.script(Role::planner, nullptr);
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.at("T1").attempt, 1U);
}

MISSION_SCENARIO(Session, ASessionInBackoffEndsWithTheMission) {
  FakeHost host;
  host.plan = one_task();
  host.script(Role::worker, [](Turn& turn) { turn.fail(); });
  host.task_command("build it");
  host.run_until([&] {
    return std::ranges::any_of(host.state.sessions, [](const Session& session) {
      return session.state == SessionState::backing_off;
    });
  });
  EXPECT_TRUE(host.stop().ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::cancelled);
}

}  // namespace
}  // namespace orchestrator::test
