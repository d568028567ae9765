#include <gtest/gtest.h>

#include <algorithm>

#include "core/support/fake_host.h"

/// Races: the strategies of one task run side by side, and the first that is accepted wins.
namespace orchestrator::test {
namespace {

TaskSpec raced(const std::string& id, std::vector<std::string> strategies) {
  TaskSpec spec = task(id);
  spec.race = std::move(strategies);
  return spec;
}

/// T1 by three strategies, T2 upon it.
PlanArgs race_of_three() {
  return plan_of({raced("T1", {"careful", "fast", "clever"}), task("T2", {"T1"})});
}

/// T1 in a.cc, and T2 by two strategies in b.cc.
PlanArgs one_beside_a_race() {
  TaskSpec second = raced("T2", {"x", "y"});
  second.files = {"b.cc"};
  return plan_of({task("T1", {}, {"a.cc"}), second});
}

const std::string& strategy_of(const Turn& turn) {
  return turn.host.at(turn.task.value).race.strategy;
}

/// Only the Worker with this strategy comes to an end.
void only(FakeHost& host, const std::string& strategy) {
  host.script(Role::worker, [strategy](Turn& turn) {
    const std::string& own = strategy_of(turn);
    if (!own.empty() && own != strategy) return turn.hang();
    turn.do_work();
  });
}

void expect_race_won(const FakeHost& host, const std::string& winner) {
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_TRUE(host.trees.empty()) << host.trees.begin()->first << " still stands";
  EXPECT_EQ(host.git_calls.back().call, TreeCall::remove);
  EXPECT_EQ(host.at("T1").status, TaskStatus::done);
  for (const Task& run : host.state.tasks) {
    if (run.race.strategy.empty()) continue;
    EXPECT_EQ(run.status, run.id.value == winner ? TaskStatus::done : TaskStatus::dropped)
        << run.id.value;
  }
  EXPECT_TRUE(host.project().contains("src/T1.cc"));
}

MISSION_SCENARIO(Race, TheFirstAcceptedEntrantWins) {
  FakeHost host;
  host.plan = race_of_three();
  only(host, "fast");
  host.answers_per_turn = 2;
  host.cost = [](const FakeHost::Asked&) { return 1'000; };
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  expect_race_won(host, "T1.2");
  EXPECT_EQ(host.state.tasks.size(), 5U);
  EXPECT_EQ(host.together, 4U) << "all three, and what they run for";
  // The card of each entrant.
  const auto cards = host.prompts_that_begin("Task T1: " + host.at("T1").title + "\n");
  std::vector<std::string> told;
  for (const PromptSession& card : cards) {
    if (card.agent == "worker") told.push_back(card.text);
  }
  ASSERT_EQ(told.size(), 3U);
  for (const char* strategy : {"careful", "fast", "clever"}) {
    EXPECT_EQ(std::ranges::count_if(told,
                                    [&](const std::string& text) {
                                      return text.find(std::string("Your strategy:\n") + strategy +
                                                       "\n") != std::string::npos;
                                    }),
              1)
        << strategy;
  }
  // The others are aborted, and what they have cost counts.
  EXPECT_EQ(host.aborted.size(), 2U);
  std::uint64_t tokens = 0;
  for (const Task& task : host.state.tasks) tokens += task.tokens;
  for (const char* id : {"T1.1", "T1.3"}) EXPECT_GT(host.at(id).tokens, 0U) << id;
  EXPECT_LE(tokens, host.state.budget.tokens);
  // The raced task has the winner's result and proofs.
  const Task& task = host.at("T1");
  EXPECT_EQ(task.note, "T1.2 (fast) has won");
  EXPECT_EQ(task.review.proved_by, task.spec.verify);
  EXPECT_EQ(task.progress.touched, std::vector<std::string>{"src/T1.cc"});
  EXPECT_EQ(task.session, host.at("T1.2").session);
  EXPECT_EQ(host.at("T1.1").note, "T1.2 (fast) was accepted first");
  // In an ordinary mission only they have worktrees, and what waits begins upon what has won.
  for (const CreateSession& made : host.creations) {
    const bool runs = made.task.value.starts_with("T1.");
    EXPECT_EQ(!made.directory.empty(), runs) << made.task.value;
  }
  EXPECT_EQ(host.finished.back(), TaskId("T2"));
  EXPECT_EQ(std::ranges::count(host.git_calls, TreeCall::apply, &AskWorktrees::call), 1);
}

MISSION_SCENARIO(Race, WorksWithWorktreesForAllTasks) {
  FakeHost host;
  host.options.isolation = Isolation::worktree;
  host.plan = race_of_three();
  only(host, "clever");
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  expect_race_won(host, "T1.3");
  EXPECT_TRUE(host.project().contains("src/T2.cc"));
  EXPECT_EQ(std::ranges::count(host.git_calls, TreeCall::add, &AskWorktrees::call), 4)
      << "none for the task that is raced";
}

MISSION_SCENARIO(Race, ATieIsDecidedByPlanOrder) {
  std::string winner;
  for (int i = 0; i < 3; ++i) {
    FakeHost host;
    host.plan = race_of_three();
    ASSERT_TRUE(host.task_command("Build it").ok);
    host.run();  // all of them hand in, and are reviewed, in the same moment
    expect_race_won(host, "T1.1");
  }
}

MISSION_SCENARIO(Race, WithFewSlotsEntrantsRunOneAfterTheOther) {
  FakeHost host;
  host.plan = race_of_three();
  host.script(Role::reviewer,
              [](Turn& turn) { strategy_of(turn) == "careful" ? turn.reject("no") : turn.pass(); });
  host.options.limits.attempts = 1;
  ASSERT_TRUE(host.task_command("Build it --parallel 1").ok);
  host.run();
  expect_race_won(host, "T1.2");
  EXPECT_EQ(host.sessions_of(Role::worker, "T1.3"), 0U);
}

MISSION_SCENARIO(Race, WithoutWorktreesOneWorkerGetsAllStrategies) {
  FakeHost host;
  host.plan = race_of_three();
  host.git_fails = [](const AskWorktrees&) { return "this is no git repository."; };
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.state.tasks.size(), 2U);
  const auto cards = host.prompts_that_begin("Task T1:");
  ASSERT_FALSE(cards.empty());
  EXPECT_NE(cards[0].text.find("in the order to try them:\n- careful\n- fast\n- clever\n"),
            std::string::npos)
      << cards[0].text;
  EXPECT_TRUE(std::ranges::any_of(host.toasts, [](const ShowToast& toast) {
    return toast.text.find("No task is raced") != std::string::npos;
  }));
  EXPECT_NE(host.told.back().find("Races: none, since there are no worktrees: this is no git"),
            std::string::npos)
      << host.told.back();
}

MISSION_SCENARIO(Race, IfEveryEntrantFailsTheTaskIsBlocked) {
  FakeHost host;
  host.plan = race_of_three();
  host.options.limits.attempts = 1;
  host.script(Role::reviewer, [](Turn& turn) { turn.reject("it is red"); });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked);
  EXPECT_EQ(host.at("T1").status, TaskStatus::blocked);
  EXPECT_NE(
      host.at("T1").note.find("none of its strategies was accepted: T1.1 (careful) is blocked"),
      std::string::npos)
      << host.at("T1").note;
  // Once more: all of them.
  host.script(Role::reviewer, nullptr);
  Turn commander{host, host.state.root_session, Role::commander, "", TaskId{}, 1};
  TodoArgs retry;
  retry.id = TaskId("T1");
  retry.status = TodoStatus::retry;
  EXPECT_TRUE(commander.todo(retry).ok);
  host.run();
  expect_race_won(host, "T1.1");
  EXPECT_EQ(host.state.tasks.size(), 5U);
}

MISSION_SCENARIO(Race, TheOtherEntrantsGoOnWhenOneFails) {
  FakeHost host;
  host.plan = race_of_three();
  host.script(Role::worker, [](Turn& turn) {
    if (strategy_of(turn) == "careful" || strategy_of(turn) == "clever") return turn.fail();
    turn.do_work();
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  expect_race_won(host, "T1.2");
}

MISSION_SCENARIO(Race, AConflictOfTheWinnerBecomesAMergeTask) {
  FakeHost host;
  host.plan = plan_of({raced("T1", {"a", "b"})});
  host.touch("src/T1.cc");
  host.script(Role::worker, [&host](Turn& turn) {
    turn.do_work();
    if (strategy_of(turn) == "a") host.touch("src/T1.cc");  // a person's
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  expect_race_won(host, "T1.1");
  EXPECT_EQ(host.state.tasks.back().worktree.resolves_conflict_of, TaskId("T1.1"));
  EXPECT_EQ(host.state.tasks.back().id, TaskId("T1.1-merge"));
  EXPECT_EQ(host.state.tasks.back().status, TaskStatus::done);
}

MISSION_SCENARIO(Race, TheConflictOfARacedSubtaskDoesNotWaitForItsParent) {
  FakeHost host;
  host.plan = plan_of({task("T1", {}, {"part.txt"})});
  host.touch("part.txt");
  host.script(Role::worker, [&host](Turn& turn) {
    if (turn.task == TaskId("T1") && turn.text.starts_with("Task")) {
      turn.delegate({"A part", "Write part.txt", "", {"part.txt"}, false, {"a", "b"}});
      return;
    }
    turn.do_work();
    if (strategy_of(turn) == "a") host.touch("part.txt");  // a person's
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_EQ(host.at("T1.1.1-merge").status, TaskStatus::done);
}

/// T1's Worker waits for a raced part, whose winner conflicts with what a person does again and
/// again.
struct ConflictWithoutEnd {
  FakeHost host;
  bool fixed = false;

  explicit ConflictWithoutEnd(std::vector<TaskSpec> further = {}) {
    std::vector<TaskSpec> specs{task("T1", {}, {"part.txt"})};
    specs.insert(specs.end(), further.begin(), further.end());
    host.plan = plan_of(specs);
    host.touch("part.txt");
    host.script(Role::worker, [this](Turn& turn) {
      const bool begins = turn.text.starts_with("Task T1:");
      if (turn.task == TaskId("T1") && begins && find_task(host.state, TaskId("T1.1")) == nullptr) {
        turn.write("further.txt");
        turn.delegate({"A part", "Write part.txt", "", {"part.txt"}, false, {"a", "b"}});
        return;
      }
      if (turn.task == TaskId("T1") && !turn.result("T1.1").given) return;
      turn.do_work();
      if (strategy_of(turn) != "b" && !fixed) host.touch("part.txt");
    });
    host.task_command("Build it --parallel 1");
  }
};

MISSION_SCENARIO(Race, RepeatedConflictsOfARacedSubtaskBlockTheMission) {
  ConflictWithoutEnd conflict;
  FakeHost& host = conflict.host;
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked) << status_text(host.state);
  EXPECT_NE(host.state.reason.find("it conflicts with other tasks' work"), std::string::npos)
      << host.state.reason;
  conflict.fixed = true;
  host.resume();
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_EQ(host.at("T1.1").status, TaskStatus::done);
}

MISSION_SCENARIO(Race, ATaskThatWaitsForAnEndlessConflictIsPreempted) {
  ConflictWithoutEnd conflict({task("T2", {}, {"further.txt"})});
  FakeHost& host = conflict.host;
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked) << status_text(host.state);
  EXPECT_EQ(host.at("T2").status, TaskStatus::done) << "T1 had written its file";
  EXPECT_EQ(host.at("T1").progress.preemptions, 1U);
}

MISSION_SCENARIO(Race, DroppingARacedSubtaskDropsItsEntrantsAndTheirMergeTasks) {
  ConflictWithoutEnd conflict;
  FakeHost& host = conflict.host;
  host.run_until([&] { return host.running("T1.1.1-merge"); });
  Turn commander{host, host.state.root_session, Role::commander, "", TaskId{}, 1};
  TodoArgs drop;
  drop.id = TaskId("T1.1");
  drop.status = TodoStatus::dropped;
  EXPECT_TRUE(commander.todo(drop).ok);
  EXPECT_EQ(host.at("T1.1.1").status, TaskStatus::dropped);
  EXPECT_EQ(host.at("T1.1.1-merge").status, TaskStatus::dropped);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
}

MISSION_SCENARIO(Race, ARaceHoldsTheClaimOfItsTask) {
  FakeHost host;
  TaskSpec first = raced("T1", {"a", "b"});
  first.files = {"src/T1.cc"};
  host.plan = plan_of({first, task("T2", {}, {"src/**"})});
  host.script(Role::worker, [](Turn& turn) {
    if (strategy_of(turn) == "a") return turn.hang();
    turn.do_work();
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_NE(host.at("T1").started_ms, 0);
}

MISSION_SCENARIO(Race, EntrantsStartFromThePresentFiles) {
  FakeHost host;
  host.plan = plan_of({task("T0"), raced("T1", {"a", "b"})});
  host.plan.tasks[1].deps = {TaskId("T0")};
  bool seen = true;
  host.script(Role::worker, [&](Turn& turn) {
    if (!strategy_of(turn).empty())
      seen = seen && host.files_of(turn.session).contains("src/T0.cc");
    turn.do_work();
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  expect_race_won(host, "T1.1");
  EXPECT_TRUE(seen) << "T0 was done in the project itself";
}

MISSION_SCENARIO(Race, ASnapshotThatFailsIsTakenAgain) {
  for (const int failures : {2, 3}) {
    FakeHost host;
    host.plan = race_of_three();
    int asked = 0;
    host.git_fails = [&](const AskWorktrees& call) {
      const bool of_race = call.call == TreeCall::snapshot && call.task == TaskId("T1");
      return std::string(of_race && asked++ < failures ? "no space left on device" : "");
    };
    ASSERT_TRUE(host.task_command("Build it").ok);
    host.run();
    if (failures == 3) {
      EXPECT_EQ(host.state.phase, Phase::blocked);
      EXPECT_EQ(host.at("T1").note, "its race could not begin: no space left on device");
      host.resume();
      host.run();
    }
    expect_race_won(host, "T1.1");
  }
}

MISSION_SCENARIO(Race, ASubtaskCanBeRaced) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::worker, [](Turn& turn) {
    if (turn.task.value == "T1" && turn.first_line().starts_with("Task T1:")) {
      turn.write("src/T1.cc");
      turn.delegate({"A part", "Write part.txt", "", {"part.txt"}, false, {"slow", "quick"}});
    } else if (strategy_of(turn) == "slow") {
      turn.hang();
    } else {
      EXPECT_TRUE(turn.task.value == "T1" || turn.host.files_of(turn.session).contains("src/T1.cc"))
          << "what its whole has done so far";
      turn.do_work();
    }
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_EQ(host.at("T1.1").status, TaskStatus::done);
  EXPECT_EQ(host.at("T1.1").note, "T1.1.2 (quick) has won");
  EXPECT_TRUE(host.project().contains("part.txt") && host.project().contains("src/T1.cc"));
}

MISSION_SCENARIO(Race, ThereIsNoRaceInsideAWorktree) {
  FakeHost host;
  host.options.isolation = Isolation::worktree;
  host.plan = plan_of({task("T1")});
  host.script(Role::worker, [](Turn& turn) {
    if (turn.task.value == "T1" && turn.first_line().starts_with("Task T1:")) {
      turn.delegate({"A part", "Write part.txt", "", {"part.txt"}, false, {"slow", "quick"}});
    } else {
      turn.do_work();
    }
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_EQ(host.state.tasks.size(), 2U);
  EXPECT_TRUE(host.project().contains("part.txt"));
}

MISSION_SCENARIO(Race, AnEntrantMayDelegate) {
  FakeHost host;
  host.options.limits.depth = 1;
  host.plan = plan_of({raced("T1", {"a", "b"})});
  host.script(Role::worker, [](Turn& turn) {
    if (strategy_of(turn) == "b") return turn.hang();
    if (strategy_of(turn) == "a" && turn.first_line().starts_with("Task T1:")) {
      turn.delegate({"A part", "Write src/T1.cc", "", {"src/T1.cc"}, false, {}});
    } else {
      turn.do_work();
    }
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  expect_race_won(host, "T1.1");
  EXPECT_EQ(host.at("T1.1.1").status, TaskStatus::done);
}

MISSION_SCENARIO(Race, TheClaimOfAnEntrantsSubtaskGrowsOnlyItsEntrantsClaim) {
  FakeHost host;
  host.plan = plan_of({task("T1", {}, {"a.cc"})});
  host.script(Role::worker, [](Turn& turn) {
    if (turn.task == TaskId("T1") && turn.text.starts_with("Task T1:")) {
      turn.delegate({"A part", "Write b.cc", "", {"b.cc"}, false, {"x", "y"}});
    } else if (turn.task == TaskId("T1.1.1") && turn.first_line().starts_with("Task T1.1:")) {
      turn.delegate({"A part of a run", "Write c.cc", "", {"c.cc"}, false, {}});
    } else {
      turn.do_work();
    }
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  using Files = std::vector<std::string>;
  EXPECT_EQ(host.at("T1.1.1").files, (Files{"b.cc", "c.cc"}));
  EXPECT_EQ(host.at("T1.1").files, Files{"b.cc"}) << "c.cc is the run's own matter";
  EXPECT_EQ(host.at("T1").files, (Files{"a.cc", "b.cc"}));
}

/// T1's work conflicts, over a file that the race has been let in with: the task that solves it
/// waits for the race, so the race must not wait for T1.
MISSION_SCENARIO(Race, EntrantsOfARunningRaceWaitForNoTask) {
  FakeHost host;
  host.options.isolation = Isolation::worktree;
  host.plan = one_beside_a_race();
  host.touch("b.cc");
  host.script(Role::worker, [&host](Turn& turn) {
    if (turn.task == TaskId("T1")) {
      host.files_of(turn.session)["b.cc"] = 1'000;  // a command's, beyond what it claims
      host.touch("b.cc");                           // a person's
    }
    turn.do_work();
  });
  ASSERT_TRUE(host.task_command("Build it --parallel 1").ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_EQ(host.at("T1-merge").status, TaskStatus::done);
}

/// T1.1 wrote a file of the race's in T1's worktree, and was lost: it waits for the race, T1 for
/// it, and the race for a place.
MISSION_SCENARIO(Race, AWorktreeWhoseSessionsAllWaitLeavesRoomForAnother) {
  FakeHost host;
  host.options.isolation = Isolation::worktree;
  host.plan = one_beside_a_race();
  bool lost = false;
  host.script(Role::worker, [&](Turn& turn) {
    if (turn.task == TaskId("T1") && host.state.tasks.size() == 4) {
      turn.delegate({"A part", "Do it", "", {}, false, {}});
    } else if (turn.task == TaskId("T1.1") && !lost) {
      lost = true;
      turn.write("b.cc");
      host.deliver(SessionDeleted{turn.session});
      turn.hang(false);
    } else {
      turn.do_work();
    }
  });
  ASSERT_TRUE(host.task_command("Build it --parallel 1").ok);
  host.run();
  EXPECT_TRUE(lost);
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
}

MISSION_SCENARIO(Race, LateReviewsDoNotWaitForTheRace) {
  FakeHost host;
  host.options.review.shadow = ShadowReview::off;
  host.plan = plan_of({raced("T1", {"a", "b", "c"}), task("T2")});
  only(host, "b");
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  expect_race_won(host, "T1.2");
}

MISSION_SCENARIO(Race, ATaskAcceptedByAPersonEndsItsRace) {
  for (const std::string ticked : {"T1", "T1.2", ""}) {
    FakeHost host;
    host.plan = race_of_three();
    host.script(Role::worker, [](Turn& turn) {
      if (strategy_of(turn).empty()) {
        turn.do_work();
        return;
      }
      turn.write("src/T1.cc");
      turn.hang();
    });
    ASSERT_TRUE(host.task_command("Build it").ok);
    host.run_until([&] { return host.together == 4; });
    host.run_for(1'000);
    TodoEdited edit;
    for (const Task& task : host.state.tasks) {
      if (ticked.empty() && task.id.value == "T1") continue;  // its line is gone
      const TodoMark mark = task.id.value == ticked ? TodoMark::done : TodoMark::open;
      edit.lines.push_back({task.id, mark, task.title, task.agent, task.files, task.deps});
    }
    edit.before = edit.lines;
    for (TodoLine& line : edit.before) line.mark = TodoMark::open;
    if (ticked.empty()) {
      const Task& gone = host.at("T1");
      edit.before.insert(edit.before.begin(),
                         {gone.id, TodoMark::open, gone.title, gone.agent, gone.files, gone.deps});
    }
    host.deliver(edit);
    host.run();
    EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
    EXPECT_TRUE(host.trees.empty());
    EXPECT_EQ(host.at("T1").status, ticked.empty() ? TaskStatus::dropped : TaskStatus::done);
    EXPECT_EQ(host.at("T1").review.accepted_manually, !ticked.empty());
    EXPECT_EQ(host.at("T1.1").status, TaskStatus::dropped);
    EXPECT_EQ(host.at("T1.2").status, ticked == "T1.2" ? TaskStatus::done : TaskStatus::dropped);
    EXPECT_EQ(host.project().contains("src/T1.cc"), ticked == "T1.2");
  }
}

MISSION_SCENARIO(Race, BlockingARacedTaskBlocksItsEntrants) {
  FakeHost host;
  host.plan = race_of_three();
  only(host, "none");
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run_until([&] { return host.together == 4; });
  host.run_for(1'000);
  Turn commander{host, host.state.root_session, Role::commander, "", TaskId{}, 1};
  TodoArgs block;
  block.id = TaskId("T1");
  block.status = TodoStatus::blocked;
  EXPECT_TRUE(commander.todo(block).ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked);
  EXPECT_EQ(host.at("T1.1").note, "T1, whose strategy it tries, is blocked");
  host.script(Role::worker, nullptr);
  host.resume();
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
}

MISSION_SCENARIO(Race, ACrashAtAnyMomentLosesNothing) {
  for (const Isolation isolation : {Isolation::shared, Isolation::worktree}) {
    const auto begin = [&](FakeHost& host) {
      host.options.isolation = isolation;
      host.plan = race_of_three();
      ASSERT_TRUE(host.task_command("Build it").ok);
    };
    crash_after_events(2, begin, [](FakeHost& host) {
      EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
      EXPECT_EQ(host.at("T1").status, TaskStatus::done);
      EXPECT_TRUE(host.trees.empty());
      EXPECT_TRUE(host.project().contains("src/T1.cc") && host.project().contains("src/T2.cc"));
    });
  }
}

MISSION_SCENARIO(Race, ABadStrategyIsRefused) {
  FakeHost host;
  std::vector<std::string> nine;
  for (int i = 0; i < 9; ++i) nine.push_back("s" + std::to_string(i));
  std::string refusal;
  host.script(Role::planner, [&](Turn& turn) {
    const Answer bad =
        turn.plan(plan_of({raced("T1", {"a", " ", "a", "two\nlines"}), raced("T2", nine)}));
    refusal = bad.text;
    EXPECT_FALSE(bad.ok);
    turn.plan(plan_of({raced("T1", {"the only one"})}));
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  for (const char* part :
       {"tasks[0].race[1]: one line of 1 to 200 bytes is needed: how this Worker solves the task",
        "tasks[0].race[2]: \"a\" is listed twice: remove one", "tasks[0].race[3]: one line",
        "tasks[1].race: 9 strategies, and the limit is 8"}) {
    EXPECT_NE(refusal.find(part), std::string::npos) << refusal;
  }
  // A race of one is none.
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.state.tasks.size(), 1U);
  EXPECT_TRUE(host.git_calls.empty());
}

}  // namespace
}  // namespace orchestrator::test
