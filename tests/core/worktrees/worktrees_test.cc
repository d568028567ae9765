#include "core/worktrees/worktrees.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/support/fake_host.h"

/// Isolation `worktree`: what each task makes in a worktree of its own comes into the project.
namespace orchestrator::test {
namespace {

void isolate(FakeHost& host) { host.options.isolation = Isolation::worktree; }

std::size_t calls_of(const FakeHost& host, TreeCall call) {
  return static_cast<std::size_t>(std::ranges::count(host.git_calls, call, &AskWorktrees::call));
}

/// Sealed, and nothing is left behind.
void expect_sealed(const FakeHost& host) {
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_TRUE(host.trees.empty()) << host.trees.begin()->first << " still stands";
  EXPECT_TRUE(host.state.worktrees.trees.empty());
  EXPECT_EQ(host.git_calls.back().call, TreeCall::remove);
  EXPECT_EQ(host.git_calls.back().name, "") << "its commits are kept";
}

bool has_toast(const FakeHost& host, const std::string& text) {
  return std::ranges::any_of(host.toasts, [&](const ShowToast& toast) {
    return toast.text.find(text) != std::string::npos;
  });
}

MISSION_SCENARIO(Worktrees, WorkersHaveWorktreesOfTheirOwn) {
  FakeHost host;
  isolate(host);
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  expect_sealed(host);
  for (const CreateSession& made : host.creations) {
    const bool of_task = made.role == Role::worker || made.role == Role::reviewer;
    EXPECT_EQ(!made.directory.empty(), of_task) << to_name(made.role);
    if (!of_task) continue;
    EXPECT_TRUE(made.directory.starts_with("/trees/m-1." + made.task.value)) << made.directory;
  }
  for (const char* id : {"T1", "T2", "T3", "T4", "T5", "T6"}) {
    EXPECT_TRUE(host.project().contains("src/" + std::string(id) + ".cc")) << id;
  }
  EXPECT_EQ(calls_of(host, TreeCall::check), 1U);
  EXPECT_EQ(calls_of(host, TreeCall::add), 6U);
  EXPECT_EQ(calls_of(host, TreeCall::collect), 6U);
  EXPECT_EQ(calls_of(host, TreeCall::merge), 6U);
  EXPECT_EQ(calls_of(host, TreeCall::apply), 6U);
  EXPECT_EQ(host.disposed.size(), 6U);
  // What it builds on is in the worktree.
  const auto last = std::ranges::find_if(host.git_calls, [](const AskWorktrees& call) {
    return call.call == TreeCall::add && call.task.value == "T6";
  });
  const auto applied = std::ranges::find_if(host.git_calls, [](const AskWorktrees& call) {
    return call.call == TreeCall::apply && call.task.value == "T5";
  });
  EXPECT_LT(applied - host.git_calls.begin(), last - host.git_calls.begin());
}

MISSION_SCENARIO(Worktrees, WithoutGitItReportsThatAndUsesTheSharedDirectory) {
  FakeHost host;
  isolate(host);
  host.git_fails = [](const AskWorktrees&) { return "git is not there."; };
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_TRUE(has_toast(host, "git is not there."));
  EXPECT_NE(status_text(host.state).find("Isolation: shared, since there are no worktrees: git is"),
            std::string::npos)
      << status_text(host.state);
  EXPECT_NE(host.told.back().find("git is not there"), std::string::npos) << host.told.back();
  EXPECT_EQ(host.git_calls.size(), 1U);
  EXPECT_TRUE(std::ranges::all_of(
      host.creations, [](const CreateSession& made) { return made.directory.empty(); }));
}

MISSION_SCENARIO(Worktrees, AFailedSnapshotFallsBackToTheSharedDirectory) {
  FakeHost host;
  isolate(host);
  host.git_fails = [](const AskWorktrees& call) {
    return std::string(call.call == TreeCall::snapshot ? "too much is not tracked." : "");
  };
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_TRUE(has_toast(host, "too much is not tracked."));
}

/// Two tasks with files of their own, whose shells both write a third one.
void write_a_common_file(FakeHost& host) {
  host.plan = plan_of({task("T1"), task("T2")});
  host.touch("common.txt");
  host.script(Role::worker, [&host](Turn& turn) {
    host.files_of(turn.session)["common.txt"] = 1000 + static_cast<int>(host.log.size());
    turn.run("make");
    turn.do_work();
  });
}

MISSION_SCENARIO(Worktrees, AConflictBecomesATaskWithBothSidesInItsCard) {
  FakeHost host;
  isolate(host);
  write_a_common_file(host);
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  expect_sealed(host);
  ASSERT_EQ(host.state.tasks.size(), 3U);
  const Task& solved = host.state.tasks[2];
  const std::string first = solved.worktree.resolves_conflict_of.value;
  EXPECT_EQ(solved.id.value, first + "-merge");
  EXPECT_EQ(solved.title, "Merge " + first + " with what was integrated");
  EXPECT_EQ(solved.files, std::vector<std::string>{"common.txt"});
  EXPECT_EQ(solved.spec.verify, host.at(first).spec.verify);
  const auto cards = host.prompts_that_begin("Task " + solved.id.value + ":");
  ASSERT_FALSE(cards.empty());
  EXPECT_NE(cards[0].text.find("In the project (ours):\n```\n1"), std::string::npos)
      << cards[0].text;
  EXPECT_NE(cards[0].text.find("By " + first + " (theirs):\n```\n1"), std::string::npos);
  // The one whose conflict it was is done with it, not before.
  ASSERT_EQ(host.finished.size(), 3U);
  EXPECT_NE(host.finished.front(), TaskId(first));
  EXPECT_EQ(host.at(first).worktree.merge, MergeState::none);
  EXPECT_TRUE(host.project().contains("src/T1.cc") && host.project().contains("src/T2.cc"));
}

MISSION_SCENARIO(Worktrees, RepeatedConflictsBlockTheMission) {
  FakeHost host;
  isolate(host);
  host.plan = plan_of({task("T1")});
  host.touch("common.txt");
  // During each of the Worker's turns a person changes the same file.
  host.script(Role::worker, [&host](Turn& turn) {
    host.files_of(turn.session)["common.txt"] = 5000 + static_cast<int>(host.log.size());
    turn.do_work();
    host.touch("common.txt");
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked);
  EXPECT_EQ(host.state.tasks.size(), 4U);
  EXPECT_NE(host.state.reason.find("T1-merge-merge"), std::string::npos) << host.state.reason;
  EXPECT_NE(host.state.reason.find("is not in the project"), std::string::npos);
  // A person has looked at it, and keeps off the file.
  host.script(Role::worker, [](Turn& turn) { turn.do_work(); });
  host.resume();
  host.run();
  expect_sealed(host);
}

MISSION_SCENARIO(Worktrees, ADroppedMergeTaskBlocksTheTaskWithTheConflict) {
  FakeHost host;
  isolate(host);
  write_a_common_file(host);
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run_until([&] { return host.state.tasks.size() == 3; });
  const std::string first = host.state.tasks[2].worktree.resolves_conflict_of.value;
  Turn commander{host, host.state.root_session, Role::commander, "", TaskId{}, 1};
  TodoArgs drop;
  drop.id = host.state.tasks[2].id;
  drop.status = TodoStatus::dropped;
  drop.note = "no";
  EXPECT_TRUE(commander.todo(drop).ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked);
  EXPECT_EQ(host.at(first).status, TaskStatus::blocked);
  EXPECT_NE(host.at(first).note.find("is not in the project"), std::string::npos);
  // It begins once more, upon what is there by now.
  host.script(Role::worker, [](Turn& turn) { turn.do_work(); });
  host.resume();
  host.run();
  expect_sealed(host);
}

MISSION_SCENARIO(Worktrees, APersonsChangesAreMergedToo) {
  FakeHost host;
  isolate(host);
  host.plan = plan_of({task("T1")});
  host.touch("theirs.txt");
  host.script(Role::worker, [&host](Turn& turn) {
    turn.do_work();
    host.touch("theirs.txt");
    host.touch("new.txt");
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  const int before = host.project().at("theirs.txt");
  host.run();
  expect_sealed(host);
  EXPECT_NE(host.project().at("theirs.txt"), before);
  EXPECT_TRUE(host.project().contains("new.txt") && host.project().contains("src/T1.cc"));
}

MISSION_SCENARIO(Worktrees, AWriteDuringTheApplyStartsTheMergeAgain) {
  FakeHost host;
  isolate(host);
  host.plan = plan_of({task("T1")});
  int spoilt = 0;
  host.git_fails = [&](const AskWorktrees& call) {
    if (call.call == TreeCall::apply && spoilt++ == 0) host.touch("src/T1.cc");
    return std::string();
  };
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  expect_sealed(host);
  // Both have made the file: that is a conflict, and nothing is overwritten.
  ASSERT_EQ(host.state.tasks.size(), 2U);
  EXPECT_EQ(host.state.tasks[1].worktree.resolves_conflict_of, TaskId("T1"));
}

MISSION_SCENARIO(Worktrees, AFailureOfGitBlocksTheTaskWithItsMessage) {
  for (const TreeCall broken :
       {TreeCall::add, TreeCall::collect, TreeCall::merge, TreeCall::apply}) {
    FakeHost host;
    isolate(host);
    host.plan = plan_of({task("T1")});
    host.git_fails = [&](const AskWorktrees& call) {
      return std::string(call.call == broken ? "no space left on device" : "");
    };
    ASSERT_TRUE(host.task_command("Build it").ok);
    host.run();
    EXPECT_EQ(host.state.phase, Phase::blocked) << to_name(broken);
    EXPECT_NE(host.state.reason.find("no space left"), std::string::npos) << host.state.reason;
    EXPECT_EQ(calls_of(host, broken), 3U) << to_name(broken);
    host.git_fails = nullptr;
    host.resume();
    host.run();
    expect_sealed(host);
  }
}

MISSION_SCENARIO(Worktrees, ReworkStaysInItsWorktree) {
  FakeHost host;
  isolate(host);
  host.plan = plan_of({task("T1")});
  int reviews = 0;
  host.script(Role::reviewer, [&](Turn& turn) {
    if (++reviews == 1) {
      turn.reject("not yet");
    } else {
      turn.pass();
    }
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  expect_sealed(host);
  EXPECT_EQ(calls_of(host, TreeCall::add), 1U);
  EXPECT_EQ(calls_of(host, TreeCall::collect), 2U);
  EXPECT_EQ(calls_of(host, TreeCall::apply), 1U);
}

MISSION_SCENARIO(Worktrees, SubtasksWorkInTheWorktreeOfTheirParent) {
  FakeHost host;
  isolate(host);
  host.plan = plan_of({task("T1")});
  host.script(Role::worker, [](Turn& turn) {
    if (turn.task.value == "T1" && turn.first_line().starts_with("Task T1:")) {
      DelegateArgs part;
      part.title = "A part";
      part.prompt = "Write part.txt";
      part.files = {"part.txt"};
      turn.delegate(part);
    } else {
      turn.do_work();
    }
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  expect_sealed(host);
  EXPECT_EQ(calls_of(host, TreeCall::add), 1U);
  EXPECT_EQ(calls_of(host, TreeCall::merge), 1U);
  EXPECT_TRUE(host.project().contains("part.txt") && host.project().contains("src/T1.cc"));
  EXPECT_EQ(host.at("T1.1").status, TaskStatus::done);
}

MISSION_SCENARIO(Worktrees, NoMoreWorktreesThanSessions) {
  FakeHost host;
  isolate(host);
  std::vector<TaskSpec> tasks;
  for (int i = 1; i <= 12; ++i) tasks.push_back(task("T" + std::to_string(i)));
  host.plan = plan_of(tasks);
  ASSERT_TRUE(host.task_command("Build it --parallel 3").ok);
  std::size_t most = 0;
  host.git_fails = [&](const AskWorktrees&) {
    most = std::max(most, host.trees.size());
    return std::string();
  };
  host.run();
  expect_sealed(host);
  EXPECT_LE(most, 3U);
}

MISSION_SCENARIO(Worktrees, TheHostOpensOneAfterTheOther) {
  FakeHost host;
  isolate(host);
  std::vector<TaskSpec> tasks;
  for (int i = 1; i <= 6; ++i) tasks.push_back(task("T" + std::to_string(i)));
  host.plan = plan_of(tasks);
  host.options.parallel.initial = 6;
  // One never begins its turn, and is asked after: the others wait for it no longer than that.
  host.swallowed = [&](const PromptSession& prompt) {
    return prompt.text.starts_with("Task T3: ") && host.state.metrics.prompts < 12;
  };
  host.think_ms = 20'000;
  std::size_t most_opening = 0;
  std::size_t most_at_work = 0;
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run_until([&] {
    std::size_t opening = 0;
    std::size_t at_work = 0;
    for (const Session& session : host.state.sessions) {
      if (session.role != Role::worker) continue;
      const bool on_its_way = session.state == SessionState::creating ||
                              session.state == SessionState::prompting ||
                              session.state == SessionState::waiting;
      opening += on_its_way && !session.lease.began && session.attempt == 1 ? 1U : 0U;
      at_work += session.state == SessionState::working ? 1U : 0U;
    }
    most_opening = std::max(most_opening, opening);
    most_at_work = std::max(most_at_work, at_work);
    return !is_active(host.state.phase);
  });
  host.run();
  expect_sealed(host);
  EXPECT_EQ(most_opening, 1U);
  EXPECT_GT(most_at_work, 3U);
}

MISSION_SCENARIO(Worktrees, AStopRemovesAllOfThem) {
  FakeHost host;
  isolate(host);
  host.plan = plan_of({task("T1"), task("T2")});
  host.script(Role::worker, [](Turn& turn) { turn.hang(); });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run_until([&] { return host.together == 2; });
  host.run_for(1'000);
  EXPECT_EQ(host.trees.size(), 2U);
  host.stop();
  host.run();
  EXPECT_EQ(host.state.phase, Phase::cancelled);
  EXPECT_TRUE(host.trees.empty());
  EXPECT_EQ(host.disposed.size(), 2U);
}

MISSION_SCENARIO(Worktrees, ATaskAcceptedByAPersonIsMergedAsItIs) {
  FakeHost host;
  isolate(host);
  host.plan = plan_of({task("T1"), task("T2", {"T1"})});
  host.script(Role::worker, [](Turn& turn) {
    if (turn.task.value != "T1") {
      turn.do_work();
      return;
    }
    turn.write("src/T1.cc");
    turn.hang();
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run_until([&] { return host.running("T1"); });
  host.run_for(1'000);
  TodoEdited edit;
  edit.lines = {
      {TaskId("T1"), TodoMark::done, "Title of T1", "worker", {"src/T1.cc"}, {}},
      {TaskId("T2"), TodoMark::open, "Title of T2", "worker", {"src/T2.cc"}, {TaskId("T1")}}};
  host.deliver(edit);
  host.run();
  expect_sealed(host);
  EXPECT_TRUE(host.project().contains("src/T1.cc") && host.project().contains("src/T2.cc"));
}

TEST(Worktrees, OnlyWorkThatExistsAndHasNoConflictIsMergedWhenAPersonAcceptsIt) {
  FakeHost host;
  isolate(host);
  host.plan = plan_of({task("T1"), task("T2", {"T1"})});
  host.script(Role::worker, [](Turn& turn) { turn.hang(); });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run_until([&] { return host.running("T1"); });
  const auto accepted = [&](const char* id, auto change) {
    State state = host.state;
    Task& one = *find_task(state, TaskId(id));
    change(state, one);
    core::keep_work(state, one);
    return one.worktree.merge;
  };
  const auto nothing = [](State&, Task&) {};
  EXPECT_EQ(accepted("T1", nothing), MergeState::waiting) << "it has a worktree and has begun";
  EXPECT_EQ(accepted("T2", nothing), MergeState::none) << "it has not begun";
  EXPECT_EQ(accepted("T2", [](State&, Task& t) { t.worktree.commit = "abc"; }),
            MergeState::waiting);
  EXPECT_EQ(accepted("T1", [](State&, Task& t) { t.started_ms = 0; }), MergeState::none);
  EXPECT_EQ(accepted("T1", [](State& s, Task&) { s.worktrees.trees[0].directory = ""; }),
            MergeState::none);
  for (const char* commit : {"", "abc"}) {
    EXPECT_EQ(accepted("T1",
                       [&](State&, Task& t) {
                         t.worktree.commit = commit;
                         t.worktree.merge = MergeState::conflict;
                       }),
              MergeState::conflict)
        << "its commit has conflict marks";
  }
  host.stop();
}

/// Its session was lost, which has cost it no attempt, and the next one has yet to begin.
MISSION_SCENARIO(Worktrees, ATaskAcceptedByAPersonIsMergedEvenIfItsSessionWasLost) {
  FakeHost host;
  isolate(host);
  host.plan = plan_of({task("T1")});
  bool down = false;
  host.provider = [&](const SessionId&, const std::string&) {
    return std::string(down ? "socket hang up" : "");
  };
  host.script(Role::worker, [&](Turn& turn) {
    turn.write("src/T1.cc");
    down = true;
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run_until([&] { return down && host.at("T1").status == TaskStatus::ready; });
  EXPECT_EQ(host.at("T1").attempt, 0U);
  TodoEdited edit;
  edit.lines = {{TaskId("T1"), TodoMark::done, "Title of T1", "worker", {"src/T1.cc"}, {}}};
  host.deliver(edit);
  down = false;
  host.run();
  expect_sealed(host);
  EXPECT_TRUE(host.project().contains("src/T1.cc"));
}

MISSION_SCENARIO(Worktrees, ACrashAtAnyMomentLosesNothing) {
  const auto begin = [](FakeHost& host) {
    isolate(host);
    write_a_common_file(host);
    ASSERT_TRUE(host.task_command("Build it").ok);
  };
  crash_after_events(3, begin, [](FakeHost& host) {
    expect_sealed(host);
    EXPECT_TRUE(host.project().contains("src/T1.cc") && host.project().contains("src/T2.cc"));
  });
}

MISSION_SCENARIO(Worktrees, AReloadOfTheHostDoesNotStopTheMission) {
  FakeHost host;
  isolate(host);
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run_until([&] { return host.together >= 1; });
  host.run_for(50);
  host.reload();
  host.run();
  expect_sealed(host);
}

MISSION_SCENARIO(Worktrees, ANewPlanLeavesNoWorktreeBehind) {
  FakeHost host;
  isolate(host);
  host.plan = plan_of({task("T1")});
  host.script(Role::reviewer, [](Turn& turn) { turn.reject("never"); });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run();
  ASSERT_EQ(host.state.phase, Phase::blocked);
  EXPECT_EQ(host.trees.size(), 1U);
  host.script(Role::reviewer, [](Turn& turn) { turn.pass(); });
  Turn commander{host, host.state.root_session, Role::commander, "", TaskId{}, 1};
  EXPECT_TRUE(commander.plan(plan_of({task("T1", {"T2"}), task("T2")})).ok);
  bool upon = false;
  host.script(Role::worker, [&](Turn& turn) {
    upon = upon || (turn.task.value == "T1" && host.files_of(turn.session).contains("src/T2.cc"));
    turn.do_work();
  });
  host.run();
  expect_sealed(host);
  EXPECT_TRUE(upon) << "T1 of the new plan began where the old one's Worker had worked";
}

}  // namespace
}  // namespace orchestrator::test
