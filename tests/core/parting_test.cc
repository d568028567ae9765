// Last words that wait while many sessions are at work.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "core/sessions/parting.h"
#include "core/state/sessions.h"
#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

std::vector<TaskSpec> tasks(int count) {
  std::vector<TaskSpec> made;
  for (int i = 1; i <= count; ++i) made.push_back(task("T" + std::to_string(i)));
  return made;
}

std::size_t in_state(const FakeHost& host, SessionState state) {
  return static_cast<std::size_t>(std::ranges::count(host.state.sessions, state, &Session::state));
}

const Session& worker_of(FakeHost& host, const std::string& id) {
  return *find_session(host.state, host.at(id).session);
}

/// So many Workers, of which all but the first stay at work until `released`.
struct Crowd {
  FakeHost host;
  bool released = false;

  explicit Crowd(int count, const std::string& flags = "") {
    host.plan = plan_of(tasks(count));
    host.script(Role::worker, [this](Turn& turn) {
      if (turn.task == TaskId("T1") || released) return void(turn.do_work());
      turn.hang();
    });
    host.task_command("--parallel " + std::to_string(count + 1) + " " + flags + " build it");
  }

  void await_parting() {
    host.run_until([this] { return in_state(host, SessionState::parting) == 1; });
  }
};

/// T1's Worker is parting, its Reviewer has yet to judge, and a person cuts its call off.
SessionId cut_off(Crowd& crowd) {
  FakeHost& host = crowd.host;
  host.script(Role::reviewer, [](Turn& turn) { turn.hang(); });
  crowd.await_parting();
  const SessionId id = host.at("T1").session;
  host.deliver(CallAborted{worker_of(host, "T1").last_call, id});
  return id;
}

void expect_all_ended(const FakeHost& host) {
  for (const Session& session : host.state.sessions) {
    EXPECT_TRUE(session.state == SessionState::ended) << to_name(session.state);
    EXPECT_EQ(session.outcome, Outcome::ok);
    EXPECT_TRUE(session.last_call.empty());
    EXPECT_TRUE(session.last_answer.empty());
  }
}

MISSION_SCENARIO(Parting, WhatSomebodyWaitsForComesFirst) {
  FakeHost host;
  host.plan = plan_of(tasks(30));
  std::size_t most = 0;
  std::size_t verdicts = 0;
  std::size_t parting_at_last_verdict = 0;
  host.script(Role::reviewer, [&](Turn& turn) {
    turn.pass();
    most = std::max(most, in_state(host, SessionState::parting));
    if (++verdicts == 30) parting_at_last_verdict = in_state(host, SessionState::parting);
  });
  host.task_command("--parallel 40 build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_GT(most, 15U);
  EXPECT_GT(parting_at_last_verdict, 15U) << "nobody waits for these";
  EXPECT_LE(host.state.metrics.sessions_peak, 40U);
  EXPECT_TRUE(host.aborted.empty()) << "each has said its last words";
  expect_all_ended(host);
  EXPECT_EQ(host.timers(), 0U);
}

MISSION_SCENARIO(Parting, FewSessionsAreNotHeldUp) {
  FakeHost host;
  host.plan = plan_of(tasks(30));
  host.script(Role::reviewer, [&](Turn& turn) {
    turn.pass();
    EXPECT_EQ(in_state(host, SessionState::parting), 0U);
  });
  host.task_command("--parallel 11 build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Parting, ItsSlotIsForOthersAndItWaitsFourMinutesAtMost) {
  Crowd crowd(14);
  crowd.await_parting();
  FakeHost& host = crowd.host;
  EXPECT_EQ(core::slots_used(host.state), 14U) << "13 Workers and a Reviewer";
  const SessionId id = host.at("T1").session;
  host.run_until([&] { return find_session(host.state, id)->state == SessionState::ended; });
  EXPECT_EQ(host.at("T1").status, TaskStatus::done) << "its Reviewer did not wait";
  EXPECT_EQ(in_state(host, SessionState::parting), 1U) << "its Reviewer's own last words";
  host.run_for(1'000);
  EXPECT_EQ(in_state(host, SessionState::parting), 0U);
  EXPECT_EQ(core::slots_used(host.state), 13U);
  host.stop();
}

MISSION_SCENARIO(Parting, OverdueWordsGoBeforeNewWork) {
  FakeHost host;
  host.think_ms = 60'000;
  host.plan = plan_of(tasks(70));
  host.task_command("--parallel 13 build it");
  std::map<SessionId, TimeMs> since;
  TimeMs longest = 0;
  while (is_running(host.state.phase)) {
    host.run_for(1'000);
    for (const Session& session : host.state.sessions) {
      if (session.state != SessionState::parting) continue;
      longest = std::max(longest, host.now - since.try_emplace(session.id, host.now).first->second);
    }
  }
  EXPECT_GT(since.size(), 50U);
  EXPECT_LE(longest, 270'000) << "others had its slot";
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Parting, AReworkWaitsForNothing) {
  Crowd crowd(14);
  FakeHost& host = crowd.host;
  int reviews = 0;
  host.script(Role::reviewer, [&](Turn& turn) {
    if (turn.task == TaskId("T1") && ++reviews == 1) return void(turn.reject("not so"));
    turn.pass();
  });
  crowd.await_parting();
  const SessionId id = host.at("T1").session;
  host.run_until([&] { return host.at("T1").status == TaskStatus::rework; });
  const TimeMs rejected = host.now;
  host.run_until([&] { return host.at("T1").status == TaskStatus::running; });
  EXPECT_LE(host.now - rejected, 500);
  EXPECT_EQ(host.at("T1").session, id) << "the same session";
  host.stop();
}

MISSION_SCENARIO(Parting, AStopAnswersTheCallAndEndsTheTurn) {
  Crowd crowd(14);
  crowd.await_parting();
  FakeHost& host = crowd.host;
  const SessionId id = host.at("T1").session;
  host.stop();
  EXPECT_NE(std::ranges::find(host.aborted, id), host.aborted.end());
  host.run();
  EXPECT_EQ(find_session(host.state, id)->state, SessionState::ended);
  EXPECT_EQ(in_state(host, SessionState::parting), 0U);
  EXPECT_EQ(host.timers(), 0U);
}

MISSION_SCENARIO(Parting, APauseKeepsWhatIsHandedIn) {
  Crowd crowd(14);
  crowd.await_parting();
  FakeHost& host = crowd.host;
  host.press_escape();
  EXPECT_EQ(host.state.phase, Phase::paused);
  EXPECT_TRUE(worker_of(host, "T1").state == SessionState::idle);
  EXPECT_TRUE(worker_of(host, "T1").last_call.empty());
  EXPECT_EQ(host.at("T1").status, TaskStatus::reviewing);
  host.run();
  crowd.released = true;
  host.resume();
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.at("T1").attempt, 1U);
}

MISSION_SCENARIO(Parting, ACallThatThePersonCutsOffIsOver) {
  Crowd crowd(14);
  FakeHost& host = crowd.host;
  const SessionId id = cut_off(crowd);
  EXPECT_TRUE(worker_of(host, "T1").last_call.empty());
  host.deliver(SessionErrored{id, "MessageAbortedError", "Aborted"});
  host.deliver(SessionIdled{id});
  host.deliver(SessionIdled{id});
  EXPECT_TRUE(worker_of(host, "T1").state == SessionState::idle) << "a rework may come";
  host.stop();
}

MISSION_SCENARIO(Parting, OneWhoseEndIsNotToldIsReleased) {
  Crowd crowd(14);
  FakeHost& host = crowd.host;
  cut_off(crowd);
  host.run_for(241'000);
  EXPECT_TRUE(worker_of(host, "T1").state == SessionState::idle);
  host.stop();
}

MISSION_SCENARIO(Parting, NothingIsHeldWhereSomethingWaitsForTheSessionsEnd) {
  for (const std::string flags : {"--isolation worktree", "--budget 90Mtok", "run"}) {
    FakeHost host(flags == "run" ? HostMode::run : HostMode::serve);
    host.plan = plan_of(tasks(20));
    host.script(Role::reviewer, [&](Turn& turn) {
      turn.pass();
      EXPECT_EQ(in_state(host, SessionState::parting), 0U) << flags;
    });
    host.task_command("--parallel 30 " + (flags == "run" ? "" : flags) + " build it");
    host.run();
    EXPECT_EQ(host.state.phase, Phase::sealed) << flags;
  }
}

MISSION_SCENARIO(Parting, AllAnswersArePaidForAlsoAfterTheSeal) {
  FakeHost host;
  host.plan = plan_of(tasks(30));
  host.task_command("--parallel 40 build it");
  host.run_until([&] { return host.state.phase == Phase::sealed; });
  EXPECT_TRUE(core::last_words_pending(host.state));
  host.run();
  EXPECT_FALSE(core::last_words_pending(host.state));
  for (const Session& session : host.state.sessions)
    EXPECT_EQ(session.tokens, 100U) << "each turn of the fake host costs a hundred";
  for (const Task& one : host.state.tasks) EXPECT_EQ(one.tokens, 200U) << one.id.value;
}

MISSION_SCENARIO(Parting, AModelsCapHoldsAlsoForARework) {
  FakeHost host;
  host.options.parallel.per_model = {{"p/worker", 13}};
  host.options.models = {{"worker", "p/worker"}, {"reviewer", "p/other"}};
  host.plan = plan_of(tasks(40));
  std::set<TaskId> rejected;
  host.script(Role::reviewer, [&](Turn& turn) {
    if (rejected.insert(turn.task).second) return void(turn.reject("not so"));
    turn.pass();
  });
  host.think_ms = 2'000;
  host.task_command("--parallel 40 build it");
  while (is_running(host.state.phase)) {
    host.run_for(100);
    const auto busy = std::ranges::count_if(host.state.sessions, [](const Session& session) {
      return session.role == Role::worker && core::holds_slot(session);
    });
    EXPECT_LE(busy, 13);
  }
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Parting, NothingIsSaidToAModelThatRests) {
  FakeHost host;
  host.plan = plan_of(tasks(14));
  host.options.models = {{"worker", "p/worker"}, {"reviewer", "p/other"}};
  host.script(Role::worker, [](Turn& turn) {
    if (turn.task == TaskId("T1") || turn.task == TaskId("T2")) return void(turn.do_work());
    turn.hang();
  });
  host.script(Role::reviewer, [](Turn& turn) {
    if (turn.task == TaskId("T1")) return void(turn.pass());
    turn.hang();
  });
  host.task_command("--parallel 20 build it");
  const auto reviewer = [&](const char* id) -> const Session* {
    for (const Session& session : host.state.sessions) {
      if (session.role == Role::reviewer && session.task == TaskId(id)) return &session;
    }
    return nullptr;
  };
  host.run_until([&] { return reviewer("T1") && reviewer("T2"); });
  host.run_for(200'000);
  ASSERT_TRUE(reviewer("T1")->state == SessionState::parting);
  host.deliver(SessionRetried{reviewer("T2")->id, "Too Many Requests: rate limit", 1, 90'000});
  host.deliver(SessionDeleted{reviewer("T2")->id});  // nobody asks that model now
  host.run_for(60'000);
  EXPECT_TRUE(reviewer("T1")->state == SessionState::parting) << "its time is over, the rest not";
  host.run_for(40'000);
  EXPECT_TRUE(reviewer("T1")->state == SessionState::ended);
  host.stop();
}

MISSION_SCENARIO(Parting, ACrashLeavesNobodyWaiting) {
  Crowd crowd(14);
  crowd.await_parting();
  FakeHost& host = crowd.host;
  crowd.released = true;
  host.crash(HostMode::serve);
  EXPECT_EQ(in_state(host, SessionState::parting), 0U);
  host.resume();
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.at("T1").attempt, 1U);
}

MISSION_SCENARIO(Parting, TheNextMissionAnswersWhatTheLastOneLeft) {
  FakeHost host;
  host.plan = plan_of(tasks(30));
  host.task_command("--parallel 20 build it");
  host.run_until([&] { return host.state.phase == Phase::sealed; });
  ASSERT_GT(in_state(host, SessionState::parting), 0U) << "more than there are slots";
  host.plan = plan_of({task("T1")});
  host.task_command("build more");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.timers(), 0U);
}

}  // namespace
}  // namespace orchestrator::test
