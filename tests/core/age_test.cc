// Sessions come and go: each move of one is in the table, and a mission does not grow with its age.
#include <gtest/gtest.h>

#include <algorithm>

#include "codec/message.h"
#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

const Session& worker_of(const FakeHost& host, const std::string& id) {
  return *find_session(host.state, host.at(id).session);
}

bool is_reviewing(const FakeHost& host) {
  return !host.state.tasks.empty() && host.at("T1").status == TaskStatus::reviewing;
}

WorkSubmitted work_of(const Session& worker) {
  WorkArgs args;
  args.summary = "did it";
  return WorkSubmitted{RequestId("late"), worker.id, args, {}, false, 0};
}

MISSION_SCENARIO(Session, ASubmissionDuringBackoffIsAccepted) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::worker, [](Turn& turn) { turn.fail(); });
  host.task_command("build it");
  host.run_until([&] {
    return !host.state.sessions.empty() &&
           host.state.sessions.back().state == SessionState::backing_off;
  });
  EXPECT_TRUE(host.deliver(work_of(worker_of(host, "T1"))).ok);
  EXPECT_EQ(worker_of(host, "T1").state, SessionState::closing);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.at("T1").attempt, 1U);
}

MISSION_SCENARIO(Session, ATurnAfterItsSubmissionMayOutliveTheEngine) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::worker, [](Turn& turn) {
    turn.do_work();
    turn.hang();
  });
  host.script(Role::reviewer, [](Turn& turn) { turn.hang(); });
  host.task_command("build it");
  host.run_until([&] { return is_reviewing(host); });
  host.run_for(500);
  host.crash_engine(host.log.size());
  host.run_for(500);
  EXPECT_EQ(worker_of(host, "T1").state, SessionState::closing);
  host.script(Role::reviewer, nullptr);
  for (const Session& session : std::vector<Session>(host.state.sessions)) {
    if (session.role == Role::reviewer) host.deliver(SessionDeleted{session.id});
  }
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Session, APromptThatFailsAfterTheSubmissionIsNotSentAgain) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::worker, [](Turn& turn) {
    turn.do_work();
    turn.hang();
  });
  // The host is slow to say that it has the prompt, and says in the end that it has not.
  host.lost = [](const Happening& what) { return std::holds_alternative<PromptAccepted>(what); };
  host.task_command("build it");
  host.run_until([&] { return is_reviewing(host); });
  const Session worker = worker_of(host, "T1");
  ASSERT_EQ(worker.state, SessionState::closing);
  host.deliver(EffectFailed{worker.lease.sent, "timeout"});
  EXPECT_EQ(worker_of(host, "T1").state, SessionState::closing);
  host.lost = nullptr;
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.prompts_to(worker.id).size(), 1U);
}

std::size_t snapshot_after(std::uint32_t reworks) {
  FakeHost host;
  host.plan = plan_of({task("T1"), task("T2", {"T1"})});
  host.options.limits.attempts = 100'000;
  std::uint32_t rejected = 0;
  host.script(Role::reviewer, [&](Turn& turn) {
    turn.run("make check");
    if (rejected == reworks) return void(turn.pass());
    rejected += 1;
    turn.reject("It is red", "src/T1.cc");
  });
  host.script(Role::worker, [](Turn& turn) {
    turn.run("make");
    turn.do_work();
  });
  host.task_command("build it");
  host.run_until([&] { return rejected == reworks; });
  const std::size_t bytes = codec::dump_state(host.state).size();
  EXPECT_EQ(host.state.metrics.sessions, reworks + 2);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  return bytes;
}

MISSION_SCENARIO(Age, ArgumentsOfMissionRunAreBounded) {
  FakeHost host;
  host.script(Role::worker, [](Turn& turn) { turn.hang(); });
  host.task_command("build it");
  host.run_until([&] { return !host.started.empty(); });
  const auto restart_entrant = [&](int first) {
    RunArgs args;
    for (int i = first; i < first + 150; ++i) {
      args.acceptance.push_back("criterion " + std::to_string(i));
      args.verify.push_back("check " + std::to_string(i));
    }
    return host.deliver(
        RunCalled{RequestId("run" + std::to_string(first)), SessionId("root"), args, {}});
  };
  EXPECT_FALSE(restart_entrant(0).given);  // it waits for the mission
  const Answer more = restart_entrant(150);
  EXPECT_TRUE(
      more.says("- acceptance: 150 are kept and 150 more were given; at most 200 are kept"));
  EXPECT_TRUE(more.says("- verify: 150 are kept"));
  EXPECT_EQ(host.state.plan.acceptance.size(), 150U);
  host.stop();
}

TEST(Age, TheSnapshotDoesNotGrowWithTheAgeOfTheMission) {
  const std::size_t young = snapshot_after(100);
  const std::size_t old = snapshot_after(300);
  // Numbers get longer, nothing else does.
  EXPECT_LT(old, young + young / 20) << young << " bytes, then " << old;
}

MISSION_SCENARIO(Age, AnOrdinaryMissionKeepsAllItsSessions) {
  FakeHost host;
  host.script(Role::reviewer, [](Turn& turn) {
    turn.host.at(turn.task.value).attempt < 3 ? turn.reject("red") : turn.pass();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.state.sessions.size(), host.creations.size());
}

MISSION_SCENARIO(Age, AForgottenSessionMayDoNothing) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.options.limits.attempts = 1000;
  SessionId first;
  int rejected = 0;
  host.script(Role::reviewer, [&](Turn& turn) {
    if (first.empty()) first = turn.session;
    if (++rejected > 100) return void(turn.pass());
    turn.reject("It is red");
  });
  host.task_command("build it");
  host.run_until([&] { return rejected == 100; });
  ASSERT_EQ(find_session(host.state, first), nullptr);
  const State before = host.state;
  EXPECT_TRUE(why_not_write(host.state, first, "src/T1.cc", true).find("is over; end your turn") !=
              std::string::npos);
  EXPECT_EQ(why_not_write(host.state, SessionId("users"), "src/T1.cc"), "");
  EXPECT_EQ(why_not_write(host.state, host.state.root_session, "src/T1.cc", true), "");
  ReviewArgs args;
  args.verdict = Verdict::pass;
  const Answer late = host.deliver(
      ReviewSubmitted{RequestId("late"), first, args, {}, host.files_hash(first), {}, false, 0});
  EXPECT_TRUE(late.says("no session of mission")) << late.text;
  host.deliver(TurnEnded{first, 100, 0.1, true, "m"});
  host.deliver(SessionIdled{first});
  host.deliver(CommandRan{first, "make", "", 0, "", ""});
  EXPECT_EQ(host.state.receipts.size(), before.receipts.size());
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

}  // namespace
}  // namespace orchestrator::test
