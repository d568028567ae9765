// `review.shadow`: when a task is looked at before it is submitted, and when reviews wait.
#include <gtest/gtest.h>

#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

/// A Worker that writes a.cc, then b.cc, is silent for a while, and submits in its next turn.
void work_slowly(Turn& turn) {
  if (turn.number == 1) {
    turn.write("src/a.cc");
    turn.write("src/b.cc");
    turn.hang(false);
  } else {
    turn.do_work();
  }
}

std::unique_ptr<FakeHost> watched(ShadowReview shadow) {
  auto host = std::make_unique<FakeHost>();
  host->plan = plan_of({task("T1", {}, {"src/a.cc", "src/b.cc"})});
  host->options.review.shadow = shadow;
  host->options.timeouts.stall_s = 5;
  return host;
}

/// Prompts to a session that only store a message.
std::vector<PromptSession> notes(const FakeHost& host) {
  std::vector<PromptSession> found;
  for (const PromptSession& prompt : host.prompts) {
    if (prompt.no_reply) found.push_back(prompt);
  }
  return found;
}

MISSION_SCENARIO(EarlyReview, AFinishedFileIsReviewedAndTheWorkerGetsTheNotes) {
  const auto host = watched(ShadowReview::file);
  host->script(Role::worker, work_slowly);
  int looks = 0;
  host->script(Role::reviewer, [&](Turn& turn) {
    if (host->at("T1").status != TaskStatus::running) return void(turn.pass());
    ++looks;
    EXPECT_EQ(turn.first_line(), "Task T1: Title of T1");
    EXPECT_NE(turn.text.find("- src/a.cc\n"), std::string::npos) << turn.text;
    EXPECT_EQ(turn.text.find("Finished so far:\n- src/b.cc"), std::string::npos);
    ReviewArgs args;
    args.verdict = Verdict::reject;
    args.findings = {{"src/a.cc", 7, Severity::warning, "a slip"},
                     {"", 0, Severity::note, "not for the Worker"}};
    EXPECT_TRUE(turn.review(args).ok);
    EXPECT_EQ(host->at("T1").status, TaskStatus::running) << "it decides nothing";
  });
  host->task_command("build it");
  host->run_until([&] { return !notes(*host).empty(); });
  const PromptSession note = notes(*host).front();
  EXPECT_EQ(note.session, host->at("T1").session);
  EXPECT_NE(note.text.find("src/a.cc:7: a slip"), std::string::npos);
  EXPECT_EQ(note.text.find("not for the Worker"), std::string::npos);
  host->run();
  EXPECT_EQ(host->state.phase, Phase::sealed) << host->state.reason;
  EXPECT_EQ(looks, 1) << "one for each attempt";
  EXPECT_EQ(host->at("T1").review.rejections, 0U);
  EXPECT_EQ(host->sessions_of(Role::reviewer), 1U) << "the review came in the same session";
}

MISSION_SCENARIO(EarlyReview, OneThatStillRunsAtTheSubmissionIsReplacedByAFreshReviewer) {
  const auto host = watched(ShadowReview::file);
  host->script(Role::worker, [](Turn& turn) {
    turn.write("src/a.cc");
    turn.do_work();
  });
  host->script(Role::reviewer, [&](Turn& turn) { turn.pass(); });
  host->task_command("build it");
  host->run();
  EXPECT_EQ(host->state.phase, Phase::sealed) << host->state.reason;
  EXPECT_EQ(host->sessions_of(Role::reviewer), 2U);
  EXPECT_TRUE(notes(*host).empty());
}

MISSION_SCENARIO(EarlyReview, OneWithoutAVerdictCostsNoAttempt) {
  const auto host = watched(ShadowReview::file);
  host->script(Role::worker, work_slowly);
  host->script(Role::reviewer, [&](Turn& turn) {
    if (host->at("T1").status != TaskStatus::running) turn.pass();
  });
  host->task_command("build it");
  host->run();
  EXPECT_EQ(host->state.phase, Phase::sealed) << host->state.reason;
  EXPECT_EQ(host->sessions_of(Role::reviewer), 2U) << "it is not asked again";
  EXPECT_EQ(host->at("T1").review.attempts, 1U);
}

TEST(EarlyReview, ItTakesNoNeededSlotAndGivesItsSlotBack) {
  const auto host = watched(ShadowReview::file);
  host->plan = plan_of({task("T1", {}, {"src/a.cc", "src/b.cc"}), task("T2"), task("T3", {"T2"})});
  host->options.parallel.initial = host->options.parallel.max = 2;
  host->script(Role::worker, [&](Turn& turn) {
    turn.task.value == "T1" ? work_slowly(turn) : void(turn.do_work());
  });
  host->task_command("build it");
  host->run();
  EXPECT_EQ(host->state.phase, Phase::sealed) << host->state.reason;
}

TEST(EarlyReview, ItIsOffByDefault) {
  const auto host = watched(ShadowReview::task);
  host->script(Role::worker, work_slowly);
  host->task_command("build it");
  host->run();
  EXPECT_EQ(host->state.phase, Phase::sealed);
  EXPECT_EQ(host->sessions_of(Role::reviewer), 1U);
  EXPECT_EQ(host->at("T1").review.early_review_attempt, 0U);
}

MISSION_SCENARIO(ReviewTiming, ReviewsWaitUntilNoWorkerWorks) {
  FakeHost host;
  host.plan = plan_of({task("T1"), task("T2"), task("T3"), task("T4")});
  host.options.parallel.initial = host.options.parallel.max = 2;
  host.options.review.shadow = ShadowReview::off;
  std::size_t together = 0;
  host.script(Role::worker, [&](Turn& turn) { turn.do_work(); });
  host.script(Role::reviewer, [&](Turn& turn) {
    for (const Task& each : host.state.tasks)
      together += each.status == TaskStatus::running ? 1U : 0U;
    turn.pass();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << host.state.reason;
  EXPECT_EQ(together, 0U);
}

TEST(ReviewTiming, ATaskThatWaitsForFilesOfASubmittedOneDoesNotDelayItsReview) {
  FakeHost host;
  host.plan = plan_of({task("T1", {}, {"src/**"}), task("T2", {}, {"src/x.cc"})});
  host.options.review.shadow = ShadowReview::off;
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed) << host.state.reason;
}

}  // namespace
}  // namespace orchestrator::test
