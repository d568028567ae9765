// The end of a turn after its submission: no further request, and whatever goes on is bounded.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/sessions/session_lifecycle.h"
#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

const Session& session_of(const FakeHost& host, Role role, const std::string& task = "") {
  const auto it =
      std::find_if(host.state.sessions.rbegin(), host.state.sessions.rend(),
                   [&](const Session& one) { return one.role == role && one.task.value == task; });
  EXPECT_NE(it, host.state.sessions.rend());
  return *it;
}

std::size_t begun(const FakeHost& host, const SessionId& session) {
  return static_cast<std::size_t>(std::ranges::count_if(host.log, [&](const Event& event) {
    const auto* started = std::get_if<TurnStarted>(&event.what);
    return started != nullptr && started->session == session;
  }));
}

std::size_t aborts(const FakeHost& host, const SessionId& session) {
  return static_cast<std::size_t>(std::ranges::count(host.aborted, session));
}

bool is_in_rework(const FakeHost& host) {
  const Task* task = find_task(host.state, TaskId("T1"));
  return task != nullptr && task->status == TaskStatus::rework;
}

void run_to_seal(FakeHost& host) {
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
}

}  // namespace

MISSION_SCENARIO(Closing, NoModelIsAskedAfterItsSubmissionAndNothingCountsAsAFault) {
  FakeHost host;
  ASSERT_TRUE(host.task_command("Build it").ok);
  run_to_seal(host);
  EXPECT_EQ(host.state.metrics.errors, 0U);
  EXPECT_EQ(host.state.metrics.continuations, 0U);
  EXPECT_EQ(host.state.metrics.slowdowns, 0U);
  EXPECT_TRUE(host.aborted.empty());
  for (const ShowToast& toast : host.toasts) EXPECT_EQ(toast.variant, "success") << toast.text;
  for (const Session& session : host.state.sessions) {
    EXPECT_EQ(session.state, SessionState::ended) << session.id.value;
    EXPECT_EQ(session.outcome, Outcome::ok) << session.id.value;
    EXPECT_EQ(begun(host, session.id), 2U) << "the answer, and the request that was refused";
  }
}

MISSION_SCENARIO(Closing, EachRoleReadsWhatItWaitsFor) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  ASSERT_TRUE(host.task_command("Build it").ok);
  const auto text = [&](Role role, const std::string& id) {
    return why_not_ask(host.state, session_of(host, role, id));
  };
  host.run_until([&] { return host.state.phase == Phase::executing; });
  EXPECT_EQ(text(Role::planner, ""), "Submitted. The plan is taken, and this session is done.");
  host.run_until([&] { return host.running("T1"); });
  EXPECT_EQ(text(Role::worker, "T1"), "");
  host.run_until([&] { return host.at("T1").status == TaskStatus::reviewing; });
  EXPECT_EQ(text(Role::worker, "T1"), "Submitted. This session waits for its review.");
  host.run_until([&] { return host.at("T1").status == TaskStatus::done; });
  EXPECT_EQ(text(Role::reviewer, "T1"),
            "Submitted. The review is taken, and this session is done.");
  host.run_until([&] { return host.state.phase == Phase::sealed; });
  const std::string whole =
      "Submitted. The review of the whole is taken, and this session is done.";
  EXPECT_EQ(text(Role::master_reviewer, ""), whole);
  host.run();
  EXPECT_EQ(text(Role::master_reviewer, ""), "") << "a person may ask it again";
  EXPECT_EQ(text(Role::worker, "T1"), "") << "likewise";
}

MISSION_SCENARIO(Closing, ARefusedSubmissionGoesOnInTheSameTurn) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::reviewer, [](Turn& turn) {
    ReviewArgs early;
    early.verdict = Verdict::pass;
    EXPECT_FALSE(turn.review(early).ok) << "nothing was run";
    EXPECT_EQ(why_not_ask(turn.host.state, *find_session(turn.host.state, turn.session)), "");
    EXPECT_TRUE(turn.pass().ok);
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  run_to_seal(host);
  EXPECT_EQ(session_of(host, Role::reviewer, "T1").lease.continuations, 0U);
}

// The error that ends a turn is followed by an idle before its time: a prompt sent then is lost.
MISSION_SCENARIO(Closing, AReworkWaitsForTheRealEndOfTheTurnAndNoLonger) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.think_ms = 1;  // the verdict is there before the Worker's turn has ended
  int reviews = 0;
  host.script(Role::reviewer, [&](Turn& turn) {
    if (reviews++ == 0) return void(turn.reject("it lacks a test"));
    turn.pass();
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run_until([&] { return is_in_rework(host); });
  const SessionId worker = host.at("T1").session;
  EXPECT_EQ(find_session(host.state, worker)->state, SessionState::closing);
  const TimeMs verdict = host.now;
  host.run_until([&] { return host.prompts_to(worker).size() == 2; });
  EXPECT_LT(host.now, verdict + 250);
  run_to_seal(host);
  EXPECT_EQ(host.prompts_to(worker).size(), 2U) << "the rework reached it the first time";
}

// ---- what goes on all the same

MISSION_SCENARIO(Closing, AReviewerThatSubmitsForEverIsAbortedAndDoesNotHoldTheMission) {
  FakeHost host;
  host.plan = plan_of({task("T1"), task("T2", {"T1"})});
  int calls = 0;
  host.goes_on = [](const SessionId&) { return true; };
  host.script(Role::reviewer, [&](Turn& turn) {
    ++calls;
    turn.pass();
  });
  ASSERT_TRUE(host.task_command("Build it --parallel 1").ok);
  run_to_seal(host);
  EXPECT_LE(calls, 16) << "of two Reviewers";
  for (const char* id : {"T1", "T2"})
    EXPECT_EQ(aborts(host, session_of(host, Role::reviewer, id).id), 1U) << id;
}

MISSION_SCENARIO(Closing, EveryRoleThatGoesOnIsAborted) {
  FakeHost host;
  host.goes_on = [](const SessionId&) { return true; };
  ASSERT_TRUE(host.task_command("Build it --parallel 2").ok);
  run_to_seal(host);
  for (const Session& session : host.state.sessions) {
    EXPECT_EQ(session.state, SessionState::ended) << session.id.value;
    EXPECT_EQ(session.outcome, Outcome::ok) << session.id.value;
    EXPECT_LE(begun(host, session.id), 8U) << session.id.value;
  }
}

MISSION_SCENARIO(Closing, AWorkerThatGoesOnGetsItsReworkWhenItIsStopped) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.goes_on = [&](const SessionId& session) { return session == host.at("T1").session; };
  int reviews = 0;
  host.script(Role::reviewer, [&](Turn& turn) {
    if (reviews++ == 0) return void(turn.reject("it lacks a test"));
    turn.pass();
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  run_to_seal(host);
  EXPECT_EQ(host.at("T1").attempt, 2U);
  EXPECT_EQ(host.sessions_of(Role::worker), 1U) << "the same session";
}

// A call of the same answer that does not return, and a host that tells nothing of it.
MISSION_SCENARIO(Closing, ATurnThatDoesNotEndIsAbortedAfterAMinute) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::worker, [](Turn& turn) {
    if (turn.do_work().ok) turn.hang();
  });
  int reviews = 0;
  host.script(Role::reviewer, [&](Turn& turn) {
    if (reviews++ == 0) return void(turn.reject("it lacks a test"));
    turn.pass();
  });
  ASSERT_TRUE(host.task_command("Build it").ok);
  host.run_until([&] { return is_in_rework(host); });
  const SessionId worker = host.at("T1").session;
  const TimeMs verdict = host.now;
  host.run_until([&] { return host.prompts_to(worker).size() == 2; });
  EXPECT_EQ(aborts(host, worker), 1U);
  EXPECT_LE(host.now, verdict + core::kClosingMs + core::kSecondIdleMs);
  run_to_seal(host);
}

MISSION_SCENARIO(Closing, AHostThatReportsNoEndDoesNotHoldTheMission) {
  for (const bool aborts_too : {false, true}) {
    SCOPED_TRACE(aborts_too);
    FakeHost host;
    host.plan = plan_of({task("T1")});
    int reviews = 0;
    host.script(Role::reviewer, [&](Turn& turn) {
      if (reviews++ == 0) return void(turn.reject("it lacks a test"));
      turn.pass();
    });
    host.lost = [&](const Happening& what) {
      const auto* idled = std::get_if<SessionIdled>(&what);
      const auto* errored = std::get_if<SessionErrored>(&what);
      const bool ends = idled != nullptr || (aborts_too && errored != nullptr);
      const SessionId& id = idled != nullptr     ? idled->session
                            : errored != nullptr ? errored->session
                                                 : SessionId{};
      const Session* session = find_session(host.state, id);
      return ends && session != nullptr && session->lease.submitted;
    };
    ASSERT_TRUE(host.task_command("Build it").ok);
    const TimeMs begin = host.now;
    run_to_seal(host);
    EXPECT_LT(host.now - begin, 10 * core::kClosingMs);
    EXPECT_EQ(host.at("T1").attempt, 2U);
  }
}

MISSION_SCENARIO(Closing, AfterACrashASessionThatGoesOnIsBoundedToo) {
  crash_after_events(
      3,
      [](FakeHost& host) {
        host.plan = plan_of({task("T1"), task("T2", {"T1"})});
        host.goes_on = [](const SessionId&) { return true; };
        EXPECT_TRUE(host.task_command("Build it --parallel 2").ok);
      },
      [](FakeHost& host) {
        EXPECT_EQ(host.state.phase, Phase::sealed) << status_text(host.state);
        for (const Session& session : host.state.sessions)
          EXPECT_EQ(session.state, SessionState::ended) << session.id.value;
      });
}

// Its budget is not spent by it either: a request after the submission is refused leave.
MISSION_SCENARIO(Closing, RequestsOfASubmittedSessionAreRefused) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::worker, [](Turn& turn) {
    ASSERT_TRUE(turn.do_work().ok);
    const RequestId late("late");
    const Answer answer =
        turn.host.deliver(RequestAsked{late, turn.session, "p/m", 1000, 1000, 0, 0});
    EXPECT_TRUE(answer.given);
    EXPECT_FALSE(answer.ok);
  });
  ASSERT_TRUE(host.task_command("Build it --budget 2Mtok").ok);
  run_to_seal(host);
}

}  // namespace orchestrator::test
