// The Commander: the user's own session, kept going but never driven.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

std::size_t continuations(const FakeHost& host) {
  std::size_t n = 0;
  for (const std::string& text : host.told) {
    n += text.find("The mission has not begun") != std::string::npos ||
                 text.find("The mission is still running") != std::string::npos
             ? 1
             : 0;
  }
  return n;
}

MISSION_SCENARIO(Commander, TwoEarlyEndsInBriefingStartThePlanningWithTheRawObjective) {
  FakeHost host;
  host.script(Role::commander, [](Turn&) {});
  host.task_command("build it\nall of it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  ASSERT_FALSE(host.prompts_that_begin("Plan: build it").empty());
  EXPECT_NE(host.prompts_that_begin("Plan: ")[0].text.find("all of it"), std::string::npos);
  EXPECT_NE(host.told.back().find("sealed"), std::string::npos) << "its end wakes the Commander";
}

MISSION_SCENARIO(Commander, IsContinuedOnIdleAsItsAgentUpToALimit) {
  FakeHost host;
  host.script(Role::commander, [](Turn&) {});
  host.script(Role::worker,
              [](Turn& turn) { turn.number == 1 ? turn.hang() : void(turn.do_work()); });
  host.plan = plan_of({task("T1")});
  host.task_command("build it");
  host.run_for(60'000);
  EXPECT_EQ(host.state.phase, Phase::executing);
  EXPECT_LE(continuations(host), 5U);
  const std::size_t before = host.told.size();
  host.run_for(60'000);
  EXPECT_EQ(host.told.size(), before);
  for (const PromptSession& prompt : host.prompts_to(SessionId("root"))) {
    EXPECT_EQ(prompt.agent, "commander");
  }
  host.script(Role::worker, nullptr);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Commander, IsNeverContinuedTwiceForOneIdle) {
  FakeHost host;
  host.doubled = true;
  int turns = 0;
  host.script(Role::commander, [&](Turn& turn) {
    if (++turns == 2) turn.mission_run();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(continuations(host), 1U);
}

MISSION_SCENARIO(Commander, InRunModeItIsContinuedWithinItsTurn) {
  FakeHost host(HostMode::run);
  int turns = 0;
  host.script(Role::commander, [&](Turn& turn) {
    if (++turns == 2) turn.mission_run();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(continuations(host), 1U);
  EXPECT_TRUE(host.prompts_to(SessionId("root")).empty()) << "a prompt on idle would come too late";
  std::size_t idles = 0;
  for (const Event& event : host.log) {
    const auto* idle = std::get_if<SessionIdled>(&event.what);
    idles += idle != nullptr && idle->session == SessionId("root") ? 1 : 0;
  }
  EXPECT_EQ(idles, 1U) << "the process ends with the first idle";
}

MISSION_SCENARIO(Commander, InRunModeARepeatedEndOfItsTurnIsHeldUntilTheMissionEnds) {
  FakeHost host(HostMode::run);
  host.script(Role::commander, [](Turn&) {});
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(continuations(host), 3U);
  EXPECT_NE(host.told.back().find("sealed"), std::string::npos);
}

MISSION_SCENARIO(Commander, InRunModeWithOneContinuationItIsHeldAtOnce) {
  FakeHost host(HostMode::run);
  host.options.limits.continuations = 1;
  host.script(Role::commander, [](Turn&) {});
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(continuations(host), 1U);
}

MISSION_SCENARIO(Commander, ARepeatedTurnEndingIsAnsweredOnce) {
  FakeHost host(HostMode::run);
  host.task_command("build it");
  host.run_for(50);
  EXPECT_FALSE(host.deliver(TurnEnding{RequestId("a"), SessionId("root")}).text.empty());
  EXPECT_EQ(host.deliver(TurnEnding{RequestId("b"), SessionId("root")}).text, "");
  EXPECT_EQ(host.deliver(TurnEnding{RequestId("c"), SessionId("other")}).text, "");
  host.run();
}

MISSION_SCENARIO(Commander, InRunModeThereIsNoBackground) {
  FakeHost host(HostMode::run);
  host.task_command("build it --background");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_FALSE(host.state.commander.background);
}

MISSION_SCENARIO(Commander, AMessageOfTheUserReachesItAtOnceAndTheWorkersGoOn) {
  FakeHost host;
  host.task_command("build it");
  host.run_until([&] { return host.running("T2"); });
  host.say("use tabs, please");
  ASSERT_EQ(host.told.size(), 1U);
  EXPECT_NE(host.told[0].find("use tabs, please"), std::string::npos);
  EXPECT_NE(host.told[0].find("mission_run"), std::string::npos);
  EXPECT_TRUE(host.aborted.empty());
  EXPECT_EQ(host.state.phase, Phase::executing);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.told.size(), 2U);
}

MISSION_SCENARIO(Commander, EscapePausesAndResumeGoesOnInTheSameSessions) {
  FakeHost host;
  host.task_command("build it");
  host.run_until([&] { return host.running("T4") && !host.at("T4").session.empty(); });
  host.press_escape();
  EXPECT_EQ(host.state.phase, Phase::paused);
  EXPECT_FALSE(host.aborted.empty());
  host.run();
  EXPECT_EQ(host.state.phase, Phase::paused);
  EXPECT_TRUE(host.resume().ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::worker), 6U);
  EXPECT_EQ(host.at("T2").attempt, 1U);
}

MISSION_SCENARIO(Commander, EscapeBeforeMissionRunPausesToo) {
  FakeHost host;
  host.script(Role::commander, [](Turn& turn) { turn.hang(); });
  host.task_command("build it");
  host.run_for(500);
  host.press_escape();
  host.run();
  EXPECT_EQ(host.state.phase, Phase::paused);
  host.script(Role::commander, nullptr);
  host.resume();
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Commander, AnErrorOfItsModelIsContinuedAfterTheSecondIdle) {
  FakeHost host;
  int turns = 0;
  host.script(Role::commander, [&](Turn& turn) {
    if (++turns == 1) return turn.fail();
    if (is_running(host.state.phase)) turn.mission_run();
  });
  host.task_command("build it");
  host.run_for(200);
  EXPECT_TRUE(host.prompts.empty());
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.state.commander.early_ends, 1U);
}

MISSION_SCENARIO(Commander, ALostContinuationInBriefingIsSentAgain) {
  FakeHost host;
  int turns = 0;
  host.script(Role::commander, [&](Turn& turn) {
    if (++turns > 1 && is_running(host.state.phase)) turn.mission_run();
  });
  int lost = 0;
  host.swallowed = [&](const PromptSession& prompt) {
    return prompt.session == SessionId("root") && ++lost == 1;
  };
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Commander, ASessionThatIsNeverAnsweredDoesNotHoldTheMission) {
  FakeHost host;
  host.script(Role::commander, [](Turn&) {});
  host.swallowed = [](const PromptSession& prompt) { return prompt.session == SessionId("root"); };
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Commander, AHostThatRefusesItsPromptsDoesNotHoldTheMission) {
  FakeHost host;
  host.script(Role::commander, [](Turn&) {});
  host.refused = [](const Effect& effect) -> std::string {
    const auto* prompt = std::get_if<PromptSession>(&effect);
    return prompt != nullptr && prompt->session == SessionId("root") ? "no" : "";
  };
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Commander, ALostInspectionDoesNotHoldTheMission) {
  FakeHost host;
  host.script(Role::commander, [](Turn&) {});
  host.swallowed = [](const PromptSession& prompt) { return prompt.session == SessionId("root"); };
  host.lost = [](const Happening& what) {
    const auto* inspected = std::get_if<SessionInspected>(&what);
    return inspected != nullptr && inspected->session == SessionId("root");
  };
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Commander, AHangingTurnDoesNotHoldTheMission) {
  FakeHost host;
  host.script(Role::commander, [](Turn& turn) { turn.hang(false); });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Commander, AStalledTurnIsAbortedAndContinued) {
  FakeHost host;
  bool hangs = true;
  host.provider = [&](const SessionId& session, const std::string&) -> std::string {
    return session.value == "root" && std::exchange(hangs, false) ? "stall" : "";
  };
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_EQ(std::ranges::count(host.aborted, SessionId("root")), 1);
  EXPECT_FALSE(host.state.commander.turn.cut_off);
}

MISSION_SCENARIO(Commander, InRunModeAStalledTurnIsNotAborted) {
  FakeHost host(HostMode::run);
  host.script(Role::commander, [](Turn& turn) { turn.hang(false); });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << "the process would end with its turn";
  EXPECT_TRUE(std::ranges::find(host.aborted, SessionId("root")) == host.aborted.end());
}

MISSION_SCENARIO(Commander, AQuestionToTheUserMayWaitForHours) {
  FakeHost host;
  host.script(Role::commander, [](Turn& turn) { turn.hang(true); });
  host.task_command("build it");
  host.run_for(4 * 3'600'000);
  EXPECT_EQ(host.state.phase, Phase::briefing);
  host.stop();
}

MISSION_SCENARIO(Commander, IfTheEndOfItsTurnIsLostItStillGetsTheFinalReport) {
  FakeHost host;
  host.script(Role::commander, [](Turn&) {});
  host.lost = [](const Happening& what) {
    const auto* idle = std::get_if<SessionIdled>(&what);
    return idle != nullptr && idle->session == SessionId("root");
  };
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_NE(host.told.back().find("sealed"), std::string::npos);
}

MISSION_SCENARIO(Commander, IsNotPromptedAfterAStopThatCameWhileItWasOwedAReport) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::worker, [](Turn&) {});
  host.script(Role::commander, [&](Turn& turn) {
    if (turn.text.starts_with("The user wrote")) return turn.hang();  // it talks to the user
    if (is_running(host.state.phase)) turn.mission_run();
  });
  host.task_command("build it");
  host.run_until([&] { return host.running("T1"); });
  host.say("how far is it?");
  host.run_until([&] { return host.state.phase == Phase::blocked; });
  EXPECT_TRUE(host.state.commander.owed);
  host.stop();
  const std::size_t prompts = host.prompts.size();
  host.deliver(SessionIdled{SessionId("root")});
  host.run();
  EXPECT_EQ(host.prompts.size(), prompts);
}

MISSION_SCENARIO(Commander, ASecondMissionRunReplacesTheFirst) {
  FakeHost host;
  host.task_command("build it");
  host.run_until([&] { return !host.state.commander.waiting.empty(); });
  EXPECT_FALSE(host.deliver(RunCalled{RequestId("second"), SessionId("root"), {}, {}}).given);
  EXPECT_NE(host.told.back().find("newer"), std::string::npos);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Commander, ArgumentsOfMissionRunReachThePlannerAndTheMasterReviewer) {
  FakeHost host;
  host.script(Role::commander, [&](Turn& turn) {
    if (is_running(host.state.phase)) {
      turn.mission_run({"build it better", {"it is fast"}, {" lint "}, "look at src/"});
    }
  });
  host.task_command("build it");
  host.run();
  const std::string plan = host.prompts_that_begin("Plan: ")[0].text;
  for (const char* part : {"build it better", "it is fast", "lint", "look at src/"}) {
    EXPECT_NE(plan.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(host.state.master_review.proved_by, (std::vector<std::string>{"lint", "test all"}));
}

MISSION_SCENARIO(Commander, ARefusedMissionRunSaysWhatIsWrong) {
  FakeHost host;
  const auto run = [&](const char* id, std::vector<std::string> problems = {}) {
    return host.deliver(RunCalled{RequestId(id), SessionId("root"), {}, std::move(problems)});
  };
  EXPECT_TRUE(run("a").says("/task"));
  host.task_command("build it");
  EXPECT_TRUE(run("b", {"verify: must be a list"}).says("verify: must be a list"));
  EXPECT_EQ(host.state.phase, Phase::briefing);
  host.run();
  EXPECT_TRUE(run("c").says("is sealed"));
}

}  // namespace
}  // namespace orchestrator::test
