// Tool calls of children that wait for a person.
#include <gtest/gtest.h>

#include "core/state/pending.h"
#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

/// A Worker of T1 whose first turn waits in a tool call for the permission `p1`.
class Waiting {
 public:
  Waiting() {
    host.plan = plan_of({task("T1")});
    host.options.timeouts.stall_s = 60;
    host.script(Role::worker, [this](Turn& turn) {
      if (!answered && turn.number == 1) return turn.hang();
      turn.do_work();
    });
    host.task_command("build it");
    host.run_until([&] { return host.state.metrics.prompts > 1 && host.running("T1"); });
    host.run_for(1000);
    worker = host.at("T1").session;
    host.deliver(PermissionAsked{PermissionId("p1"), worker, "bash: rm -r build"});
  }

  FakeHost host;
  SessionId worker;
  bool answered = false;
};

MISSION_SCENARIO(Permission, ARequestIsShownAndWithoutAnAnswerRejectedWithAMessage) {
  Waiting waiting;
  FakeHost& host = waiting.host;
  ASSERT_FALSE(host.toasts.empty());
  EXPECT_NE(host.toasts.back().text.find("bash: rm -r build"), std::string::npos);
  EXPECT_NE(host.toasts.back().text.find(waiting.worker.value), std::string::npos);
  EXPECT_NE(status_text(host.state).find("the worker of T1, bash: rm -r build"), std::string::npos);
  EXPECT_NE(progress_title(host.state).find("permission"), std::string::npos);
  host.run_for(599'000 - 1000);
  EXPECT_TRUE(host.permissions_rejected.empty());
  EXPECT_TRUE(host.aborted.empty()) << "who waits for a person does not stall";
  host.run_for(3000);
  ASSERT_EQ(host.permissions_rejected.size(), 1U);
  EXPECT_EQ(host.permissions_rejected[0].permission, PermissionId("p1"));
  EXPECT_NE(host.permissions_rejected[0].message.find("Go on without it"), std::string::npos);
  EXPECT_TRUE(host.state.permissions.empty());
}

MISSION_SCENARIO(Permission, AfterARejectionTheStallTimeStartsAgain) {
  Waiting waiting;
  FakeHost& host = waiting.host;
  host.run_until([&] { return !host.permissions_rejected.empty(); });
  EXPECT_EQ(find_session(host.state, waiting.worker)->seen_ms, host.now);
}

MISSION_SCENARIO(Permission, AReloadLeavesNoTimerThatTheMissionDoesNotKnowOf) {
  Waiting waiting;
  FakeHost& host = waiting.host;
  host.deliver(HostReloaded{HostMode::serve});
  std::size_t known = 0;
  core::for_each_timer(host.state,
                       [&](core::Pending, const TimerId& timer) { known += timer != 0 ? 1U : 0U; });
  EXPECT_EQ(host.timers(), known);
}

MISSION_SCENARIO(Permission, AnAnswerEndsTheWait) {
  Waiting waiting;
  FakeHost& host = waiting.host;
  const std::size_t timers = host.timers();
  host.deliver(PermissionAsked{PermissionId("p1"), waiting.worker, "told twice"});
  host.deliver(PermissionAnswered{PermissionId("p1"), waiting.worker, true});
  EXPECT_TRUE(host.state.permissions.empty());
  EXPECT_EQ(host.timers(), timers - 1);
  host.deliver(PermissionAnswered{PermissionId("p1"), waiting.worker, true});
  host.run_for(700'000);
  EXPECT_TRUE(host.permissions_rejected.empty());
}

MISSION_SCENARIO(Permission, ARefusalWithoutAMessageIsMentionedInTheNextPrompt) {
  Waiting waiting;
  FakeHost& host = waiting.host;
  waiting.answered = true;
  host.deliver(PermissionAnswered{PermissionId("p1"), waiting.worker, false});
  host.deliver(SessionIdled{waiting.worker});  // the host stops its loop silently
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  const std::vector<PromptSession> prompts = host.prompts_to(waiting.worker);
  ASSERT_EQ(prompts.size(), 2U);
  EXPECT_NE(prompts[1].text.find("refused: bash: rm -r build"), std::string::npos)
      << prompts[1].text;
}

MISSION_SCENARIO(Permission, ARequestEndsWithItsTurnAndWithTheMission) {
  Waiting waiting;
  FakeHost& host = waiting.host;
  EXPECT_TRUE(host.stop("--pause").ok);
  EXPECT_EQ(host.permissions_rejected.size(), 1U);
  EXPECT_TRUE(host.state.permissions.empty());
  host.deliver(PermissionAsked{PermissionId("p2"), waiting.worker, "late"});
  EXPECT_EQ(host.permissions_rejected.size(), 2U);
  host.deliver(PermissionAsked{PermissionId("p3"), SessionId("stranger"), "not ours"});
  EXPECT_EQ(host.permissions_rejected.size(), 2U) << "the user's own sessions are theirs";
  host.run();
}

MISSION_SCENARIO(Stop, SessionsThatDoNotConfirmTheirAbortAreNamed) {
  FakeHost host;
  host.script(Role::worker, [](Turn& turn) {
    if (turn.task != TaskId("T1")) return turn.hang();
    turn.do_work();
  });
  host.task_command("build it");
  host.run_until([&] { return host.running("T4") && !host.at("T4").session.empty(); });
  host.run_for(1000);
  const SessionId deaf = host.at("T3").session;
  host.lost = [&](const Happening& what) {
    const auto* idled = std::get_if<SessionIdled>(&what);
    return idled != nullptr && idled->session == deaf;
  };
  const std::size_t prompts = host.prompts.size();
  EXPECT_TRUE(host.stop().ok);
  const std::size_t toasts = host.toasts.size();
  host.run_for(1900);
  EXPECT_EQ(host.toasts.size(), toasts);
  host.run_for(200);
  ASSERT_EQ(host.toasts.size(), toasts + 1);
  EXPECT_NE(host.toasts.back().text.find(deaf.value + " (worker of T3)"), std::string::npos);
  EXPECT_EQ(host.toasts.back().text.find(host.at("T2").session.value), std::string::npos);
  host.run();
  EXPECT_EQ(host.prompts.size(), prompts) << "after /stop no prompt leaves";
}

MISSION_SCENARIO(Stop, ASessionThatIsDeletedNeedsNoConfirmation) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::worker, [](Turn& turn) { turn.hang(); });
  host.task_command("build it");
  host.run_until([&] { return host.running("T1") && !host.at("T1").session.empty(); });
  host.run_for(1000);
  const SessionId deleted = host.at("T1").session;
  host.lost = [&](const Happening& what) {
    const auto* idled = std::get_if<SessionIdled>(&what);
    return idled != nullptr && idled->session == deleted;
  };
  EXPECT_TRUE(host.stop().ok);
  const std::size_t toasts = host.toasts.size();
  host.deliver(SessionDeleted{deleted});
  EXPECT_FALSE(find_session(host.state, deleted)->turn.aborting);
  host.run();
  EXPECT_EQ(host.toasts.size(), toasts);
}

MISSION_SCENARIO(Stop, AConfirmedPauseShowsNoMessage) {
  FakeHost host;
  host.task_command("build it");
  host.run_until([&] { return host.running("T4") && !host.at("T4").session.empty(); });
  EXPECT_TRUE(host.stop("--pause").ok);
  const std::size_t toasts = host.toasts.size();
  host.run();
  EXPECT_EQ(host.toasts.size(), toasts);
  EXPECT_TRUE(host.resume().ok);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Permission, ARequestEndsWithItsProcess) {
  Waiting waiting;
  FakeHost& host = waiting.host;
  waiting.answered = true;
  host.crash(HostMode::serve);
  EXPECT_TRUE(host.state.permissions.empty());
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

}  // namespace
}  // namespace orchestrator::test
