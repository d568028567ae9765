// A pass rests on receipts; work and reviews come from the session that holds them.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

ReviewArgs passing() {
  ReviewArgs args;
  args.verdict = Verdict::pass;
  return args;
}

/// A mission of one task whose Reviewer first does `wrong`, which must be refused with `part`.
void expect_refused(const std::function<Answer(Turn&)>& wrong,
                    const std::vector<std::string>& parts) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::reviewer, [&](Turn& turn) {
    const Answer refused = wrong(turn);
    EXPECT_FALSE(refused.ok);
    for (const std::string& part : parts) {
      EXPECT_TRUE(refused.says(part)) << "\"" << part << "\" is not in:\n" << refused.text;
    }
    EXPECT_EQ(host.at("T1").status, TaskStatus::reviewing);
    EXPECT_TRUE(turn.pass().ok) << "a proper call is taken after it";
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::reviewer), 1U);
  EXPECT_EQ(host.at("T1").review.proved_by, std::vector<std::string>{"test T1"});
}

TEST(Review, APassWithoutAReceiptSaysWhatToRun) {
  expect_refused([](Turn& turn) { return turn.review(passing()); },
                 {"`test T1` has no receipt", "run it with bash"});
}

TEST(Review, APassWithARedReceiptIsRefused) {
  expect_refused(
      [](Turn& turn) {
        turn.run("test T1", 0);
        turn.run("test T1", 2);
        return turn.review(passing());
      },
      {"`test T1` ended with exit code 2"});
}

TEST(Review, APassWithAStaleReceiptIsRefused) {
  expect_refused(
      [](Turn& turn) {
        turn.run("test T1");
        turn.host.touch("src/T1.cc");
        return turn.review(passing());
      },
      {"`test T1` ran before the files last changed", "run it again"});
}

TEST(Review, ARunDuringWhichFilesChangedIsNoProof) {
  expect_refused(
      [](Turn& turn) {
        turn.run_while("test T1", [&] { turn.host.touch("src/T1.cc"); });
        return turn.review(passing());
      },
      {"`test T1` proves nothing", "changed while it ran", "Run it again"});
}

TEST(Review, ARunWhoseStartWasNotObservedIsNoProof) {
  expect_refused(
      [](Turn& turn) {
        CommandRan ran{turn.session, "test T1", "", 0, "", turn.host.files_hash(turn.session)};
        ran.begun_hash = CommandRan::kUnseen;
        turn.host.deliver(ran);
        return turn.review(passing());
      },
      {"`test T1` proves nothing"});
}

TEST(Review, AnOldLogsReceiptsStayValid) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::reviewer, [](Turn& turn) {
    turn.host.deliver(
        CommandRan{turn.session, "test T1", "", 0, "", turn.host.files_hash(turn.session)});
    EXPECT_TRUE(turn.review(passing()).ok);
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

TEST(Review, EachTaskAndTheMissionNameTheReceiptsThatProvedThem) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.task_command("build it");
  host.run();
  ASSERT_EQ(host.at("T1").review.proofs.size(), 1U);
  EXPECT_EQ(host.at("T1").review.proofs[0].command, "test T1");
  EXPECT_NE(host.at("T1").review.proofs[0].receipt, "");
  ASSERT_EQ(host.state.master_review.proofs.size(), 1U);
  EXPECT_EQ(host.state.master_review.proofs[0].receipt, host.state.receipt_head);
  const std::string words =
      "proved by `test T1` (receipt " + host.at("T1").review.proofs[0].receipt + ")";
  EXPECT_NE(status_text(host.state).find(words), std::string::npos) << status_text(host.state);
}

TEST(Review, AReceiptOfAnotherSessionDoesNotCount) {
  expect_refused(
      [](Turn& turn) {
        turn.host.deliver(CommandRan{turn.host.at("T1").session, "test T1", "", 0, "",
                                     turn.host.files_hash(turn.session)});
        return turn.review(passing());
      },
      {"no receipt"});
}

TEST(Review, ACommandInAnotherDirectoryDoesNotCount) {
  expect_refused(
      [](Turn& turn) {
        turn.host.deliver(
            CommandRan{turn.session, "test T1", "sub", 0, "", turn.host.files_hash(turn.session)});
        return turn.review(passing());
      },
      {"no receipt", "from the directory that your prompt names"});
}

TEST(Review, APassWithAnErrorFindingIsRefused) {
  expect_refused(
      [](Turn& turn) {
        turn.run_verify();
        ReviewArgs args = passing();
        args.findings = {{"", 0, Severity::warning, "meh"}, {"", 0, Severity::error, "broken"}};
        return turn.review(args);
      },
      {"findings[1] is an error"});
}

TEST(Review, APassWithANewSyntaxErrorIsRefused) {
  expect_refused(
      [](Turn& turn) {
        turn.run_verify();
        return turn.host.deliver(ReviewSubmitted{RequestId("x"),
                                                 turn.session,
                                                 passing(),
                                                 {},
                                                 turn.host.files_hash(turn.session),
                                                 {"src/T1.cc:3: missing }"}});
      },
      {"src/T1.cc:3: missing }"});
}

TEST(Review, ClaimsNeedReceiptsInAPassAndInAReject) {
  const auto claim = [](Verdict verdict) {
    return [verdict](Turn& turn) {
      turn.run_verify();
      ReviewArgs args;
      args.verdict = verdict;
      args.findings = {{"", 0, Severity::warning, "meh"}};
      args.evidence = {{"test T1", 0}, {"make", 0}, {"test T1", 1}};
      return turn.review(args);
    };
  };
  for (const Verdict verdict : {Verdict::pass, Verdict::reject}) {
    expect_refused(claim(verdict), {"evidence[1]: no receipt of `make`", "run it with bash",
                                    "submit when it has ended; or leave it out",
                                    "evidence[2]: `test T1` ended with exit code 0, not 1"});
  }
}

TEST(Review, AWrongTaskIsRefusedWithTheRightOne) {
  expect_refused(
      [](Turn& turn) {
        turn.run_verify();
        ReviewArgs args = passing();
        args.task = TaskId("T7");
        return turn.review(args);
      },
      {"this session holds \"T1\", not \"T7\""});
}

TEST(Review, AVerdictIsNeededAndARejectSaysWhy) {
  expect_refused([](Turn& turn) { return turn.review({}); }, {"verdict"});
  expect_refused(
      [](Turn& turn) {
        ReviewArgs args;
        args.verdict = Verdict::reject;
        args.findings = {{"", 0, Severity::note, "nice"}};
        return turn.review(args);
      },
      {"a reject needs at least one"});
  expect_refused(
      [](Turn& turn) {
        ReviewArgs args;
        args.verdict = Verdict::reject;
        args.findings = {{"", 0, Severity::error, " \n"}};
        return turn.review(args);
      },
      {"findings[0].message: empty"});
}

TEST(Review, TheMasterReviewNeedsTheMissionsOwnReceipts) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.options.verify = {"lint"};
  host.script(Role::master_reviewer, [&](Turn& turn) {
    turn.run("test all");
    ReviewArgs args = passing();
    args.task = TaskId("T1");
    const Answer refused = turn.review(args);
    EXPECT_TRUE(refused.says("`lint` has no receipt"));
    EXPECT_TRUE(refused.says("this session holds \"mission\", not \"T1\""));
    turn.run("lint");
    args.task = TaskId("mission");
    EXPECT_TRUE(turn.review(args).ok);
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.state.master_review.proved_by, (std::vector<std::string>{"lint", "test all"}));
}

// ---- convergence --------------------------------------------------------------------------------

/// A Master Reviewer that finds so many things in its first, second … review.
std::unique_ptr<FakeHost> host_that_finds(const std::vector<std::size_t>& counts) {
  auto host = std::make_unique<FakeHost>();
  host->plan = plan_of({task("T1")});
  host->options.limits.iterations = 20;
  auto review = std::make_shared<std::size_t>(0);
  host->script(Role::master_reviewer, [counts, review](Turn& turn) {
    const std::size_t found = *review < counts.size() ? counts[*review] : 0;
    ++*review;
    if (found == 0) return void(turn.pass());
    ReviewArgs args;
    args.verdict = Verdict::reject;
    for (std::size_t i = 0; i < found; ++i)
      args.findings.push_back(Finding{"", 0, Severity::error, "finding " + std::to_string(i)});
    args.findings.push_back(Finding{"", 0, Severity::note, "not counted"});
    EXPECT_TRUE(turn.review(args).ok);
  });
  host->task_command("build it --background");
  host->run();
  return host;
}

MISSION_SCENARIO(Convergence, FewerFindingsInEachIterationGoOn) {
  const auto host = host_that_finds({4, 3, 2, 2, 1});
  EXPECT_EQ(host->state.phase, Phase::sealed) << host->state.reason;
  EXPECT_EQ(host->state.master_review.findings_by_iteration,
            (std::vector<std::uint32_t>{4, 3, 2, 2, 1}));
  EXPECT_NE(status_text(host->state).find("Master Reviews: 4, 3, 2, 2, 1, then none"),
            std::string::npos)
      << status_text(host->state);
}

MISSION_SCENARIO(Convergence, TwoIterationsWithoutFewerFindingsBlockWithTheList) {
  const auto host = host_that_finds({3, 2, 2, 2, 2, 2});
  EXPECT_EQ(host->state.phase, Phase::blocked);
  EXPECT_EQ(host->state.iteration, 4U) << "no fifth was begun";
  EXPECT_NE(host->state.reason.find("(3, 2, 2, 2)"), std::string::npos) << host->state.reason;
  EXPECT_NE(host->state.reason.find("\n- finding 0\n- finding 1"), std::string::npos);
  for (const Task& each : host->state.tasks) EXPECT_EQ(each.status, TaskStatus::done);
}

MISSION_SCENARIO(Convergence, AResumeByAPersonGrantsNewIterations) {
  const auto host = host_that_finds({2, 2, 2, 2, 1});
  ASSERT_EQ(host->state.phase, Phase::blocked);
  host->resume();
  host->run();
  EXPECT_EQ(host->state.phase, Phase::sealed) << host->state.reason;
  EXPECT_EQ(host->state.master_review.findings_by_iteration,
            (std::vector<std::uint32_t>{2, 2, 2, 2, 1}));
}

TEST(Convergence, ASingleFindingIsVerifiedByTheMissionsCommandsAndSeveralByThoseOfTheirFiles) {
  FakeHost host;
  host.plan = plan_of({task("T1"), task("T2")});
  int reviews = 0;
  host.script(Role::master_reviewer, [&](Turn& turn) {
    ++reviews;
    if (reviews == 1) {
      ReviewArgs args;
      args.verdict = Verdict::reject;
      args.findings = {Finding{"src/T2.cc", 3, Severity::error, "wrong"},
                       Finding{"", 0, Severity::warning, "where the parts meet"},
                       Finding{"docs/x.md", 0, Severity::error, "of no task"}};
      turn.review(args);
    } else if (reviews == 2) {
      turn.reject("one thing is left");
    } else {
      turn.pass();
    }
  });
  host.task_command("build it");
  host.run();
  ASSERT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.at("F1.1").review.proved_by, std::vector<std::string>{"test T2"});
  EXPECT_TRUE(host.at("F1.2").spec.verify.empty());
  EXPECT_TRUE(host.at("F1.3").spec.verify.empty());
  EXPECT_EQ(host.at("F2.1").review.proved_by, std::vector<std::string>{"test all"});
}

TEST(Convergence, AFindingIsNotVerifiedByTheCommandsOfADroppedTask) {
  FakeHost host;
  host.plan = plan_of({task("T1", {}, {"src/T2.cc"}), task("T2", {"T3"}), task("T3")});
  host.script(Role::worker, [](Turn& turn) {
    if (turn.task == TaskId("T1")) return turn.hang();
    turn.do_work();
  });
  int reviews = 0;
  host.script(Role::master_reviewer, [&](Turn& turn) {
    if (++reviews > 1) return void(turn.pass());
    ReviewArgs args;
    args.verdict = Verdict::reject;
    args.findings = {Finding{"src/T2.cc", 3, Severity::error, "wrong"},
                     Finding{"src/T3.cc", 3, Severity::error, "wrong too"}};
    turn.review(args);
  });
  host.task_command("build it");
  host.run_until([&] { return host.running("T1"); });
  Turn commander{host, host.state.root_session, Role::commander, "", TaskId{}, 1};
  TodoArgs drop;
  drop.id = TaskId("T1");
  drop.status = TodoStatus::dropped;
  EXPECT_TRUE(commander.todo(drop).ok);
  host.run();
  ASSERT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.at("F1.1").review.proved_by, std::vector<std::string>{"test T2"});
  EXPECT_EQ(host.at("F1.2").review.proved_by, std::vector<std::string>{"test T3"});
}

TEST(Review, AReceiptStaysValidWhenAnotherSessionRunsTheSameCommand) {
  FakeHost host;
  host.plan = plan_of({task("T1"), task("T2")});
  host.script(Role::worker, [](Turn& turn) {
    turn.run("make", turn.task == TaskId("T1") ? 0 : 2);
    turn.hang();
  });
  host.task_command("--parallel 2 build it");
  const auto receipts_of = [&](const char* id) {
    return std::ranges::count(host.state.receipts, host.at(id).session, &Receipt::session);
  };
  host.run_until([&] {
    return host.running("T1") && host.running("T2") && receipts_of("T1") + receipts_of("T2") == 2;
  });
  EXPECT_EQ(receipts_of("T1"), 1);
  EXPECT_EQ(receipts_of("T2"), 1);
  for (const auto& [id, exit_code] : {std::pair{"T1", 0}, std::pair{"T2", 2}}) {
    Turn worker{host, host.at(id).session, Role::worker, "", TaskId(id), 1};
    WorkArgs args;
    args.summary = "Did it";
    args.evidence = {CommandClaim{"make", exit_code}};
    EXPECT_TRUE(worker.work(args).ok) << id;
  }
}

TEST(Review, ABlockedTaskNamesItsWorstFinding) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.options.limits.attempts = 1;
  host.script(Role::reviewer, [](Turn& turn) {
    ReviewArgs args;
    args.verdict = Verdict::reject;
    args.findings = {Finding{"", 0, Severity::note, "a matter of taste"},
                     Finding{"", 0, Severity::error, "it loses data"},
                     Finding{"", 0, Severity::warning, "it is slow"}};
    turn.review(args);
  });
  host.task_command("build it");
  host.run();
  ASSERT_EQ(host.state.phase, Phase::blocked);
  EXPECT_NE(host.at("T1").note.find("it loses data"), std::string::npos) << host.at("T1").note;
}

TEST(Review, ASecondVerdictIsRefused) {
  FakeHost host;
  host.plan = plan_of({task("T1"), task("T2", {"T1"})});
  host.script(Role::reviewer, [&](Turn& turn) {
    EXPECT_TRUE(turn.pass().ok);
    EXPECT_TRUE(turn.reject("no, wait").says("end your turn"));
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

MISSION_SCENARIO(Review, AReviewerWithoutAVerdictIsContinuedThenReplaced) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  int sessions = 0;
  host.script(Role::reviewer, [&](Turn& turn) {
    if (turn.number == 1) ++sessions;
    if (sessions == 2) turn.pass();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::reviewer), 2U);
  EXPECT_EQ(host.sessions_of(Role::worker), 1U);
}

MISSION_SCENARIO(Review, ReviewersThatNeverGiveAVerdictBlockTheTask) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::reviewer, [](Turn&) {});
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked);
  EXPECT_NE(host.state.reason.find("no Reviewer gave a verdict"), std::string::npos);
  EXPECT_EQ(host.sessions_of(Role::reviewer), 3U);
}

MISSION_SCENARIO(Review, TheReasonOfABlockNamesTheLastRefusal) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  // As a Reviewer without bash: it would pass, and cannot prove it.
  host.script(Role::reviewer, [](Turn& turn) {
    ReviewArgs args;
    args.verdict = Verdict::pass;
    turn.review(args);
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::blocked);
  EXPECT_NE(host.state.reason.find("has no receipt of this session"), std::string::npos)
      << host.state.reason;
}

// ---- work ---------------------------------------------------------------------------------------

TEST(Work, AllProblemsAreListedAndACorrectCallIsAccepted) {
  FakeHost host;
  host.plan = plan_of({task("T1"), task("T2", {"T1"})});
  host.script(Role::worker, [&](Turn& turn) {
    WorkArgs args;
    args.task = TaskId("T9");
    args.summary = "done";
    args.files = {"src/T1.cc", "../x"};
    args.evidence = {{"make", 0}};
    args.follow_ups = {task("T1"), task("T3", {"T77"})};
    const Answer refused = turn.work(args);
    for (const char* part : {"this session holds", "files[1]: \"../x\"", "no receipt of `make`",
                             "follow_ups[0].id: \"T1\" is used twice", "follow_ups[1].deps[0]"}) {
      EXPECT_TRUE(refused.says(part)) << part;
    }
    EXPECT_TRUE(turn.do_work().ok);
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.state.tasks.size(), 2U);
}

TEST(Work, AnotherSessionMayNotSubmit) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  host.script(Role::reviewer, [&](Turn& turn) {
    EXPECT_TRUE(turn.work({}).says("only its worker"));
    turn.pass();
  });
  host.task_command("build it");
  host.run_for(20);
  const Answer stranger =
      host.deliver(WorkSubmitted{RequestId("x"), SessionId("stranger"), {}, {}});
  EXPECT_TRUE(stranger.says("no session of mission m-1"));
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_TRUE(host.deliver(WorkSubmitted{RequestId("y"), SessionId("stranger"), {}, {}})
                  .says("no mission is active"));
}

MISSION_SCENARIO(Work, AReplacedWorkerMayNotSubmit) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  SessionId first;
  int late = 0;
  host.script(Role::worker, [&](Turn& turn) {
    if (first.empty()) first = turn.session;
    if (turn.session != first) turn.do_work();
  });
  host.task_command("build it");
  // The successor is being made, and is not there yet.
  host.run_until([&] { return host.sessions_of(Role::worker) == 2; });
  EXPECT_EQ(host.at("T1").status, TaskStatus::running);
  for (; late < 20; ++late) {
    const RequestId request("late" + std::to_string(late));
    EXPECT_FALSE(
        host.deliver(WorkSubmitted{request, first, {TaskId("T1"), "late", {}, {}, {}}, {}}).ok);
  }
  EXPECT_EQ(host.at("T1").status, TaskStatus::running);
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.at("T1").attempt, 2U)
      << "refused calls of the old session cost the new one nothing";
}

MISSION_SCENARIO(Work, AWorkerThatIsAlwaysRefusedIsReplaced) {
  FakeHost host;
  host.plan = plan_of({task("T1")});
  int sessions = 0;
  host.script(Role::worker, [&](Turn& turn) {
    if (turn.number == 1) ++sessions;
    if (sessions > 1) return void(turn.do_work());
    WorkArgs args;
    args.files = {"/outside"};
    for (int i = 0; i < 8; ++i) turn.work(args);
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_EQ(host.sessions_of(Role::worker), 2U);
}

TEST(Work, RefusalsAfterTheSubmissionAreHarmless) {
  FakeHost host;
  host.plan = plan_of({task("T1"), task("T2", {"T1"})});
  host.script(Role::worker, [&](Turn& turn) {
    turn.do_work();
    for (int i = 0; i < 20; ++i) EXPECT_FALSE(turn.do_work().ok);
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

// ---- writes -------------------------------------------------------------------------------------

TEST(Write, AFileOfAnotherRunningTaskIsRefusedAndAFreeOneGrowsTheClaim) {
  FakeHost host;
  host.plan = plan_of(
      {task("T1", {}, {"src/a/**"}), task("T2", {}, {"src/b.cc"}), task("T3", {"T1", "T2"})});
  host.script(Role::worker, [](Turn& turn) { turn.hang(); });
  host.task_command("build it");
  host.run_until([&] { return host.running("T2") && !host.at("T2").session.empty(); });
  const SessionId t1 = host.at("T1").session;
  const SessionId t2 = host.at("T2").session;
  EXPECT_EQ(why_not_write(host.state, t1, "src/a/x.cc"), "");
  EXPECT_NE(why_not_write(host.state, t2, "src/a/x.cc").find("T1"), std::string::npos);
  EXPECT_NE(why_not_write(host.state, t2, "./src//a/x.cc").find("T1"), std::string::npos);
  EXPECT_NE(why_not_write(host.state, t1, "../x").find("outside"), std::string::npos);
  EXPECT_NE(why_not_write(host.state, t1, "/etc/x").find("outside"), std::string::npos);
  for (const char* own : {".opencode/todo.md", ".opencode/mission_loop.json",
                          ".opencode/orchestrator/x.wal", ".git/hooks/pre-commit"}) {
    EXPECT_NE(why_not_write(host.state, t1, own).find("refused"), std::string::npos) << own;
    EXPECT_NE(why_not_write(host.state, SessionId("root"), own), "") << own;
    EXPECT_EQ(why_not_write(host.state, SessionId("stranger"), own), "") << "a person's session";
  }
  EXPECT_EQ(why_not_write(host.state, t1, ".opencode/agents.json"), "");
  EXPECT_EQ(why_not_write(host.state, t1, "free.cc"), "");
  host.deliver(FileWritten{t1, "free.cc"});
  EXPECT_NE(why_not_write(host.state, t2, "free.cc").find("T1"), std::string::npos);
  EXPECT_EQ(why_not_write(host.state, SessionId("stranger"), "src/b.cc"), "") << "not ours to say";
  host.stop();
}

// Found by a lying mission in the real OpenCode: the Worker wrote on while its Reviewer looked.
MISSION_SCENARIO(Write, AWorkerThatHasSubmittedMayNotWriteUntilItsRework) {
  FakeHost host;
  host.plan = plan_of({task("T1", {}, {"a.cc"})});
  SessionId worker;
  std::string in_review;
  std::string in_rework = "never asked";
  host.script(Role::worker, [&](Turn& turn) {
    worker = turn.session;
    if (turn.number > 1) in_rework = why_not_write(host.state, worker, "a.cc");
    turn.do_work();
  });
  host.script(Role::reviewer, [&](Turn& turn) {
    if (!in_review.empty()) return void(turn.pass());
    in_review = why_not_write(host.state, worker, "a.cc");
    turn.reject("it is red", "a.cc");
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  EXPECT_NE(in_review.find("T1 is handed in"), std::string::npos) << in_review;
  EXPECT_EQ(in_rework, "");
}

// Found by the simulator, seed 3025922.
MISSION_SCENARIO(Write, AWorkerOfAStoppedMissionMayNotWrite) {
  FakeHost host;
  host.plan = plan_of({task("T1", {}, {"a.cc"}), task("T2", {}, {"b.cc"})});
  host.script(Role::worker, [](Turn& turn) { turn.hang(); });
  host.task_command("build it");
  host.run_until([&] { return host.running("T2") && !host.at("T2").session.empty(); });
  const SessionId worker = host.at("T2").session;
  host.deliver(StopRequested{RequestId("stop"), host.state.root_session, ""});
  ASSERT_EQ(host.state.phase, Phase::cancelled);
  EXPECT_NE(why_not_write(host.state, worker, "b.cc").find("over"), std::string::npos)
      << "the host has not said yet that its turn has stopped";
  host.deliver(FileWritten{worker, "a.cc"});
  EXPECT_TRUE(host.at("T2").progress.touched.empty());
  host.run();
  EXPECT_EQ(why_not_write(host.state, worker, "a.cc"), "") << "a person's, from here on";
}

MISSION_SCENARIO(Write, ATaskWithoutFilesClaimsTheFilesThatItWrites) {
  FakeHost host;
  host.plan = plan_of({task("T1"), task("T2")});
  for (TaskSpec& spec : host.plan.tasks) spec.files.clear();
  host.script(Role::worker, [&](Turn& turn) {
    turn.write("shared.cc");
    turn.do_work();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  const std::size_t holders =
      host.at("T1").progress.touched.size() + host.at("T2").progress.touched.size();
  EXPECT_EQ(holders, 1U) << "the second write was refused";
}

}  // namespace
}  // namespace orchestrator::test
