// Two Workers that come to want each other's files.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>

#include "core/state/path_claims.h"
#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

/// Workers at work, each in a file of its own.
struct Crew {
  FakeHost host;

  explicit Crew(const std::vector<std::string>& names) {
    std::vector<TaskSpec> specs;
    for (const std::string& name : names) specs.push_back(task(name, {}, {name + ".cc"}));
    host.plan = plan_of(specs);
    host.script(Role::worker, [](Turn& turn) { turn.hang(); });
    host.task_command("--parallel 6 build it");
    host.run_until([&] {
      return std::ranges::all_of(names, [&](const auto& name) { return host.running(name); });
    });
    host.run_for(1000);
  }
  /// Like the runtime: records the refusal, then asks again.
  std::string wants(const char* id, const std::string& path) {
    const SessionId session = host.at(id).session;
    if (why_not_write(host.state, session, path).empty()) return "";
    host.deliver(WriteRefused{session, path});
    return why_not_write(host.state, session, path);
  }
  void expect_no_overlap() {
    const auto& tasks = host.state.tasks;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      for (std::size_t j = i + 1; j < tasks.size(); ++j) {
        const bool both =
            tasks[i].status == TaskStatus::running && tasks[j].status == TaskStatus::running;
        EXPECT_FALSE(both && core::claims_overlap(tasks[i], tasks[j]));
      }
    }
  }
};

MISSION_SCENARIO(Deadlock, AWaitWithoutACycleOnlyRefusesTheWrite) {
  Crew crew({"T1", "T2"});
  EXPECT_NE(crew.wants("T1", "T2.cc"), "");
  EXPECT_EQ(crew.host.at("T1").progress.blocked_by, TaskId("T2"));
  EXPECT_TRUE(crew.host.running("T1") && crew.host.running("T2"));
}

MISSION_SCENARIO(Deadlock, TheLaterTaskOfACycleIsPreempted) {
  for (const bool first_asks_last : {true, false}) {
    Crew crew({"T1", "T2"});
    FakeHost& host = crew.host;
    const SessionId loser = host.at("T2").session;
    if (first_asks_last) {
      EXPECT_NE(crew.wants("T2", "T1.cc"), "");
      EXPECT_EQ(crew.wants("T1", "T2.cc"), "") << "it may write after all";
    } else {
      EXPECT_NE(crew.wants("T1", "T2.cc"), "");
      EXPECT_NE(crew.wants("T2", "T1.cc"), "") << "it has given way";
      const auto told = host.prompts_to(host.at("T1").session);
      EXPECT_NE(told.back().text.find("you may write T2.cc now"), std::string::npos);
    }
    EXPECT_TRUE(host.running("T1"));
    EXPECT_EQ(host.at("T2").status, TaskStatus::ready) << "it waits for T1's end";
    EXPECT_EQ(host.at("T2").attempt, 0U);
    EXPECT_EQ(std::ranges::count(host.aborted, loser), 1);
    crew.expect_no_overlap();
    host.script(Role::worker, nullptr);
    host.run();
    EXPECT_EQ(host.state.phase, Phase::sealed);
    EXPECT_EQ(host.at("T2").progress.preemptions, 1U);
  }
}

MISSION_SCENARIO(Deadlock, ACycleOfThreePreemptsItsLastTask) {
  Crew crew({"T1", "T2", "T3"});
  EXPECT_NE(crew.wants("T1", "T2.cc"), "");
  EXPECT_NE(crew.wants("T2", "T3.cc"), "");
  EXPECT_NE(crew.wants("T3", "T1.cc"), "");
  EXPECT_EQ(crew.host.at("T3").status, TaskStatus::ready);
  EXPECT_TRUE(crew.host.running("T1") && crew.host.running("T2"));
  EXPECT_EQ(why_not_write(crew.host.state, crew.host.at("T2").session, "T3.cc"), "");
  crew.expect_no_overlap();
}

MISSION_SCENARIO(Deadlock, AFreedFileGoesToTheFirstWaitingTask) {
  Crew crew({"T1", "T2", "T3"});
  EXPECT_NE(crew.wants("T2", "T3.cc"), "");
  EXPECT_NE(crew.wants("T1", "T3.cc"), "");
  EXPECT_NE(crew.wants("T3", "T2.cc"), "");
  EXPECT_EQ(crew.host.at("T3").status, TaskStatus::ready);
  crew.expect_no_overlap();
  EXPECT_EQ(crew.host.at("T2").progress.blocked_by, TaskId("T1")) << "the first of the plan has it";
}

MISSION_SCENARIO(Deadlock, AWorkerThatWritesAnotherFileWaitsNoMore) {
  Crew crew({"T1", "T2"});
  EXPECT_NE(crew.wants("T1", "T2.cc"), "");
  crew.host.deliver(FileWritten{crew.host.at("T1").session, "T1.cc"});
  EXPECT_NE(crew.wants("T2", "T1.cc"), "");
  EXPECT_TRUE(crew.host.running("T1") && crew.host.running("T2"));
  EXPECT_EQ(crew.wants("T1", "T2.cc"), "") << "both insist";
}

/// Two Workers want the same three files in any order: the task that has written a file keeps it
/// until it has ended, and both tasks end.
MISSION_SCENARIO(Deadlock, NoWriteIsLostInAnyOrder) {
  const char* asked = std::getenv("ORCH_ORDERS");
  const std::uint64_t orders = asked == nullptr ? 100 : std::strtoull(asked, nullptr, 10);
  const std::vector<std::string> files{"T1.cc", "T2.cc", "shared.cc"};
  std::uint64_t preempted = 0;
  for (std::uint64_t seed = 0; seed < orders; ++seed) {
    std::mt19937_64 random(seed);
    Crew crew({"T1", "T2"});
    std::map<std::string, TaskId> written;  // by a task that is still at work
    for (int step = 0; step < 40; ++step) {
      const char* id = random() % 2 == 0 ? "T1" : "T2";
      const Task& task = crew.host.at(id);
      if (task.status != TaskStatus::running || task.session.empty()) continue;
      const SessionId session = task.session;
      const std::string& path = files[random() % files.size()];
      if (!crew.wants(id, path).empty()) continue;
      std::erase_if(written, [&](const auto& one) {
        const Task* writer = find_task(crew.host.state, one.second);
        return writer->status == TaskStatus::ready;  // it was preempted, and starts again
      });
      const auto before = written.find(path);
      ASSERT_TRUE(before == written.end() || before->second == TaskId(id))
          << id << " was let write " << path << ", which " << before->second.value
          << " had written; seed " << seed;
      written[path] = TaskId(id);
      crew.host.deliver(FileWritten{session, path});
      crew.expect_no_overlap();
    }
    for (const char* id : {"T1", "T2"}) preempted += crew.host.at(id).progress.preemptions;
    crew.host.script(Role::worker, nullptr);
    crew.host.crash(HostMode::serve);
    crew.host.run();
    ASSERT_EQ(crew.host.state.phase, Phase::sealed) << "seed " << seed;
  }
  std::printf("%llu orders: 0 lost writes, %llu times one was preempted\n",
              static_cast<unsigned long long>(orders), static_cast<unsigned long long>(preempted));
  EXPECT_GT(preempted, 0U);
}

/// T1 and T2 have each delegated a part, and then each comes to hold the file of the other's part,
/// by a write that was under way: the parts wait for them, and they for the parts.
struct Standstill {
  FakeHost host;
  std::vector<std::string> waiting{"T1", "T2"};  ///< each comes to hold the files of the others
  std::vector<std::string> never_done;

  explicit Standstill(const std::vector<std::string>& names) {
    std::vector<TaskSpec> specs;
    for (const std::string& name : names) specs.push_back(task(name, {}, {name + ".cc"}));
    host.plan = plan_of(specs);
    host.script(Role::worker, [this](Turn& turn) { work(turn); });
  }

  [[nodiscard]] std::ptrdiff_t parts_of(const char* id) const {
    return std::ranges::count(host.state.tasks, TaskId(id), &Task::parent);
  }
  void work(Turn& turn) {
    const std::string own = turn.task.value;
    const auto at = std::ranges::find(waiting, own);
    const bool waits = at != waiting.end();
    if (waits && parts_of(own.c_str()) == 0) return wait(turn);
    if (waits && !turn.result(own + ".1").given) return;
    if (std::ranges::find(never_done, own) != never_done.end()) return turn.hang();
    turn.do_work();
  }
  void wait(Turn& turn) {
    const std::string own = turn.task.value;
    EXPECT_TRUE(turn.delegate({"A part", "Do it", "", {own + ".cc"}, true, {}}).ok);
    for (const std::string& other : waiting) {
      if (other != own) host.deliver(FileWritten{host.at(other).session, own + ".cc"});
    }
    turn.result(own + ".1");
  }
};

MISSION_SCENARIO(Deadlock, ADeadlockOfWaitingParentsPreemptsTheLaterOne) {
  Standstill both({"T1", "T2", "T3"});
  FakeHost& host = both.host;
  ASSERT_TRUE(host.task_command("Build it --parallel 2").ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
  EXPECT_EQ(host.at("T1").progress.preemptions, 0U);
  EXPECT_EQ(host.at("T2").progress.preemptions, 1U);
  EXPECT_EQ(host.at("T2").attempt, 1U) << "it costs no attempt";
  EXPECT_EQ(host.at("T1.1").status, TaskStatus::done);
  EXPECT_EQ(host.at("T2.1").status, TaskStatus::done);
}

MISSION_SCENARIO(Deadlock, ADeadlockWithoutPreemptableTasksBlocksTheMission) {
  Standstill both({"T1", "T2", "T3"});
  FakeHost& host = both.host;
  ASSERT_TRUE(host.task_command("Build it --parallel 2").ok);
  host.run_until([&] { return host.state.waiters.size() == 2; });
  ASSERT_TRUE(host.running("T3")) << "the only one at work";
  State state = host.state;
  for (Task& task : state.tasks) task.progress.preemptions = state.options.limits.attempts;
  TodoUpdated drop;
  drop.request = RequestId("drop");
  drop.session = state.root_session;
  drop.args.id = TaskId("T3");
  drop.args.status = TodoStatus::dropped;
  (void)step(state, {state.last_seq + 1, host.now, drop});
  EXPECT_EQ(state.phase, Phase::blocked) << status_text(state);
  for (const char* part :
       {"T1.1 A part waits for files of T2", "T2.1 A part waits for files of T1"}) {
    EXPECT_NE(state.reason.find(part), std::string::npos) << state.reason;
  }
  // A remark changes nothing of that.
  TodoUpdated remark = drop;
  remark.args.status.reset();
  remark.args.note = "It was not needed.";
  (void)step(state, {state.last_seq + 1, host.now, remark});
  EXPECT_EQ(state.phase, Phase::blocked) << status_text(state);
}

/// A preempted task loses its work: that must free the task that waits.
MISSION_SCENARIO(Deadlock, NoTaskIsPreemptedIfAnotherHolderMayNotBe) {
  Standstill three({"T1", "T2", "T3", "T4", "T5", "T6"});
  three.waiting = {"T1", "T2", "T3"};
  three.never_done = {"T4", "T5", "T6"};
  FakeHost& host = three.host;
  ASSERT_TRUE(host.task_command("Build it --parallel 3").ok);
  host.run_until([&] { return host.state.waiters.size() == 3; });
  ASSERT_TRUE(host.running("T4") && host.running("T5") && host.running("T6"));
  for (const bool may : {true, false}) {
    State state = host.state;
    for (Task& task : state.tasks)
      task.progress.preemptions =
          may || task.id == TaskId("T3") ? 0 : state.options.limits.attempts;
    TodoUpdated drop;
    drop.session = state.root_session;
    drop.args.status = TodoStatus::dropped;
    for (const char* id : {"T4", "T5", "T6"}) {
      drop.request = RequestId(id);
      drop.args.id = TaskId(id);
      (void)step(state, {state.last_seq + 1, host.now, drop});
    }
    // T1.1 waits for T2 and T3.
    EXPECT_EQ(find_task(state, TaskId("T3"))->progress.preemptions, may ? 1U : 0U);
    EXPECT_EQ(state.phase, may ? Phase::executing : Phase::blocked) << status_text(state);
  }
}

/// What the host tells of a call that is cut off comes within seconds, and the Worker goes on.
MISSION_SCENARIO(Deadlock, AnEndingWaitIsNoDeadlock) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::worker, [](Turn& turn) {
    if (turn.task == TaskId("T1.1")) return turn.hang();
    if (find_task(turn.host.state, TaskId("T1.1")) == nullptr) {
      turn.delegate({"A part", "Do it", "", {}, false, {}});
    } else {
      turn.do_work();
    }
  });
  ASSERT_TRUE(host.task_command("Build it --parallel 1").ok);
  host.run_until([&] { return host.running("T1.1"); });
  host.run_for(1'000);
  Turn commander{host, host.state.root_session, Role::commander, "", TaskId{}, 1};
  TodoArgs drop;
  drop.id = TaskId("T1.1");
  drop.status = TodoStatus::dropped;
  host.deliver(SessionErrored{host.at("T1").session, "MessageAbortedError", "Aborted", 0});
  const std::vector<Waiter> waiters = host.state.waiters;
  ASSERT_EQ(waiters.size(), 1U);
  host.deliver(CallAborted{waiters[0].request, waiters[0].session});
  EXPECT_TRUE(commander.todo(drop).ok);
  EXPECT_EQ(host.state.phase, Phase::executing) << status_text(host.state);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
}

MISSION_SCENARIO(Deadlock, RefusalsOfUnknownSessionsOrFreeFilesAreIgnored) {
  Crew crew({"T1", "T2"});
  crew.host.deliver(WriteRefused{SessionId("stranger"), "T1.cc"});
  crew.host.deliver(WriteRefused{crew.host.at("T1").session, "free.cc"});
  crew.host.deliver(WriteRefused{crew.host.at("T1").session, "../out"});
  EXPECT_TRUE(crew.host.at("T1").progress.blocked_by.empty());
  EXPECT_TRUE(crew.host.running("T1") && crew.host.running("T2"));
}

}  // namespace
}  // namespace orchestrator::test
