// Tasks that Workers and the Commander delegate.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

DelegateArgs part(const std::string& title, std::vector<std::string> files = {},
                  bool background = false) {
  return {title, "Do " + title, "", std::move(files), background, {}};
}

Session& worker_of(FakeHost& host, const std::string& id) {
  return *find_session(host.state, host.at(id).session);
}

/// A mission of one task, whose Worker does as told, and its parts' Workers as ordinary ones do.
struct Whole {
  FakeHost host;

  explicit Whole(Model model, std::uint32_t parallel = 4,
                 std::vector<std::string> files = {"a/**"}) {
    host.plan = plan_of({task("T1", {}, std::move(files))});
    host.script(Role::worker, [model = std::move(model)](Turn& turn) {
      if (turn.task != TaskId("T1")) return void(turn.do_work());
      model(turn);
    });
    host.task_command("--parallel " + std::to_string(parallel) + " build it");
  }
};

MISSION_SCENARIO(Delegation, TheResultIsASummaryAndTheSubtaskIsReviewedLikeAnyTask) {
  std::string result;
  Whole whole([&](Turn& turn) {
    if (turn.text.starts_with("Task")) return void(turn.delegate(part("the half", {"a/half.cc"})));
    result = turn.text;
    turn.do_work();
  });
  whole.host.run();
  EXPECT_EQ(whole.host.state.phase, Phase::sealed);
  EXPECT_EQ(whole.host.at("T1.1").status, TaskStatus::done);
  EXPECT_EQ(whole.host.at("T1.1").parent, TaskId("T1"));
  EXPECT_EQ(whole.host.sessions_of(Role::reviewer, "T1.1"), 1U);
  EXPECT_EQ(result, "T1.1 the half is done.\nDid T1.1\nFiles: a/half.cc");
  const auto& touched = whole.host.at("T1").progress.touched;
  EXPECT_NE(std::ranges::find(touched, "a/half.cc"), touched.end()) << "its whole's change";
}

MISSION_SCENARIO(Delegation, OneSlotIsEnoughForATreeOfAnyDepth) {
  FakeHost host;
  host.options.limits.depth = 5;
  host.plan = plan_of({task("T1", {}, {"a/**"})});
  host.script(Role::worker, [](Turn& turn) {
    const bool deep = turn.task.value.size() >= std::string("T1.1.1.1.1.1").size();
    if (!deep && turn.text.starts_with("Task")) return void(turn.delegate(part("deeper")));
    turn.do_work();
  });
  host.task_command("--parallel 1 build it");
  host.run_until([&] { return host.state.tasks.size() == 6; });
  EXPECT_EQ(worker_of(host, "T1").state, SessionState::delegating);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.state.metrics.sessions_peak, 1U);
  EXPECT_EQ(host.at("T1.1.1.1.1.1").status, TaskStatus::done);
}

MISSION_SCENARIO(Delegation, ABroadTreeEndsWithTwoSlots) {
  FakeHost host;
  host.plan = plan_of({task("T1", {}, {"a/**"}), task("T2", {}, {"b/**"})});
  host.script(Role::worker, [](Turn& turn) {
    const std::string own = turn.task.value;
    const auto dots = std::ranges::count(own, '.');
    std::size_t made = 0;
    for (const Task& one : turn.host.state.tasks) made += one.parent == turn.task ? 1 : 0;
    if (dots == 2 || made == 3) return void(turn.do_work());
    turn.delegate(part("part " + std::to_string(made)));
  });
  host.task_command("--parallel 2 build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.state.tasks.size(), 2U + 6U + 18U);
  EXPECT_LE(host.state.metrics.sessions_peak, 2U);
  EXPECT_TRUE(host.state.waiters.empty());
}

MISSION_SCENARIO(Delegation, DepthAndNumberHaveLimits) {
  std::vector<Answer> answers;
  FakeHost host;
  host.options.limits.depth = 1;
  host.plan = plan_of({task("T1", {}, {"a/**"})});
  host.script(Role::worker, [&](Turn& turn) {
    if (turn.task == TaskId("T1.1") && answers.empty())
      answers.push_back(turn.delegate(part("too deep")));
    if (turn.task != TaskId("T1")) return void(turn.do_work());
    const std::size_t made = host.state.tasks.size() - 1;
    if (made < 16) return void(turn.delegate(part("one more")));
    answers.push_back(turn.delegate(part("one too many")));
    turn.do_work();
  });
  host.task_command("build it");
  host.run();
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_FALSE(answers[0].ok);
  EXPECT_TRUE(answers[0].says("limits.depth is 1")) << answers[0].text;
  EXPECT_TRUE(answers[1].says("16 tasks already")) << answers[1].text;
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Delegation, AllProblemsAreListed) {
  Answer answer;
  FakeHost host;
  host.plan = plan_of({task("T1", {}, {"a/**"}), task("T2", {}, {"b/**"})});
  host.script(Role::worker, [&](Turn& turn) {
    if (turn.task == TaskId("T2")) return turn.hang();
    if (!answer.given) answer = turn.delegate({"", " ", "nobody", {"../x", "b/c.cc"}, false, {}});
    turn.hang();
  });
  host.task_command("build it");
  host.run_until([&] { return answer.given; });
  EXPECT_FALSE(answer.ok);
  for (const char* part : {"title", "prompt", "nobody", "../x", "belongs to task T2"})
    EXPECT_TRUE(answer.says(part)) << part << " in " << answer.text;
  EXPECT_EQ(host.state.tasks.size(), 2U);
  host.stop();
}

MISSION_SCENARIO(Delegation, ASubtaskMayWriteItsParentsFilesButNotTheReverse) {
  Whole whole([](Turn& turn) {
    turn.delegate(part("one", {"a/one.cc"}, true));
    turn.delegate(part("also one", {"a/one.cc"}, true));
    turn.delegate(part("outside", {"free.cc"}, true));
    turn.hang();
  });
  FakeHost& host = whole.host;
  host.script(Role::reviewer, [](Turn& turn) { turn.hang(); });
  host.run_until([&] { return host.state.tasks.size() == 4 && !host.at("T1.1").session.empty(); });
  const SessionId mine = host.at("T1").session;
  const SessionId part_one = host.at("T1.1").session;
  EXPECT_EQ(why_not_write(host.state, part_one, "a/one.cc"), "");
  EXPECT_EQ(why_not_write(host.state, part_one, "a/other.cc"), "");
  EXPECT_NE(why_not_write(host.state, mine, "a/one.cc").find("T1.1"), std::string::npos);
  EXPECT_EQ(why_not_write(host.state, mine, "a/other.cc"), "");
  EXPECT_EQ(host.at("T1.2").status, TaskStatus::ready) << "it waits for its sibling's file";
  const auto& files = host.at("T1").files;
  EXPECT_NE(std::ranges::find(files, "free.cc"), files.end()) << "no other task may take it";
  host.stop();
}

// Found by the simulator, seed 6028190: both were at work in it in the end.
MISSION_SCENARIO(Delegation, FilesOfAFinishedSubtaskStayInItsParentsClaim) {
  FakeHost host;
  host.plan = plan_of({task("T1", {}, {"a/**"}), task("T2", {}, {"b/**"})});
  host.script(Role::worker, [](Turn& turn) {
    if (turn.task == TaskId("T1")) turn.delegate(part("one", {}, true));
    if (turn.task == TaskId("T1.1")) turn.write("new.cc");
    turn.hang();
  });
  host.task_command("build it");
  host.run_until(
      [&] { return host.state.tasks.size() == 3 && !host.at("T1.1").progress.touched.empty(); });
  host.deliver(CancelCalled{RequestId("c"), host.at("T1").session, {TaskId("T1.1"), ""}, {}});
  const SessionId other = host.at("T2").session;
  EXPECT_NE(why_not_write(host.state, other, "new.cc").find("belongs to task T1 "),
            std::string::npos);
  EXPECT_EQ(why_not_write(host.state, host.at("T1").session, "new.cc"), "");
  host.stop();
}

MISSION_SCENARIO(Delegation, AHintToAWaitingTurnMayFail) {
  Whole whole([](Turn& turn) {
    if (turn.text.starts_with("Task T1: Title of T1\n\nBuild"))
      return void(turn.delegate(part("one")));
    turn.do_work();
  });
  FakeHost& host = whole.host;
  host.run_until([&] { return host.state.tasks.size() == 2 && host.running("T1.1"); });
  const SessionId waiting = host.at("T1").session;
  for (int i = 0; i < 3; ++i) host.deliver(ToolFailed{waiting, "edit", "not found", i > 0});
  const EffectId word = worker_of(host, "T1").effect;
  ASSERT_NE(word, 0U);
  host.deliver(EffectFailed{word, "the host is busy"});
  EXPECT_EQ(worker_of(host, "T1").state, SessionState::delegating);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Delegation, InTheBackgroundAndFetchedLater) {
  std::vector<std::string> seen;
  Whole whole([&](Turn& turn) {
    seen.push_back(turn.text);
    if (turn.number == 1 && seen.size() == 1) {
      EXPECT_TRUE(turn.delegate(part("one", {}, true)).says("get_task_result"));
      WorkArgs early;
      EXPECT_TRUE(turn.work(early).says("delegated task T1.1 is"));
      return void(turn.result("T1.1"));
    }
    turn.do_work();
  });
  whole.host.run();
  EXPECT_EQ(whole.host.state.phase, Phase::sealed);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[1].find("T1.1 one is done."), 0U) << seen[1];
}

MISSION_SCENARIO(Delegation, AWorkerWaitsForAndCancelsOnlyItsOwnSubtasks) {
  FakeHost host;
  host.plan = plan_of({task("T1", {}, {"a/**"}), task("T2", {}, {"b/**"})});
  std::vector<Answer> answers;
  host.script(Role::worker, [&](Turn& turn) {
    if (turn.task != TaskId("T1")) return turn.hang();
    turn.delegate(part("one", {}, true));
    answers = {turn.result("T2"),   turn.result("T1"),  turn.result("T9"),
               turn.cancel("T2"),   turn.cancel("T9"),  turn.cancel("T1.1", "not needed"),
               turn.cancel("T1.1"), turn.result("T1.1")};
    turn.do_work();
  });
  host.task_command("build it");
  host.run_until([&] { return !answers.empty() && host.at("T1").status == TaskStatus::done; });
  EXPECT_TRUE(answers[0].ok && answers[0].says("T2 Title of T2 is running now"));
  EXPECT_TRUE(answers[1].ok && answers[1].says("it is not your subtask"));
  EXPECT_FALSE(answers[2].ok);
  EXPECT_FALSE(answers[3].ok);
  EXPECT_TRUE(answers[3].says("T2 is not your subtask"));
  EXPECT_FALSE(answers[4].ok);
  EXPECT_TRUE(answers[5].ok && answers[5].says("-> dropped")) << answers[5].text;
  EXPECT_TRUE(answers[6].ok && answers[6].says("unchanged"));
  EXPECT_TRUE(answers[7].ok && answers[7].says("is dropped. cancelled: not needed"));
  host.stop();
}

MISSION_SCENARIO(Delegation, OtherRolesMayNotDelegate) {
  FakeHost host;
  Answer reviewer;
  host.script(Role::reviewer, [&](Turn& turn) {
    if (!reviewer.given) reviewer = turn.delegate(part("mine"));
    turn.pass();
  });
  host.task_command("build it");
  host.run();
  EXPECT_FALSE(reviewer.ok);
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_FALSE(host.deliver(DelegateCalled{RequestId("x"), SessionId("y"), part("z"), {}}).ok);
}

MISSION_SCENARIO(Delegation, SubtasksOfADroppedTaskAreDropped) {
  FakeHost host;
  host.plan = plan_of({task("T1", {}, {"a/**"})});
  host.script(Role::worker, [](Turn& turn) {
    if (turn.task == TaskId("T1")) return void(turn.delegate(part("one")));
    if (turn.task == TaskId("T1.1")) turn.delegate(part("one of it", {}, true));
    turn.hang();
  });
  host.task_command("build it");
  host.run_until([&] { return host.state.tasks.size() == 3 && host.running("T1.1.1"); });
  TodoArgs drop;
  drop.id = TaskId("T1");
  drop.status = TodoStatus::dropped;
  host.deliver(TodoUpdated{RequestId("d"), SessionId("root"), drop, {}});
  for (const char* id : {"T1", "T1.1", "T1.1.1"})
    EXPECT_EQ(host.at(id).status, TaskStatus::dropped) << id;
  EXPECT_NE(host.at("T1.1.1").note.find("whose subtask it is"), std::string::npos);
  EXPECT_TRUE(host.state.waiters.empty());
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Delegation, ABlockedSubtaskEndsTheWait) {
  std::string result;
  Whole whole([&](Turn& turn) {
    if (turn.text.starts_with("Task")) return void(turn.delegate(part("hopeless")));
    if (result.empty()) result = turn.text;
    turn.cancel("T1.1", "I do it myself");
    turn.do_work();
  });
  FakeHost& host = whole.host;
  host.script(Role::reviewer, [](Turn& turn) {
    if (turn.task == TaskId("T1.1")) return void(turn.reject("it is wrong"));
    turn.pass();
  });
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(result.find("T1.1 hopeless is blocked."), 0U) << result;
}

MISSION_SCENARIO(Delegation, AfterACrashTheParentReadsTheStateOfItsSubtasks) {
  std::vector<std::string> texts;
  Whole whole([&](Turn& turn) {
    texts.push_back(turn.text);
    if (turn.text.starts_with("Task T1: Title of T1\n\nBuild"))
      return void(turn.delegate(part("one")));
    if (turn.text.find("(running)") != std::string::npos) return void(turn.result("T1.1"));
    turn.do_work();
  });
  FakeHost& host = whole.host;
  host.run_until([&] { return host.state.tasks.size() == 2 && host.running("T1.1"); });
  host.crash(HostMode::serve);
  EXPECT_TRUE(host.state.waiters.empty());
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.state.tasks.size(), 2U) << "nothing is delegated twice";
  ASSERT_GE(texts.size(), 2U);
  EXPECT_NE(texts[1].find("Delegated so far:\n- T1.1 one"), std::string::npos) << texts[1];
}

MISSION_SCENARIO(Delegation, AWaitingTurnThatIsCutOffGoesOnLater) {
  for (const int how : {0, 1, 2}) {
    int turns = 0;
    Whole whole([&](Turn& turn) {
      ++turns;
      if (turn.text.starts_with("Task T1: Title of T1\n\nBuild"))
        return void(turn.delegate(part("one")));
      turn.do_work();
    });
    FakeHost& host = whole.host;
    host.run_until([&] { return host.state.tasks.size() == 2 && host.running("T1.1"); });
    const SessionId waiting = host.at("T1").session;
    const RequestId request = host.state.waiters.front().request;
    if (how == 0) {  // a person stops it: its call is given up, and an abort's events follow
      host.deliver(CallAborted{request, waiting});
      host.deliver(SessionErrored{waiting, "MessageAbortedError", "aborted"});
      host.deliver(SessionIdled{waiting});
      host.deliver(SessionIdled{waiting});
      EXPECT_NE(worker_of(host, "T1").state, SessionState::delegating);
    } else if (how == 1) {
      host.deliver(SessionErrored{waiting, "UnknownError", "cut off"});
    } else {
      host.forget(waiting);
      host.deliver(SessionDeleted{waiting});
      EXPECT_EQ(host.at("T1.1").status, TaskStatus::running) << "its part goes on";
    }
    host.run();
    EXPECT_TRUE(host.state.waiters.empty());
    EXPECT_EQ(host.state.phase, Phase::sealed) << how;
  }
}

MISSION_SCENARIO(Delegation, TheCommanderMayAddATaskAndWaitForIt) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  std::vector<std::string> texts;
  Answer early;
  Answer planned;
  Answer waits;
  host.script(Role::worker, [](Turn& turn) {
    if (turn.task == TaskId("T1")) return turn.hang();
    turn.do_work();
  });
  host.script(Role::commander, [&](Turn& turn) {
    texts.push_back(turn.text);
    if (host.state.phase == Phase::briefing) {
      early = turn.delegate(part("before all"));
      turn.plan(host.plan);
      planned = turn.delegate(part("nothing runs yet"));
      waits = turn.result("T1");
      return void(turn.mission_run());
    }
    if (texts.size() == 2) return void(turn.delegate(part("one more", {"more.cc"})));
    if (is_running(host.state.phase)) turn.mission_run();
  });
  host.task_command("build it");
  host.run_until([&] { return host.running("T1"); });
  EXPECT_FALSE(early.ok);
  for (const Answer& answer : {early, planned}) {
    EXPECT_TRUE(answer.given && !answer.ok);
    EXPECT_TRUE(answer.says("does not run yet")) << answer.text;
  }
  EXPECT_TRUE(waits.ok && waits.says("the mission is not running")) << waits.text;
  host.say("add one more");
  host.run_until([&] { return texts.size() >= 3; });
  EXPECT_EQ(texts[2].find("D1 one more is done."), 0U) << texts[2];
  EXPECT_EQ(host.at("D1").parent, TaskId());
  host.stop();
}

MISSION_SCENARIO(Delegation, AStopOrAMessageOfTheUserEndsTheCommandersWait) {
  for (const bool stopped : {true, false}) {
    FakeHost host;
    host.plan = plan_of({task("T1")});
    std::vector<std::string> texts;
    host.script(Role::worker, [](Turn& turn) { turn.hang(); });
    host.script(Role::commander, [&](Turn& turn) {
      texts.push_back(turn.text);
      if (host.state.phase == Phase::briefing) return void(turn.mission_run());
      if (texts.size() == 2) turn.delegate(part("one more", {"more.cc"}));
    });
    host.task_command("build it");
    host.run_until([&] { return host.running("T1"); });
    host.say("add one more");
    host.run_until([&] { return host.state.waiters.size() == 1; });
    if (stopped) {
      host.stop();
    } else {
      host.say("and what now?");
    }
    host.run_for(2000);
    EXPECT_TRUE(host.state.waiters.empty());
    EXPECT_GE(texts.size(), 3U);
    if (!stopped) host.stop();
  }
}

MISSION_SCENARIO(Delegation, APauseEndsTheWaitAndResumeGoesOn) {
  Whole whole([](Turn& turn) {
    if (turn.text.starts_with("Task T1: Title of T1\n\nBuild"))
      return void(turn.delegate(part("one")));
    if (turn.text.find("(running)") != std::string::npos) return void(turn.result("T1.1"));
    turn.do_work();
  });
  FakeHost& host = whole.host;
  host.run_until([&] { return host.state.tasks.size() == 2 && host.running("T1.1"); });
  const SessionId waiting = host.at("T1").session;
  host.stop("--pause");
  EXPECT_EQ(std::ranges::count(host.aborted, waiting), 1);
  EXPECT_TRUE(host.state.waiters.empty());
  host.run();
  host.resume();
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

// Found by Chaos, seed 33: reviews waited for a Worker that waited for a review.
MISSION_SCENARIO(Delegation, AReviewThatWaitsForWorkersIgnoresAWorkerThatWaitsForIt) {
  FakeHost host;
  host.options.review.shadow = ShadowReview::off;
  host.plan = plan_of({task("T1", {}, {"a/**"})});
  host.script(Role::worker, [](Turn& turn) {
    if (turn.text.starts_with("Task T1: Title of T1\n\nBuild"))
      return void(turn.delegate(part("one")));
    turn.do_work();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Delegation, ASpentBudgetPausesAParentThatWaitsForItsSubtask) {
  FakeHost host;
  host.plan = plan_of({task("T1", {}, {"a/**"})});
  host.script(Role::worker, [](Turn& turn) {
    if (turn.task == TaskId("T1") && turn.text.starts_with("Task"))
      return void(turn.delegate(part("one")));
    turn.do_work();
  });
  host.cost = [](const FakeHost::Asked&) { return std::uint64_t{12'000}; };
  host.task_command("--budget 80ktok build it");
  host.run();
  EXPECT_TRUE(host.state.phase == Phase::paused || host.state.phase == Phase::sealed)
      << to_name(host.state.phase);
  EXPECT_EQ(host.state.budget.spent, host.state.phase == Phase::paused);
}

}  // namespace
}  // namespace orchestrator::test
