// Whole missions, from /task to the seal.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/state/sessions.h"
#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

std::size_t place(const std::vector<TaskId>& list, const std::string& id) {
  return static_cast<std::size_t>(std::ranges::find(list, TaskId(id)) - list.begin());
}

/// A Reviewer that rejects this task so many times.
Model reject_times(const std::string& id, int times) {
  auto left = std::make_shared<int>(times);
  return [id, left](Turn& turn) {
    if (turn.task.value == id && *left > 0) {
      *left -= 1;
      turn.reject("the test is red");
    } else {
      turn.pass();
    }
  };
}

MISSION_SCENARIO(Mission, DiamondRunsInDependencyOrderInParallelAndSeals) {
  FakeHost host;
  EXPECT_TRUE(host.task_command("build it").ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.finished.size(), 6U);
  EXPECT_EQ(host.started.front(), TaskId("T1"));
  EXPECT_LT(place(host.started, "T3"), place(host.started, "T5"));
  EXPECT_EQ(host.finished.back(), TaskId("T6"));
  EXPECT_EQ(host.together, 3U);
  EXPECT_EQ(host.sessions_of(Role::worker), 6U);
  EXPECT_EQ(host.sessions_of(Role::reviewer), 6U);
  EXPECT_EQ(host.sessions_of(Role::master_reviewer), 1U);
  ASSERT_EQ(host.told.size(), 1U);
  EXPECT_NE(host.told[0].find("sealed"), std::string::npos);
  EXPECT_EQ(host.timers(), 0U) << "a sealed mission needs no timer";
}

MISSION_SCENARIO(Mission, FirstLinesOfPromptsAreThoseOfTheContract) {
  FakeHost host;
  host.task_command("build it\nwith care");
  host.run();
  EXPECT_EQ(host.prompts_that_begin("Plan: build it\n").size(), 1U);
  EXPECT_EQ(host.prompts_that_begin("Task T1: Title of T1\n").size(), 2U);
  EXPECT_EQ(host.prompts_that_begin("Mission review: build it\n").size(), 1U);
  for (const PromptSession& prompt : host.prompts) EXPECT_FALSE(prompt.agent.empty());
}

MISSION_SCENARIO(Mission, RejectedTaskGoesBackToItsWorkerAndPassesWithAFreshReviewer) {
  FakeHost host;
  host.plan = plan_of({task("T1"), task("T2")});
  host.script(Role::reviewer, reject_times("T1", 1));
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::worker, "T1"), 1U);
  EXPECT_EQ(host.sessions_of(Role::reviewer, "T1"), 2U);
  const auto to_worker = host.prompts_to(host.at("T1").session);
  ASSERT_EQ(to_worker.size(), 2U);
  EXPECT_TRUE(to_worker[1].text.starts_with("Rework T1: Title of T1\n"));
  EXPECT_NE(to_worker[1].text.find("the test is red"), std::string::npos);
  EXPECT_EQ(host.at("T1").attempt, 2U);
}

MISSION_SCENARIO(Mission, OthersGoOnWhileATaskIsReworked) {
  FakeHost host;
  host.plan = plan_of({task("T1"), task("T2"), task("T3", {"T2"})});
  host.script(Role::reviewer, reject_times("T1", 2));
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_LT(place(host.finished, "T3"), place(host.finished, "T1"));
}

MISSION_SCENARIO(Mission, TaskRejectedTooOftenBlocksTheMissionWithTheReason) {
  FakeHost host;
  host.plan = plan_of({task("T1"), task("T2", {"T1"}), task("T3")});
  host.script(Role::reviewer, reject_times("T1", 3));
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked);
  EXPECT_EQ(host.at("T1").status, TaskStatus::blocked);
  EXPECT_EQ(host.at("T3").status, TaskStatus::done);
  EXPECT_NE(host.state.reason.find("T1"), std::string::npos);
  EXPECT_NE(host.state.reason.find("the test is red"), std::string::npos);
  ASSERT_FALSE(host.told.empty());
  EXPECT_NE(host.told.back().find("the test is red"), std::string::npos);

  EXPECT_TRUE(host.resume().ok);
  EXPECT_EQ(host.at("T1").attempt, 1U) << "/resume gives the measures back";
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Mission, FindingsOfAFailedMasterReviewBecomeTasks) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  int reviews = 0;
  host.script(Role::master_reviewer, [&](Turn& turn) {
    if (++reviews == 1) {
      turn.reject("it does not start", "src/main.cc");
    } else {
      turn.pass();
    }
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.state.iteration, 2U);
  EXPECT_EQ(host.at("F1.1").title, "it does not start");
  EXPECT_EQ(host.at("F1.1").files, std::vector<std::string>{"src/main.cc"});
  EXPECT_EQ(host.at("F1.1").status, TaskStatus::done);
  EXPECT_EQ(host.sessions_of(Role::master_reviewer), 2U);
}

MISSION_SCENARIO(Mission, FindingsOverTheTaskLimitJoinTheLastTask) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.options.limits.tasks = 3;
  host.script(Role::master_reviewer, [&](Turn& turn) {
    if (host.state.iteration > 1) return void(turn.pass());
    ReviewArgs args;
    args.verdict = Verdict::reject;
    for (int i = 1; i <= 5; ++i) {
      args.findings.push_back(
          {"f" + std::to_string(i), 1, Severity::warning, "no " + std::to_string(i)});
    }
    turn.review(args);
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.state.tasks.size(), 3U);
  EXPECT_NE(host.at("F1.2").spec.description.find("no 5"), std::string::npos);
}

MISSION_SCENARIO(Mission, AfterTheLastIterationAPersonGrantsOneMore) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.options.limits.iterations = 2;
  bool good = false;
  host.script(Role::master_reviewer, [&](Turn& turn) { good ? turn.pass() : turn.reject("bad"); });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked);
  EXPECT_EQ(host.state.iteration, 2U);
  EXPECT_NE(host.state.reason.find("iteration 2 of 2"), std::string::npos);
  good = true;
  host.resume();
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Mission, MasterReviewersThatGiveNoVerdictBlockIt) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  bool good = false;
  host.script(Role::master_reviewer, [&](Turn& turn) {
    if (good) turn.pass();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked);
  EXPECT_EQ(host.sessions_of(Role::master_reviewer), 3U);
  EXPECT_NE(host.state.reason.find("no verdict"), std::string::npos);
  good = true;
  host.resume();
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Mission, PlannersThatNeverSubmitBlockItAndANewPlanGoesOn) {
  FakeHost host;
  host.script(Role::planner, [](Turn&) {});
  host.script(Role::commander, [&](Turn& turn) {
    if (is_running(host.state.phase)) return void(turn.mission_run());
    if (host.state.phase != Phase::blocked) return;
    EXPECT_FALSE(turn.todo({TaskId("T1"), std::nullopt, "", "", task("T1")}).ok) << "no plan yet";
    EXPECT_TRUE(turn.plan(plan_of({task("T1")})).ok);
    turn.mission_run();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::planner), 3U);
  // One card and three continuations for each.
  EXPECT_EQ(host.prompts_that_begin("Plan: ").size(), 12U);
}

MISSION_SCENARIO(Mission, BlockedPlanningGoesOnWithResume) {
  FakeHost host;
  bool good = false;
  host.script(Role::planner, [&](Turn& turn) {
    if (good) turn.plan(host.plan);
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked);
  EXPECT_NE(host.state.reason.find("there is no valid plan after"), std::string::npos);
  good = true;
  host.resume();
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Mission, TheCommanderMayPlanASmallJobItself) {
  FakeHost host;
  host.script(Role::commander, [&](Turn& turn) {
    if (host.state.tasks.empty()) {
      EXPECT_TRUE(turn.plan(plan_of({task("T1")})).ok);
    }
    if (is_running(host.state.phase)) turn.mission_run();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::planner), 0U);
}

MISSION_SCENARIO(Mission, ACommandersPlanWhilePlanningEndsThePlanner) {
  FakeHost host;
  host.script(Role::planner, [](Turn& turn) { turn.hang(); });
  host.script(Role::commander, [&](Turn& turn) {
    if (turn.text.starts_with("The user wrote:\nI know a plan")) {
      EXPECT_TRUE(turn.plan(plan_of({task("T1")})).ok);
    }
    if (is_running(host.state.phase)) turn.mission_run();
  });
  host.task_command("build it");
  host.run_for(2'000);
  host.say("I know a plan");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.aborted.size(), 1U);
}

MISSION_SCENARIO(Mission, OverlappingClaimsAreSerialized) {
  FakeHost host;
  host.plan = plan_of({task("T1", {}, {"src/**"}), task("T2", {}, {"src/**"}),
                       task("T3", {}, {"src/a.cc"}), task("T4", {}, {"docs/**"})});
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.together, 2U);  // one of src, and docs
}

MISSION_SCENARIO(Mission, SlotsNeverExceedParallel) {
  FakeHost host;
  std::vector<TaskSpec> tasks;
  for (int i = 1; i <= 20; ++i) tasks.push_back(task("T" + std::to_string(i)));
  host.plan = plan_of(tasks);
  host.task_command("--parallel 3 build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.state.metrics.sessions_peak, 3U);
}

MISSION_SCENARIO(Mission, OneSlotIsEnough) {
  FakeHost host;
  host.script(Role::reviewer, reject_times("T2", 1));
  host.task_command("build it --parallel 1");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.state.metrics.sessions_peak, 1U);
}

MISSION_SCENARIO(Mission, TasksWithTheLongestChainsStartFirst) {
  FakeHost host;
  host.plan = plan_of({task("A"), task("B"), task("C1"), task("C2", {"C1"}), task("C3", {"C2"})});
  host.task_command("--parallel 1 build it");
  host.run();
  EXPECT_EQ(host.started.front(), TaskId("C1"));
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Mission, FollowUpsOfAWorkerBecomeTasks) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::worker, [&](Turn& turn) {
    if (turn.task.value != "T1") return void(turn.do_work());
    WorkArgs args;
    args.summary = "more is needed";
    args.follow_ups = {task("T2", {"T1"})};
    EXPECT_TRUE(turn.work(args).ok);
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.at("T2").status, TaskStatus::done);
}

MISSION_SCENARIO(Mission, ATokenBudgetPausesAndResumeGrantsItOnceMore) {
  FakeHost host;
  host.cost = [](const FakeHost::Asked&) { return std::uint64_t{8'000}; };
  host.task_command("build it --budget 100ktok");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::paused);
  EXPECT_NE(host.state.reason.find("budget"), std::string::npos);
  EXPECT_LE(host.state.budget.tokens, 100'000U);
  for (int i = 0; i < 5 && host.state.phase == Phase::paused; ++i) {
    host.resume();
    host.run();
  }
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Mission, AMoneyBudgetPauses) {
  FakeHost host;
  host.task_command("--budget 0.05usd build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::paused);
}

MISSION_SCENARIO(Mission, TheTimeBudgetPausesAndCountsOnlyRunningTime) {
  FakeHost host;
  host.script(Role::worker, [](Turn& turn) { turn.hang(); });
  host.task_command("build it --time 2m");
  host.run_for(60'000);
  host.stop("--pause");
  host.run_for(3'600'000);
  host.resume();
  host.run_for(50'000);
  EXPECT_EQ(host.state.phase, Phase::executing);
  host.run_for(20'000);
  EXPECT_EQ(host.state.phase, Phase::paused);
  EXPECT_NE(host.state.reason.find("time budget"), std::string::npos);
  host.script(Role::worker, nullptr);
  host.resume();
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Mission, StopCancelsAndNothingIsPromptedAfterIt) {
  FakeHost host;
  host.task_command("build it");
  host.run_until([&] { return host.running("T2"); });
  EXPECT_TRUE(host.stop().ok);
  EXPECT_EQ(host.state.phase, Phase::cancelled);
  EXPECT_FALSE(host.aborted.empty());
  const std::size_t prompts = host.prompts.size();
  const std::size_t creations = host.creations.size();
  host.run();
  EXPECT_EQ(host.prompts.size(), prompts);
  EXPECT_EQ(host.creations.size(), creations);
  EXPECT_FALSE(host.resume().ok);
  EXPECT_FALSE(host.stop().ok);
  EXPECT_TRUE(host.task_command("another").ok);
}

MISSION_SCENARIO(Mission, NothingIsPromptedAfterAStopWhateverTheHostSends) {
  for (std::size_t at = 2; at < 120; at += 3) {
    FakeHost host;
    host.task_command("build it");
    host.run_to_event(at);
    if (!is_active(host.state.phase)) break;
    const std::vector<Event> past = host.log;
    EXPECT_TRUE(host.stop().ok);
    const std::size_t acted = host.prompts.size() + host.creations.size();
    host.run();
    for (const Event& event : past) {  // everything comes once more
      if (!std::holds_alternative<MissionRequested>(event.what)) host.deliver(event.what);
    }
    host.run();
    EXPECT_EQ(host.prompts.size() + host.creations.size(), acted) << "stopped at event " << at;
    EXPECT_EQ(host.state.phase, Phase::cancelled);
  }
}

MISSION_SCENARIO(Mission, StopWorksInEveryPhase) {
  const std::vector<Phase> phases = {Phase::briefing, Phase::planning, Phase::executing,
                                     Phase::integrating};
  for (const Phase phase : phases) {
    FakeHost host;
    host.task_command("build it");
    host.run_until([&] { return host.state.phase == phase; });
    EXPECT_TRUE(host.stop("", SessionId("other")).ok) << "from any session";
    host.run();
    EXPECT_EQ(host.state.phase, Phase::cancelled);
  }
  FakeHost blocked;
  blocked.script(Role::planner, [](Turn&) {});
  blocked.task_command("build it");
  blocked.run();
  EXPECT_TRUE(blocked.stop("--pause").ok);
  EXPECT_EQ(blocked.state.phase, Phase::paused);
  EXPECT_TRUE(blocked.stop().ok);
  FakeHost other;
  other.script(Role::planner, [](Turn&) {});
  other.task_command("build it");
  other.run();
  EXPECT_TRUE(other.stop().ok);
}

MISSION_SCENARIO(Mission, PauseAndResumeInEveryPhaseLeadToTheSeal) {
  const std::vector<Phase> phases = {Phase::briefing, Phase::planning, Phase::executing,
                                     Phase::integrating};
  for (const Phase phase : phases) {
    FakeHost host;
    host.task_command("build it");
    host.run_until([&] { return host.state.phase == phase; });
    host.run_for(50);
    EXPECT_TRUE(host.stop("--pause").ok);
    host.run();
    EXPECT_EQ(host.state.phase, Phase::paused);
    EXPECT_FALSE(host.stop("--pause").ok);
    EXPECT_TRUE(host.resume().ok);
    host.run();
    EXPECT_EQ(host.state.phase, Phase::sealed) << to_name(phase);
    EXPECT_EQ(host.sessions_of(Role::planner) + host.sessions_of(Role::master_reviewer), 2U)
        << to_name(phase) << ": it goes on in its own session";
  }
}

MISSION_SCENARIO(Mission, StopAndResumeNameWhatIsWrong) {
  FakeHost host;
  EXPECT_TRUE(host.stop().text.find("no mission") != std::string::npos);
  EXPECT_TRUE(host.resume().text.find("no mission") != std::string::npos);
  host.task_command("build it");
  host.run_for(50);
  EXPECT_TRUE(host.stop("--wrong").text.find("--wrong") != std::string::npos);
  EXPECT_TRUE(host.resume().text.find("is running") != std::string::npos);
  EXPECT_TRUE(host.resume("m-77").text.find("m-1") != std::string::npos);
  host.run_until([&] { return host.running("T1") && !host.at("T1").session.empty(); });
  EXPECT_NE(host.resume("", host.at("T1").session).text.find("worker"), std::string::npos);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Mission, TaskBesideAnActiveMissionIsRefused) {
  FakeHost host;
  host.task_command("build it");
  const Answer refused = host.task_command("another", SessionId("other"));
  EXPECT_FALSE(refused.ok);
  for (const char* part : {"m-1", "build it", "root", "/stop", "/resume"}) {
    EXPECT_TRUE(refused.says(part)) << part;
  }
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_TRUE(host.task_command("another", SessionId("other")).ok);
  host.run();
  EXPECT_EQ(host.state.mission.value, "m-3");
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Mission, AnotherSessionAdoptsARunningMission) {
  FakeHost host;
  host.task_command("build it");
  host.run_until([&] { return host.running("T2"); });
  const std::size_t told = host.told.size();
  EXPECT_TRUE(host.resume("", SessionId("other")).ok);
  EXPECT_EQ(host.state.root_session, SessionId("other"));
  ASSERT_EQ(host.told.size(), told + 1);
  EXPECT_NE(host.told.back().find("adopted"), std::string::npos);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_NE(host.told.back().find("sealed"), std::string::npos);
  EXPECT_EQ(host.sessions_of(Role::worker), 6U) << "nothing was started over";
}

MISSION_SCENARIO(Mission, ADeletedRootSessionPausesAndAnotherSessionAdopts) {
  FakeHost host;
  host.task_command("build it");
  host.run_until([&] { return host.running("T2"); });
  host.deliver(SessionDeleted{SessionId("root")});
  EXPECT_EQ(host.state.phase, Phase::paused);
  EXPECT_TRUE(host.resume("", SessionId("other")).ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Mission, InTheBackgroundTheCommanderIsPromptedAtTheEnd) {
  FakeHost host;
  host.task_command("build it --background");
  host.run_until([&] { return !host.told.empty(); });
  EXPECT_NE(host.told[0].find("background"), std::string::npos);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  ASSERT_EQ(host.told.size(), 2U) << "not continued in between";
  EXPECT_NE(host.told[1].find("sealed"), std::string::npos);
}

MISSION_SCENARIO(Mission, ASubmissionThatArrivesDuringAPauseTakesNoSlot) {
  FakeHost host;
  host.plan = plan_of({task("T1"), task("T2")});
  host.script(Role::worker, [](Turn& turn) { turn.hang(); });
  host.task_command("build it --parallel 2");
  host.run_until([&] { return host.running("T2") && !host.at("T2").session.empty(); });
  host.stop("--pause");
  EXPECT_TRUE(host.deliver(WorkSubmitted{RequestId("x"), host.at("T1").session, {}, {}}).ok);
  EXPECT_EQ(core::slots_used(host.state), 0U);
  host.script(Role::worker, nullptr);
  host.resume();
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::worker), 2U);
}

MISSION_SCENARIO(Mission, ASubmissionWhilePausedIsAcceptedAndReviewedAfterResume) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::worker, [&](Turn& turn) {
    if (turn.number == 1) host.stop("--pause");
    turn.do_work();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::paused);
  host.resume();
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

}  // namespace
}  // namespace orchestrator::test
