#include <gtest/gtest.h>

#include <algorithm>

#include "core/support/fake_host.h"
#include "core/worktrees/worktrees.h"

/// Worktrees that are opened before there is a task for them: while the Planner of an
/// `/extreme-mission` thinks, and while a race waits for other tasks.
namespace orchestrator::test {
namespace {

TaskSpec race_of(const std::string& id, std::size_t strategies,
                 const std::vector<std::string>& deps = {}) {
  TaskSpec spec = task(id, deps);
  for (std::size_t i = 0; i < strategies; ++i) spec.race.push_back("way " + std::to_string(i));
  return spec;
}

/// An extreme mission with a Planner who thinks longer than the host needs for its worktrees.
void begin_extreme(FakeHost& host, PlanArgs plan) {
  host.extreme = true;
  host.plan = std::move(plan);
  host.think_ms = 1'000;
  ASSERT_TRUE(host.task_command("Build it").ok);
}

std::vector<std::string> directories_of(const FakeHost& host, Role role) {
  std::vector<std::string> all;
  for (const CreateSession& made : host.creations) {
    if (made.role == role) all.push_back(made.directory);
  }
  std::ranges::sort(all);
  return all;
}

std::size_t adds(const FakeHost& host) {
  return static_cast<std::size_t>(
      std::ranges::count(host.git_calls, TreeCall::add, &AskWorktrees::call));
}

void expect_nothing_left(const FakeHost& host) {
  EXPECT_TRUE(host.trees.empty()) << host.trees.begin()->first << " still stands";
  EXPECT_TRUE(host.state.worktrees.trees.empty());
  EXPECT_EQ(host.git_calls.back().call, TreeCall::remove);
  EXPECT_EQ(host.git_calls.back().name, "") << "its commits are kept";
}

bool all_opened(const FakeHost& host, std::size_t count) {
  const auto& trees = host.state.worktrees.trees;
  return static_cast<std::size_t>(std::ranges::count(trees, true, &Worktree::opened)) == count;
}

MISSION_SCENARIO(WarmPool, EntrantsUseTheWorktreesOpenedDuringPlanning) {
  FakeHost host;
  begin_extreme(host, plan_of({race_of("T1", 3)}));
  host.run_until([&] { return all_opened(host, 3); });
  EXPECT_TRUE(host.state.tasks.empty()) << "there is no plan yet";
  std::vector<std::string> opened = host.opened;
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  std::ranges::sort(opened);
  EXPECT_EQ(directories_of(host, Role::worker), opened);
  EXPECT_EQ(host.opened.size(), 3U) << "once each";
  EXPECT_EQ(adds(host), 3U) << "no file has changed since";
  EXPECT_EQ(host.disposed.size(), 3U);
  expect_nothing_left(host);
}

MISSION_SCENARIO(WarmPool, TheHostOpensThemOneAfterTheOther) {
  FakeHost host;
  begin_extreme(host, plan_of({race_of("T1", 3)}));
  host.run_until([&] {
    const auto opening =
        std::ranges::count(host.state.worktrees.trees, TreeState::opening, &Worktree::state);
    EXPECT_LE(opening, 1);
    return all_opened(host, 3);
  });
}

MISSION_SCENARIO(WarmPool, TheyAreRemovedWhenThePlanHasNoRace) {
  FakeHost host;
  begin_extreme(host, plan_of({task("T1"), task("T2")}));
  host.script(Role::worker, [&](Turn& turn) {
    EXPECT_TRUE(host.trees.empty() || host.disposed.size() < 3) << "they are needed no more";
    turn.do_work();
  });
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_EQ(host.disposed.size(), 3U);
  EXPECT_EQ(directories_of(host, Role::worker), (std::vector<std::string>{"", ""}));
  EXPECT_EQ(status_text(host.state).find("Isolation"), std::string::npos);
  expect_nothing_left(host);
}

MISSION_SCENARIO(WarmPool, WithWorktreesForAllTasksEveryTaskMayTakeOne) {
  FakeHost host;
  host.options.isolation = Isolation::worktree;
  begin_extreme(host, plan_of({task("T1"), task("T2")}));
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_EQ(adds(host), 3U);
  for (const std::string& directory : directories_of(host, Role::worker))
    EXPECT_NE(std::ranges::find(host.opened, directory), host.opened.end()) << directory;
  expect_nothing_left(host);
}

MISSION_SCENARIO(WarmPool, ALargerRaceMakesTheMissingOnes) {
  FakeHost host;
  begin_extreme(host, plan_of({race_of("T1", 5)}));
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_EQ(adds(host), 5U);
  EXPECT_EQ(host.opened.size(), 3U) << "the others are opened by those who work there";
  expect_nothing_left(host);
}

MISSION_SCENARIO(WarmPool, ASmallerRaceRemovesTheSurplus) {
  FakeHost host;
  begin_extreme(host, plan_of({race_of("T1", 2)}));
  host.script(Role::worker, [&](Turn& turn) {
    if (host.disposed.empty()) return turn.hang();  // until the third is gone
    turn.do_work();
  });
  host.run_until([&] { return host.disposed.size() == 1 && host.trees.size() == 2; });
}

/// Runs a race whose worktrees were opened before a person changed a file, which each entrant must
/// see.
void race_after_a_change(FakeHost& host) {
  begin_extreme(host, plan_of({race_of("T1", 3)}));
  host.run_until([&] { return all_opened(host, 3); });
  host.touch("late.cc");
  std::size_t seen = 0;
  host.script(Role::worker, [&](Turn& turn) {
    seen += host.files_of(turn.session).contains("late.cc") ? 1 : 0;
    turn.do_work();
  });
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_EQ(seen, 3U);
  expect_nothing_left(host);
}

MISSION_SCENARIO(WarmPool, TheyAreMovedToTheNewestFilesBeforeUse) {
  FakeHost host;
  race_after_a_change(host);
  EXPECT_EQ(adds(host), 6U) << "each was brought to the newer commit";
  EXPECT_EQ(host.opened.size(), 3U);
}

MISSION_SCENARIO(WarmPool, TheyAreOpenedWhileARaceWaitsForItsDependencies) {
  FakeHost host;
  host.plan = plan_of({task("T1"), race_of("T2", 3, {"T1"})});
  host.think_ms = 1'000;
  host.answers_per_turn = 3;
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run_until([&] { return host.running("T1"); });
  EXPECT_TRUE(host.opened.empty()) << "the mission did not know of a race yet";
  host.run_until([&] { return all_opened(host, 3); });
  EXPECT_NE(host.at("T1").status, TaskStatus::done);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_EQ(host.opened.size(), 3U);
  for (const CreateSession& made : host.creations) {
    const bool of_run = made.role == Role::worker && made.task.value.starts_with("T2.");
    EXPECT_EQ(of_run, std::ranges::find(host.opened, made.directory) != host.opened.end() &&
                          made.role == Role::worker);
  }
  expect_nothing_left(host);
}

MISSION_SCENARIO(WarmPool, ARaceThatCanBeginAtOnceDoesNotWaitForThem) {
  FakeHost host;
  host.plan = plan_of({race_of("T1", 3)});
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_TRUE(host.opened.empty());
}

MISSION_SCENARIO(WarmPool, AFailedOpeningIsLeftToTheFirstSessionThere) {
  FakeHost host;
  host.open_fails = [] { return true; };
  begin_extreme(host, plan_of({race_of("T1", 3)}));
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_EQ(host.opened.size(), 3U) << "each is tried once";
  EXPECT_EQ(adds(host), 3U);
  expect_nothing_left(host);
}

MISSION_SCENARIO(WarmPool, APluginThatDoesNotKnowOpenDirectoryStillSeals) {
  FakeHost host;
  host.refused = [](const Effect& effect) {
    return std::string(std::holds_alternative<OpenDirectory>(effect) ? "unknown" : "");
  };
  begin_extreme(host, plan_of({race_of("T1", 3)}));
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  expect_nothing_left(host);
}

MISSION_SCENARIO(WarmPool, OneThatCannotBeMovedToTheNewestFilesIsReplaced) {
  FakeHost host;
  host.git_fails = [&host](const AskWorktrees& call) -> std::string {
    const auto tree = host.trees.find(call.mission.value + "." + call.name);
    const bool moves = call.call == TreeCall::add && call.name.starts_with("spare") &&
                       tree != host.trees.end() && tree->second.base != call.from;
    return moves ? "it has changes." : "";
  };
  race_after_a_change(host);
  const auto is_spares = [](const std::string& path) {
    return path.starts_with("/trees/m-1.spare");
  };
  EXPECT_EQ(std::ranges::count_if(host.disposed, is_spares), 3) << "the host has let go of them";
}

MISSION_SCENARIO(WarmPool, AStopDuringACallToGitLeavesNoWorktree) {
  for (const TreeCall asked : {TreeCall::check, TreeCall::snapshot, TreeCall::add}) {
    FakeHost host;
    begin_extreme(host, plan_of({race_of("T1", 3)}));
    host.run_until([&] { return host.git_calls.back().call == asked; });
    host.stop();
    EXPECT_TRUE(core::leaves_worktrees(host.state));
    host.run();
    EXPECT_EQ(host.state.phase, Phase::cancelled);
    EXPECT_FALSE(core::leaves_worktrees(host.state));
    EXPECT_TRUE(host.trees.empty());
  }
}

/// Git that does not do one of its calls, as long as there is no plan.
void fail_before_the_plan(FakeHost& host, TreeCall failing) {
  host.git_fails = [&host, failing](const AskWorktrees& call) -> std::string {
    return call.call == failing && host.state.tasks.empty() ? "not now." : "";
  };
}

MISSION_SCENARIO(WarmPool, AFailureToMakeThemIsNotReportedAndTheRaceStillRuns) {
  for (const TreeCall failing : {TreeCall::check, TreeCall::snapshot, TreeCall::add}) {
    FakeHost host;
    fail_before_the_plan(host, failing);
    begin_extreme(host, plan_of({race_of("T1", 3)}));
    host.run();
    EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
    EXPECT_TRUE(host.opened.empty());
    EXPECT_EQ(host.sessions_of(Role::worker), 3U) << "it is raced all the same";
    for (const ShowToast& toast : host.toasts)
      EXPECT_EQ(toast.text.find("not now"), std::string::npos) << toast.text;
    expect_nothing_left(host);
  }
}

MISSION_SCENARIO(WarmPool, AStopDuringAnOpeningLeavesNoWorktree) {
  for (const std::size_t opened : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
    FakeHost host;
    begin_extreme(host, plan_of({race_of("T1", 3)}));
    host.run_until([&] { return host.opened.size() == opened + 1; });
    host.stop();
    host.run();
    EXPECT_EQ(host.state.phase, Phase::cancelled);
    expect_nothing_left(host);
  }
}

MISSION_SCENARIO(WarmPool, APauseKeepsThem) {
  FakeHost host;
  begin_extreme(host, plan_of({race_of("T1", 3)}));
  host.run_until([&] { return all_opened(host, 3); });
  host.stop("--pause");
  host.run_for(10'000);
  EXPECT_EQ(host.trees.size(), 3U);
  host.resume();
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_EQ(host.opened.size(), 3U);
  expect_nothing_left(host);
}

MISSION_SCENARIO(WarmPool, ACrashAtAnyMomentLosesNothing) {
  for (const bool extreme : {true, false}) {
    const auto begin = [&](FakeHost& host) {
      host.extreme = extreme;
      host.plan =
          extreme ? plan_of({race_of("T1", 3)}) : plan_of({task("T0"), race_of("T1", 2, {"T0"})});
      ASSERT_TRUE(host.task_command("Build it").ok);
    };
    crash_after_events(1, begin, [](FakeHost& host) {
      EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
      EXPECT_TRUE(host.trees.empty());
      EXPECT_TRUE(host.project().contains("src/T1.cc"));
    });
  }
}

}  // namespace
}  // namespace orchestrator::test
