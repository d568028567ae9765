// Crashes at any event, events that come twice, late or of strangers; the same log, the same state.
#include "core/sessions/recovery.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "codec/binary.h"
#include "core/state/sessions.h"
#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

/// A mission with a bit of everything: a rework, a Worker that ends early, an error, a failed
/// master review.
void script_rich(FakeHost& host) {
  host.plan =
      plan_of({task("T1"), task("T2", {"T1"}), task("T3", {"T1"}), task("T4", {"T2", "T3"})});
  host.script(Role::worker, [](Turn& turn) {
    if (turn.task == TaskId("T2") && turn.number == 1) return;
    if (turn.task == TaskId("T3") && turn.number == 1) return turn.fail();
    turn.do_work();
  });
  host.script(Role::reviewer, [&host](Turn& turn) {
    const bool red = turn.task == TaskId("T1") && host.at("T1").attempt == 1;
    red ? turn.reject("red") : turn.pass();
  });
  host.script(Role::master_reviewer, [&host](Turn& turn) {
    host.state.iteration == 1 ? turn.reject("bad", "src/T4.cc") : turn.pass();
  });
}

std::size_t events_of_rich_mission(HostMode mode) {
  FakeHost host(mode);
  script_rich(host);
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  return host.log.size();
}

std::vector<TaskId> done_tasks(const State& state) {
  std::vector<TaskId> ids;
  for (const Task& each : state.tasks) {
    if (each.status == TaskStatus::done) ids.push_back(each.id);
  }
  return ids;
}

void expect_not_repeated(const FakeHost& host, const std::vector<TaskId>& done,
                         std::size_t created) {
  for (std::size_t i = created; i < host.creations.size(); ++i) {
    EXPECT_EQ(std::ranges::find(done, host.creations[i].task), done.end())
        << host.creations[i].task.value << " was done already";
  }
  for (const TaskId& id : done) EXPECT_EQ(std::ranges::count(host.finished, id), 1) << id.value;
}

MISSION_SCENARIO(Recovery, ACrashAtAnyEventThenResumeLeadsToTheSeal) {
  const std::size_t events = events_of_rich_mission(HostMode::run);
  EXPECT_GT(events, 100U);
  for (std::size_t at = 1; at < events; ++at) {
    FakeHost host(HostMode::run);
    script_rich(host);
    host.task_command("build it");
    host.run_to_event(at);
    if (!is_active(host.state.phase)) break;
    const std::vector<TaskId> done = done_tasks(host.state);
    const std::size_t created = host.creations.size();
    const std::size_t prompted = host.prompts.size();
    host.crash(HostMode::run);
    host.run();
    EXPECT_TRUE(host.state.dormant);
    EXPECT_EQ(host.prompts.size(), prompted) << "another `opencode run` does not wake it";
    EXPECT_TRUE(host.resume().ok);
    host.run();
    EXPECT_EQ(host.state.phase, Phase::sealed) << "crashed after event " << at;
    expect_not_repeated(host, done, created);
    if (::testing::Test::HasFailure()) return;
  }
}

MISSION_SCENARIO(Recovery, InServeItGoesOnByItself) {
  const std::size_t events = events_of_rich_mission(HostMode::serve);
  for (std::size_t at = 1; at < events; ++at) {
    FakeHost host;
    script_rich(host);
    host.task_command("build it");
    host.run_to_event(at);
    if (!is_active(host.state.phase)) break;
    const std::vector<TaskId> done = done_tasks(host.state);
    const std::size_t created = host.creations.size();
    host.crash(HostMode::serve);
    host.run();
    EXPECT_EQ(host.state.phase, Phase::sealed) << "crashed after event " << at;
    EXPECT_NE(host.told.at(host.told.size() - 1).find("sealed"), std::string::npos);
    expect_not_repeated(host, done, created);
    if (::testing::Test::HasFailure()) return;
  }
}

MISSION_SCENARIO(Recovery, AReloadOfTheHostAtAnyEventStopsNothing) {
  const std::size_t events = events_of_rich_mission(HostMode::serve);
  for (std::size_t at = 1; at < events; ++at) {
    FakeHost host;
    host.options.resume = ResumePolicy::manual;  // that is for new processes
    script_rich(host);
    host.task_command("--time 1h build it");
    host.run_to_event(at);
    if (!is_active(host.state.phase)) break;
    const std::vector<TaskId> done = done_tasks(host.state);
    const std::size_t created = host.creations.size();
    host.reload();
    EXPECT_FALSE(host.state.dormant);
    EXPECT_NE(host.state.clock.deadline_timer, 0U) << "the time budget runs on";
    host.run();
    EXPECT_EQ(host.state.phase, Phase::sealed) << "reloaded after event " << at;
    EXPECT_NE(host.told.back().find("sealed"), std::string::npos);
    expect_not_repeated(host, done, created);
    if (::testing::Test::HasFailure()) return;
  }
}

MISSION_SCENARIO(Recovery, AReloadDoesNotWakeAMissionThatWaitsForAPerson) {
  FakeHost host;
  host.task_command("build it");
  host.run_until([&] { return host.running("T2"); });
  host.crash(HostMode::run);
  const std::size_t prompted = host.prompts.size();
  host.reload();
  host.run();
  EXPECT_TRUE(host.state.dormant);
  EXPECT_TRUE(host.resume().ok);
  host.run_until([&] { return host.running("T2"); });
  EXPECT_TRUE(host.stop("--pause").ok);
  host.reload();
  host.run();
  EXPECT_EQ(host.state.phase, Phase::paused);
  EXPECT_EQ(host.prompts_that_begin("Mission").size(), 0U);
  EXPECT_GE(host.prompts.size(), prompted);
}

MISSION_SCENARIO(Recovery, TwoCrashesInARow) {
  const std::size_t events = events_of_rich_mission(HostMode::serve);
  for (std::size_t at = 1; at < events; at += 7) {
    for (std::size_t more = 1; more < 60; more += 11) {
      FakeHost host;
      script_rich(host);
      host.task_command("build it");
      host.run_to_event(at);
      host.crash(HostMode::tui);
      host.run_to_event(at + more);
      host.crash(HostMode::run);
      if (is_active(host.state.phase)) {
        EXPECT_TRUE(host.resume("", SessionId("other")).ok);
      }
      host.run();
      EXPECT_EQ(host.state.phase, Phase::sealed) << at << " and " << more;
      if (::testing::Test::HasFailure()) return;
    }
  }
}

MISSION_SCENARIO(Recovery, RunningWorkGoesOnInItsOwnSessions) {
  FakeHost host;
  host.task_command("build it");
  host.run_until([&] { return host.running("T4") && !host.at("T4").session.empty(); });
  const SessionId worker = host.at("T3").session;
  host.crash(HostMode::run);
  EXPECT_TRUE(host.resume().ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.at("T3").session, worker);
  EXPECT_EQ(host.at("T3").attempt, 1U);
  EXPECT_EQ(host.sessions_of(Role::worker), 6U);
}

MISSION_SCENARIO(Recovery, AResumedMissionKeepsItsReducedNumberOfSlots) {
  FakeHost host;
  host.task_command("build it");
  host.run_until([&] { return host.running("T4") && !host.at("T4").session.empty(); });
  host.deliver(SessionRetried{host.at("T4").session, "rate limit", 1, 1000});
  for (int i = 0; i < 2; ++i) {
    host.deliver(LoadChanged{Load::critical, "no memory"});
    host.deliver(LoadChanged{Load::calm, ""});
  }
  EXPECT_EQ(host.state.parallel, 1U);
  host.crash(HostMode::serve);  // three Workers are to go on, one after the other
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::worker), 6U);
}

MISSION_SCENARIO(Recovery, WithManualResumeItWaitsAndMissionRunGoesOn) {
  FakeHost host;
  host.options.resume = ResumePolicy::manual;
  host.task_command("build it");
  host.run_until([&] { return host.running("T2"); });
  host.crash(HostMode::serve);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::executing);
  EXPECT_NE(status_text(host.state).find("/resume"), std::string::npos);
  host.say("go on, please");  // in the mission's own session: its Commander calls mission_run
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Recovery, ACreatedButUnreportedSessionIsFound) {
  FakeHost calm;
  calm.plan = plan_of({task("T1")});
  calm.task_command("build it");
  calm.run();
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.task_command("build it");
  host.run_until([&] { return host.sessions_of(Role::worker) == 1; });
  EXPECT_TRUE(host.at("T1").session.empty());
  host.crash(HostMode::serve);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::worker), 1U);
  EXPECT_EQ(host.at("T1").attempt, 1U);
  const auto prompts = host.prompts_to(host.at("T1").session);
  ASSERT_EQ(prompts.size(), 1U);
  EXPECT_EQ(prompts[0].text, calm.prompts_to(calm.at("T1").session).at(0).text)
      << "its card, as without a crash";
}

MISSION_SCENARIO(Recovery, ASessionThatWasNeverCreatedIsCreatedAndCostsNoAttempt) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.refused = [&](const Effect& effect) -> std::string {
    const auto* create = std::get_if<CreateSession>(&effect);
    return create != nullptr && create->role == Role::worker ? "not now" : "";
  };
  host.task_command("build it");
  host.run_until([&] { return host.running("T1"); });
  host.refused = nullptr;
  host.crash(HostMode::serve);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::worker), 1U);
  EXPECT_EQ(host.at("T1").attempt, 1U);
}

MISSION_SCENARIO(Recovery, ASessionLostInTheCrashCostsNoAttempt) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.task_command("build it");
  host.run_until([&] { return host.state.metrics.prompts > 1 && host.running("T1"); });
  const SessionId lost = host.at("T1").session;
  host.forget(lost);
  host.crash(HostMode::serve);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_NE(host.at("T1").session, lost);
  EXPECT_EQ(host.at("T1").attempt, 1U);
}

MISSION_SCENARIO(Recovery, TheWholeCardIsSentAgainOnlyIfTheHostDoesNotHaveIt) {
  for (const bool arrives : {true, false}) {
    FakeHost host;
    host.plan = plan_of({task("T1")});
    host.lost = [](const Happening& what) { return std::holds_alternative<TurnStarted>(what); };
    host.task_command("build it");
    host.run_until([&] {
      const SessionId worker = host.running("T1") ? host.at("T1").session : SessionId{};
      return !worker.empty() && (!arrives || host.newest_prompt(worker) ==
                                                 find_session(host.state, worker)->lease.sent);
    });
    const SessionId worker = host.at("T1").session;
    host.crash(HostMode::serve);
    host.lost = nullptr;
    host.run_until([&] { return host.prompts_to(worker).size() == 2; });
    const std::string second = host.prompts_to(worker).at(1).text;
    EXPECT_EQ(second == host.prompts_to(worker).at(0).text, !arrives) << second;
    host.run();
    EXPECT_EQ(host.state.phase, Phase::sealed);
  }
}

MISSION_SCENARIO(Recovery, AHarvestedSubmissionIsTakenOnce) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::worker, [](Turn& turn) { turn.hang(); });
  host.task_command("build it");
  host.run_until([&] { return host.state.metrics.prompts > 1 && host.running("T1"); });
  const SessionId worker = host.at("T1").session;
  host.run_for(1000);
  const EffectId prompt = host.newest_prompt(worker);
  host.crash(HostMode::serve);
  WorkSubmitted call{RequestId("h1"), worker, {}, {}, true, prompt + 1};
  call.args.task = TaskId("T1");
  call.args.summary = "done";
  host.deliver(call);
  EXPECT_EQ(host.at("T1").status, TaskStatus::running) << "it answers another prompt";
  call.prompt = prompt;
  EXPECT_TRUE(host.deliver(call).ok);
  EXPECT_EQ(host.at("T1").status, TaskStatus::submitted);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.prompts_to(worker).size(), 1U) << "it is not asked for what it has given";
}

MISSION_SCENARIO(Recovery, TurnsThatTheHostStillRunsGoOnOrAreAborted) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::worker, [](Turn& turn) { turn.hang(); });
  host.task_command("build it");
  host.run_until([&] { return host.state.phase == Phase::planning; });
  const std::size_t planning = host.log.size();
  host.run_until([&] { return host.state.metrics.prompts > 1 && host.running("T1"); });
  host.run_for(1000);
  const SessionId worker = host.at("T1").session;
  host.crash_engine();
  host.run_for(1000);
  EXPECT_EQ(find_session(host.state, worker)->state, SessionState::working);
  EXPECT_EQ(host.prompts_to(worker).size(), 1U);
  // The engine has lost the tail of its log: to it, that session was never asked for.
  host.script(Role::worker, nullptr);
  host.crash_engine(planning);
  host.run_until([&] { return !host.aborted.empty(); });
  EXPECT_EQ(host.aborted.front(), worker);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

/// Found by the simulator (seed 167692): two prompts that went out around a reload came back as two
/// turns, in a mission that a rate limit had brought down to one.
MISSION_SCENARIO(Recovery, RunningTurnsAboveTheLimitAreAbortedAndContinuedLater) {
  FakeHost host;
  host.plan = plan_of({task("T1"), task("T2")});
  host.script(Role::worker, [](Turn& turn) { turn.hang(); });
  host.task_command("build it");
  host.run_until([&] { return host.running("T1") && host.running("T2"); });
  host.run_for(1000);
  host.deliver(LoadChanged{Load::critical, "memory free 1 %"});
  ASSERT_EQ(host.state.parallel, 1U);
  const SessionId kept = host.at("T1").session;
  const SessionId surplus = host.at("T2").session;
  host.script(Role::worker, nullptr);
  host.crash_engine();
  host.run_for(1000);
  EXPECT_EQ(core::slots_used(host.state), 1U);
  EXPECT_EQ(find_session(host.state, kept)->state, SessionState::working);
  ASSERT_EQ(host.aborted.size(), 1U);
  EXPECT_EQ(host.aborted.front(), surplus);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.at("T2").session, surplus) << "it goes on in its own session";
}

/// Found by the simulator (seed 50910374): a cap of one model was passed by the turns that the host
/// still ran.
MISSION_SCENARIO(Recovery, RunningTurnsAboveACapOfTheirModelAreAbortedAndContinuedLater) {
  FakeHost host;
  host.options.models = {{"worker", "p/m"}};
  host.options.parallel.per_model = {{"p/m", 1}};
  host.plan = plan_of({task("T1"), task("T2")});
  bool both_wait = false;
  host.script(Role::worker, [&](Turn& turn) {
    const bool whole = turn.task == TaskId("T1") || turn.task == TaskId("T2");
    const std::string part = turn.task.value + ".1";
    if (!whole || (both_wait && host.at(part).status == TaskStatus::done)) {
      turn.do_work();
      return;
    }
    if (both_wait) {
      turn.result(part);
      return;
    }
    DelegateArgs args;
    args.title = "A part";
    args.prompt = "Build it";
    args.files = {"src/" + turn.task.value + ".cc"};
    turn.delegate(args);
  });
  host.task_command("--parallel 4 build it");
  host.run_until([&] {
    return std::ranges::count(host.state.sessions, SessionState::delegating, &Session::state) == 2;
  });
  both_wait = true;
  host.crash_engine();
  host.run_until([&] { return !core::is_recovering(host.state); });
  EXPECT_EQ(core::slots_used(host.state), 1U);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
}

MISSION_SCENARIO(Recovery, AStopBeforeTheHostHasAnsweredAbortsAllTurnsThatMayRun) {
  FakeHost host;
  host.script(Role::worker, [](Turn& turn) {
    if (turn.task != TaskId("T1")) return turn.hang();
    turn.do_work();
  });
  host.task_command("build it");
  host.run_until([&] { return host.running("T4") && !host.at("T4").session.empty(); });
  host.crash_engine();
  EXPECT_TRUE(host.stop().ok);
  EXPECT_GE(host.aborted.size(), 3U);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::cancelled);
}

MISSION_SCENARIO(Recovery, AHostThatCannotListItsSessionsIsNotWaitedForForEver) {
  FakeHost host;
  host.task_command("build it");
  host.run_until([&] { return host.running("T4") && host.at("T4").session.empty(); });
  host.refused = [](const Effect& effect) -> std::string {
    return std::holds_alternative<FindSessions>(effect) ? "not now" : "";
  };
  host.crash(HostMode::serve);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.at("T4").attempt, 1U);
}

MISSION_SCENARIO(Recovery, ARepeatedTurnEndedIsCountedOnce) {
  FakeHost host;
  host.script(Role::planner, [](Turn& turn) { turn.hang(); });
  host.task_command("build it");
  host.run_until([&] { return host.state.phase == Phase::planning && host.prompts.size() == 1; });
  const SessionId planner = host.prompts.at(0).session;
  const std::uint64_t before = host.state.budget.tokens;
  for (int i = 0; i < 2; ++i) {
    host.deliver(TurnEnded{planner, 50, 0.5, false, "msg1"});
    host.deliver(TurnEnded{host.state.root_session, 50, 0.5, false, "msg1"});
  }
  EXPECT_EQ(host.state.budget.tokens, before + 100);
  host.deliver(TurnEnded{planner, 50, 0.5, false, "msg2"});
  EXPECT_EQ(host.state.budget.tokens, before + 150);
}

MISSION_SCENARIO(Recovery, ABlockedMissionStaysBlockedAndGoesOnWithResume) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::worker, [](Turn&) {});
  host.task_command("build it");
  host.run();
  host.crash(HostMode::serve);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked);
  host.script(Role::worker, nullptr);
  EXPECT_TRUE(host.resume().ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Recovery, TheTimeBudgetContinuesAfterACrash) {
  FakeHost host;
  host.script(Role::worker, [](Turn& turn) { turn.hang(); });
  host.task_command("build it --time 2m");
  host.run_for(60'000);
  host.deliver(CommandRan{SessionId("nobody"), "ls", "", 0, "", ""});  // the log's newest time
  host.now += 3'600'000;
  host.crash(HostMode::serve);
  host.run_for(50'000);
  EXPECT_EQ(host.state.phase, Phase::executing);
  host.run_for(20'000);
  EXPECT_EQ(host.state.phase, Phase::paused);
}

MISSION_SCENARIO(Recovery, EventsThatComeTwiceAreHarmless) {
  FakeHost host;
  host.doubled = true;
  script_rich(host);
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::worker), 5U);
  EXPECT_EQ(host.sessions_of(Role::planner), 1U);
  EXPECT_EQ(host.sessions_of(Role::master_reviewer), 2U);
}

MISSION_SCENARIO(Recovery, RepeatingTheWholeLogIsHarmless) {
  FakeHost host;
  script_rich(host);
  host.task_command("build it");
  for (std::size_t at = 10; is_active(host.state.phase); at = host.log.size() + 15) {
    host.run_to_event(at);
    if (!is_active(host.state.phase)) break;
    const std::vector<Event> past(
        host.log.begin(), host.log.begin() + static_cast<std::ptrdiff_t>(
                                                 std::min<std::size_t>(host.log.size(), 200)));
    for (const Event& event : past) {
      const bool by_host = std::holds_alternative<SessionCreated>(event.what) ||
                           std::holds_alternative<PromptAccepted>(event.what) ||
                           std::holds_alternative<TurnStarted>(event.what) ||
                           std::holds_alternative<SessionInspected>(event.what) ||
                           std::holds_alternative<TimerFired>(event.what) ||
                           std::holds_alternative<WorkSubmitted>(event.what) ||
                           std::holds_alternative<ReviewSubmitted>(event.what) ||
                           std::holds_alternative<PlanSubmitted>(event.what);
      if (by_host) host.deliver(event.what);
    }
    if (host.log.size() > 20'000) break;
  }
  host.run();
  EXPECT_TRUE(host.state.phase == Phase::sealed || host.state.phase == Phase::blocked);
}

MISSION_SCENARIO(Recovery, EventsOfUnknownSessionsChangeOnlyTheTime) {
  FakeHost host;
  host.task_command("build it");
  host.run_until([&] { return host.running("T2"); });
  State before = host.state;
  const SessionId stranger("stranger");
  const std::size_t acted = host.prompts.size() + host.creations.size() + host.aborted.size();
  for (const Happening& what :
       std::vector<Happening>{TurnStarted{stranger},
                              TurnEnded{stranger, 9, 9, true},
                              SessionIdled{stranger},
                              SessionErrored{stranger, "X", ""},
                              SessionRetried{stranger, ""},
                              SessionCompacted{stranger},
                              SessionDeleted{stranger},
                              SessionCreated{9999, stranger},
                              PromptAccepted{9999},
                              EffectFailed{9999, ""},
                              PromptAccepted{0},
                              EffectFailed{0, ""},
                              SessionCreated{0, stranger},
                              SessionInspected{0, stranger, false, false, false, false},
                              SessionInspected{9999, stranger, false, false, false, false},
                              TimerFired{0},
                              TimerFired{9999},
                              UserSpoke{stranger, "hi"},
                              CallAborted{RequestId("x"), stranger},
                              CallAborted{RequestId(""), stranger},
                              CommandRan{stranger, "ls", "", 0, "", ""},
                              FileWritten{stranger, "x"},
                              TurnStarted{SessionId("")},
                              SessionIdled{SessionId("")}}) {
    host.deliver(what);
  }
  before.last_seq = host.state.last_seq;
  before.updated_at = host.state.updated_at;
  EXPECT_EQ(codec::encode(before), codec::encode(host.state));
  EXPECT_EQ(acted, host.prompts.size() + host.creations.size() + host.aborted.size());
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

TEST(Recovery, EventsWithoutAMissionAreRefusedOrIgnored) {
  FakeHost host;
  host.deliver(ProcessStarted{HostMode::serve});
  host.deliver(TimerFired{0});
  host.deliver(SessionIdled{SessionId("")});
  host.deliver(SessionIdled{SessionId("root")});
  host.deliver(UserSpoke{SessionId(""), "x"});
  EXPECT_FALSE(host.deliver(PlanSubmitted{RequestId("a"), SessionId(""), diamond(), {}}).ok);
  EXPECT_FALSE(host.deliver(WorkSubmitted{RequestId("b"), SessionId(""), {}, {}}).ok);
  EXPECT_FALSE(host.deliver(ReviewSubmitted{RequestId("c"), SessionId(""), {}, {}, "", {}}).ok);
  EXPECT_FALSE(host.deliver(TodoUpdated{RequestId("d"), SessionId(""), {}, {}}).ok);
  EXPECT_EQ(host.state.phase, Phase::none);
}

MISSION_SCENARIO(Recovery, LateEventsOfAnEarlierMissionDoNotTouchTheNextOne) {
  FakeHost host;
  host.task_command("first");
  host.run_until([&] { return host.running("T2"); });
  const std::vector<Event> past = host.log;
  host.stop();
  host.task_command("second");
  host.run_until([&] { return host.state.phase == Phase::planning; });
  for (const Event& event : past) {
    if (std::holds_alternative<SessionCreated>(event.what) ||
        std::holds_alternative<PromptAccepted>(event.what) ||
        std::holds_alternative<TimerFired>(event.what)) {
      host.deliver(event.what);
    }
  }
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::planner), 2U);
}

}  // namespace
}  // namespace orchestrator::test
