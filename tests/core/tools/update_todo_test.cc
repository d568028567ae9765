// update_todo: the Commander's changes of single tasks.
#include <gtest/gtest.h>

#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

TodoArgs set(const std::string& id, TodoStatus status) {
  TodoArgs args;
  args.id = TaskId(id);
  args.status = status;
  return args;
}

TodoArgs add(TaskSpec spec) {
  TodoArgs args;
  args.add = std::move(spec);
  return args;
}

/// The Commander calls it while its mission_run waits, as a second call of the same message would.
Answer todo(FakeHost& host, TodoArgs args) {
  static int n = 0;
  return host.deliver(
      TodoUpdated{RequestId("todo" + std::to_string(++n)), SessionId("root"), std::move(args), {}});
}

/// A mission of `plan` whose Workers hang until they are told otherwise; T1 runs.
struct Stage {
  FakeHost host;
  explicit Stage(PlanArgs plan, const std::string& flags = "") {
    host.plan = std::move(plan);
    host.script(Role::worker, [](Turn& turn) { turn.hang(); });
    host.task_command(flags + " build it");
    host.run_until(
        [&] { return !host.started.empty() && !host.at(host.started[0].value).session.empty(); });
    host.run_for(500);
  }
  void finish(Phase phase = Phase::sealed) {
    host.script(Role::worker, nullptr);
    host.run();
    EXPECT_EQ(host.state.phase, phase);
  }
};

MISSION_SCENARIO(UpdateTodo, TheReplyIsOneLineAboutTheChange) {
  Stage stage(diamond());
  EXPECT_EQ(todo(stage.host, set("T3", TodoStatus::dropped)).text,
            "T3 pending -> dropped (0/6 done)");
  EXPECT_EQ(todo(stage.host, set("T3", TodoStatus::dropped)).text, "T3 unchanged (0/6 done)");
  EXPECT_EQ(todo(stage.host, set("T2", TodoStatus::pending)).text, "T2 unchanged (0/6 done)");
  EXPECT_EQ(todo(stage.host, set("T2", TodoStatus::blocked)).text,
            "T2 pending -> blocked (0/6 done)");
  EXPECT_EQ(todo(stage.host, set("T2", TodoStatus::retry)).text,
            "T2 blocked -> pending (0/6 done)");
  EXPECT_EQ(todo(stage.host, set("T3", TodoStatus::pending)).text,
            "T3 dropped -> pending (0/6 done)");
  TodoArgs title;
  title.id = TaskId("T4");
  title.title = " Another title ";
  EXPECT_EQ(todo(stage.host, title).text, "T4 changed (0/6 done)");
  EXPECT_EQ(stage.host.at("T4").title, "Another title");
  stage.finish();
}

MISSION_SCENARIO(UpdateTodo, RefusalsSayWhatToDo) {
  Stage stage(diamond());
  EXPECT_TRUE(
      todo(stage.host, set("T33", TodoStatus::dropped)).says("no task \"T33\". Nearest: T3"));
  EXPECT_TRUE(todo(stage.host, set("T2", TodoStatus::done)).says("let it be reviewed, or drop it"));
  EXPECT_TRUE(todo(stage.host, set("T1", TodoStatus::retry)).says("running already"));
  EXPECT_TRUE(todo(stage.host, {}).says("name a task"));
  EXPECT_TRUE(todo(stage.host, add(task("T2", {"T77"}))).says("used twice"));
  TodoArgs two_lines;
  two_lines.id = TaskId("T2");
  two_lines.title = "a\nb";
  EXPECT_TRUE(todo(stage.host, two_lines).says("title: one line"));
  const Answer stranger = stage.host.deliver(
      TodoUpdated{RequestId("x"), stage.host.at("T1").session, set("T2", TodoStatus::dropped), {}});
  EXPECT_TRUE(stranger.says("only its commander"));
  todo(stage.host, set("T3", TodoStatus::dropped));
  EXPECT_TRUE(todo(stage.host, set("T3", TodoStatus::blocked)).says("retry it first"));
  EXPECT_TRUE(
      todo(stage.host, set("T3", TodoStatus::done)).says("retry it, and it is reviewed again"));
  stage.finish();
  EXPECT_TRUE(todo(stage.host, set("T2", TodoStatus::dropped)).says("no mission is active"));
}

MISSION_SCENARIO(UpdateTodo, ADoneTaskStaysDone) {
  FakeHost host;
  host.task_command("build it");
  host.run_until([&] { return host.running("T2"); });
  EXPECT_TRUE(todo(host, set("T1", TodoStatus::retry)).says("is done"));
  EXPECT_EQ(todo(host, set("T1", TodoStatus::done)).text, "T1 unchanged (1/6 done)");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(UpdateTodo, DroppingATaskInAnyStateEndsItsSessions) {
  const std::vector<TaskStatus> states = {TaskStatus::pending,   TaskStatus::ready,
                                          TaskStatus::running,   TaskStatus::submitted,
                                          TaskStatus::reviewing, TaskStatus::rework};
  for (const TodoStatus to : {TodoStatus::dropped, TodoStatus::blocked}) {
    for (const TaskStatus from : states) {
      FakeHost host;
      host.plan = plan_of({task("T1"), task("T2"), task("T3", {"T2"})});
      int reviews = 0;
      host.script(Role::reviewer,
                  [&](Turn& turn) { ++reviews == 1 ? turn.reject("red") : turn.pass(); });
      // With one slot every state but `submitted` lasts until a turn has ended.
      if (from == TaskStatus::submitted) host.options.review.shadow = ShadowReview::off;
      host.task_command("--parallel 1 build it");
      std::string id;
      host.run_until([&] {
        for (const Task& each : host.state.tasks) {
          if (each.status == from) id = each.id.value;
        }
        return !id.empty();
      });
      EXPECT_TRUE(todo(host, set(id, to)).ok) << to_name(from);
      for (const Session& session : host.state.sessions) {
        EXPECT_TRUE(session.task.value != id || session.state == SessionState::ended);
      }
      host.run();
      if (to == TodoStatus::dropped) {
        EXPECT_EQ(host.state.phase, Phase::sealed) << to_name(from);
      } else {
        EXPECT_EQ(host.state.phase, Phase::blocked) << to_name(from);
        EXPECT_TRUE(todo(host, set(id, TodoStatus::dropped)).ok);
        host.run();
        EXPECT_EQ(host.state.phase, Phase::sealed) << to_name(from);
      }
    }
  }
}

MISSION_SCENARIO(UpdateTodo, ADroppedDependencyPutBackHoldsItsDependentsAgain) {
  Stage stage(plan_of({task("T1"), task("T2", {"T3"}), task("T3", {"T1"})}), "--parallel 1");
  todo(stage.host, set("T3", TodoStatus::dropped));
  EXPECT_EQ(stage.host.at("T2").status, TaskStatus::ready);
  todo(stage.host, set("T3", TodoStatus::retry));
  EXPECT_EQ(stage.host.at("T2").status, TaskStatus::pending);
  stage.finish();
  EXPECT_EQ(stage.host.finished.back(), TaskId("T2"));
}

MISSION_SCENARIO(UpdateTodo, ABlockedMissionGoesOnAfterRetryAndAfterDropped) {
  for (const TodoStatus status : {TodoStatus::retry, TodoStatus::dropped}) {
    FakeHost host;
    host.plan = plan_of({task("T1"), task("T2", {"T1"})});
    bool good = false;
    host.script(Role::worker, [&](Turn& turn) {
      if (good || turn.task.value != "T1") turn.do_work();
    });
    host.script(Role::commander, [&](Turn& turn) {
      if (host.state.phase == Phase::blocked) {
        good = true;
        EXPECT_TRUE(turn.todo(set("T1", status)).ok);
      }
      if (is_running(host.state.phase)) turn.mission_run();
    });
    host.task_command("build it");
    host.run();
    EXPECT_EQ(host.state.phase, Phase::sealed);
    EXPECT_EQ(host.at("T2").status, TaskStatus::done);
  }
}

MISSION_SCENARIO(UpdateTodo, UnblockingByModelsIsLimited) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::worker, [](Turn&) {});
  int n = 0;
  int refusals = 0;
  host.script(Role::commander, [&](Turn& turn) {
    if (host.state.phase == Phase::blocked && n < 50) {
      const Answer answer = turn.todo(add(task("N" + std::to_string(++n))));
      if (!answer.ok) {
        EXPECT_TRUE(answer.says("without the user"));
        ++refusals;
        return;
      }
      turn.todo(set("T1", TodoStatus::dropped));
    }
    if (is_running(host.state.phase)) turn.mission_run();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked);
  EXPECT_EQ(refusals, 1);
  EXPECT_LT(n, 10);
  host.say("try once more");
  host.run();
  EXPECT_GT(refusals, 1) << "a person's word gives it back, and it is spent again";
}

MISSION_SCENARIO(UpdateTodo, RetriesOfOneTaskAreBounded) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.options.limits.iterations = 100;
  host.script(Role::worker, [](Turn&) {});
  int refusals = 0;
  host.script(Role::commander, [&](Turn& turn) {
    if (host.state.phase == Phase::blocked && !turn.todo(set("T1", TodoStatus::retry)).ok) {
      ++refusals;
      return;
    }
    if (is_running(host.state.phase)) turn.mission_run();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked);
  EXPECT_EQ(refusals, 1);
  EXPECT_EQ(host.sessions_of(Role::worker), 12U);
}

MISSION_SCENARIO(UpdateTodo, ATaskAddedDuringTheMasterReviewIsDoneBeforeTheSeal) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  bool added = false;
  host.script(Role::master_reviewer, [&](Turn& turn) {
    if (!added) {
      added = true;
      EXPECT_EQ(todo(host, add(task("T2"))).text, "T2 added (1/2 done)");
      EXPECT_FALSE(turn.pass().ok) << "this review is over";
      return;
    }
    turn.pass();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.at("T2").status, TaskStatus::done);
  EXPECT_EQ(host.state.iteration, 1U);
}

MISSION_SCENARIO(UpdateTodo, ATaskAddedAfterTheIterationsRanOutGoesOn) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.options.limits.iterations = 1;
  bool good = false;
  host.script(Role::master_reviewer, [&](Turn& turn) { good ? turn.pass() : turn.reject("bad"); });
  host.script(Role::commander, [&](Turn& turn) {
    if (host.state.phase == Phase::blocked) {
      good = true;
      EXPECT_TRUE(turn.todo(add(task("T2"))).ok);
    }
    if (is_running(host.state.phase)) turn.mission_run();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

}  // namespace
}  // namespace orchestrator::test
