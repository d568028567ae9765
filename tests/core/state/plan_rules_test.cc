// What a plan may be, and what is said of one that may not.
#include <gtest/gtest.h>

#include "codec/binary.h"
#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

/// A mission whose Planner hands in `bad` first and a good plan then; gives back the refusal.
std::string refusal_of(const PlanArgs& bad, std::uint32_t task_limit = 500) {
  FakeHost host;
  host.options.limits.tasks = task_limit;
  std::string refusal;
  host.script(Role::planner, [&](Turn& turn) {
    State before = host.state;
    const Answer first = turn.plan(bad);
    EXPECT_FALSE(first.ok);
    refusal = first.text;
    before.metrics.refusals = host.state.metrics.refusals;
    before.last_seq = host.state.last_seq;
    before.updated_at = host.state.updated_at;
    ASSERT_EQ(before.sessions.size(), host.state.sessions.size());
    for (std::size_t i = 0; i < before.sessions.size(); ++i) {
      before.sessions[i].lease.refusals = 1;
      before.sessions[i].lease.refusal = host.state.sessions[i].lease.refusal;
    }
    EXPECT_EQ(codec::encode(before), codec::encode(host.state)) << "a refusal changes nothing";
    EXPECT_TRUE(turn.plan(diamond()).ok);
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  return refusal;
}

void expect_parts(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    EXPECT_NE(text.find(part), std::string::npos) << "\"" << part << "\" is not in:\n" << text;
  }
}

TEST(Plan, AllProblemsAreListedAtOnce) {
  PlanArgs bad = plan_of({task("T1"), task("T1"), task("1x"), task("T4", {"T1", "T44"}),
                          task("T5", {"T6"}), task("T6", {"T5"}), task("T7", {}, {"../secret"}),
                          task("T8", {}, {"/etc/passwd"}), task("T9")});
  bad.verify.clear();
  bad.tasks[8].agent = "wroker";
  bad.tasks[8].title = "";
  expect_parts(
      refusal_of(bad),
      {"tasks[1].id: \"T1\" is used twice", "tasks[2].id: \"1x\" is no id",
       "tasks[3].deps[1]: no task \"T44\"; did you mean \"T4\"?", "T5 -> T6 -> T5",
       "tasks[6].files[0]: \"../secret\" is outside the project",
       "tasks[7].files[0]: \"/etc/passwd\" is outside", "tasks[8].agent: no agent \"wroker\"",
       "use one of worker", "tasks[8].title", "verify: empty", "verify_reason"});
}

TEST(Plan, AnUnknownDependencyIsRefused) {
  expect_parts(refusal_of(plan_of({task("Parser"), task("T2", {"Parsr"})})),
               {"tasks[1].deps[0]: no task \"Parsr\"; did you mean \"Parser\"?"});
}

TEST(Plan, ACycleIsPrintedAsAPath) {
  expect_parts(refusal_of(plan_of({task("A", {"C"}), task("B", {"A"}), task("C", {"B"})})),
               {"A -> C -> B -> A"});
}

TEST(Plan, ATaskThatDependsOnItselfIsACycle) {
  expect_parts(refusal_of(plan_of({task("A", {"A"})})), {"A -> A"});
}

TEST(Plan, TooManyTasksAreRefused) {
  std::vector<TaskSpec> tasks;
  for (int i = 0; i < 501; ++i) tasks.push_back(task("T" + std::to_string(i)));
  expect_parts(refusal_of(plan_of(tasks)), {"501 tasks, and the limit is 500"});
  tasks.resize(11);
  expect_parts(refusal_of(plan_of(tasks), 10), {"11 tasks, and the limit is 10"});
}

TEST(Plan, AHugeHostilePlanGetsAShortRefusal) {
  std::vector<TaskSpec> tasks;
  for (int i = 0; i < 20'000; ++i) {
    tasks.push_back(task("T" + std::to_string(i), {"T" + std::to_string(i + 1)}));
  }
  const std::string refusal = refusal_of(plan_of(tasks));
  EXPECT_LT(refusal.size(), 1000U);
  tasks.resize(1);
  tasks[0].deps.assign(5000, TaskId("nowhere"));
  EXPECT_LT(refusal_of(plan_of(tasks)).size(), 8000U);
}

TEST(Plan, NoTasksAreRefused) { expect_parts(refusal_of(plan_of({})), {"at least one"}); }

TEST(Plan, AnEmptyVerifyNeedsAReason) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.plan.verify = {"  "};
  host.plan.verify_reason = "documentation only";
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_NE(host.told.back().find("documentation only"), std::string::npos);
}

TEST(Plan, AgentNamesAreCaseInsensitive) {
  FakeHost host;
  host.agents = {"worker", "Docs-Writer"};
  host.plan = plan_of({task("T1")});
  host.plan.tasks[0].agent = "docs-writer";
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.at("T1").agent, "Docs-Writer");
  EXPECT_EQ(host.prompts_to(host.at("T1").session)[0].agent, "Docs-Writer");
}

TEST(Plan, ProblemsFoundByTheCodecAreListedToo) {
  FakeHost host;
  bool asked = false;
  host.script(Role::planner, [&](Turn& turn) {
    if (!asked) {
      asked = true;
      PlanSubmitted event{
          RequestId("x"), turn.session, plan_of({task("9")}), {"tasks[0].title: must be a string"}};
      const Answer answer = host.deliver(event);
      EXPECT_FALSE(answer.ok);
      EXPECT_TRUE(answer.says("must be a string"));
      EXPECT_TRUE(answer.says("is no id"));
    }
    turn.plan(diamond());
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

TEST(Plan, OnlyThePlannerAndTheCommanderMayPlan) {
  FakeHost host;
  int asked = 0;
  host.script(Role::worker, [&](Turn& turn) {
    if (++asked == 1) {
      EXPECT_TRUE(turn.plan(diamond()).says("only its planner"));
      EXPECT_TRUE(turn.mission_run().says("belongs to session root"));
    }
    turn.do_work();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

TEST(Plan, WhileExecutingSingleTasksAreChangedInstead) {
  FakeHost host;
  host.task_command("build it");
  host.run_until([&] { return host.running("T2"); });
  const Answer refused =
      host.deliver(PlanSubmitted{RequestId("x"), SessionId("root"), diamond(), {}});
  EXPECT_TRUE(refused.says("update_todo"));
  host.stop("--pause");
  EXPECT_TRUE(host.deliver(PlanSubmitted{RequestId("y"), SessionId("root"), diamond(), {}})
                  .says("/resume"));
}

TEST(Plan, ANewPlanReplacesTheVerifyCommandsOfTheOldOne) {
  FakeHost host;
  host.options.verify = {"lint"};
  host.script(Role::master_reviewer, [&](Turn& turn) {
    turn.run("lint");
    turn.run("tets all", 127);
    turn.run("test all");
    ReviewArgs args;
    args.verdict = Verdict::pass;
    if (!turn.review(args).ok) turn.reject("the verify command does not exist");
  });
  host.options.limits.iterations = 1;
  host.plan = plan_of({task("T1")});
  host.plan.verify = {"tets all"};
  host.script(Role::commander, [&](Turn& turn) {
    if (host.state.phase == Phase::blocked) turn.plan(plan_of({task("T2")}));
    if (is_running(host.state.phase)) turn.mission_run();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.state.plan.verify, (std::vector<std::string>{"lint", "test all"}));
  EXPECT_EQ(host.at("T1").status, TaskStatus::done) << "what is done stays";
}

}  // namespace
}  // namespace orchestrator::test
