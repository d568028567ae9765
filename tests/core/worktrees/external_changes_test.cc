// File changes that no tool of the host made: to which task they are attributed, and what the
// Master Reviewer reads.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

/// Two Workers at work, each in a file of its own; both are stopped in the middle of their turns.
struct TwoWorkers {
  FakeHost host;
  SessionId one;
  SessionId two;

  TwoWorkers() {
    host.plan = plan_of({task("T1", {}, {"src/a.cc"}), task("T2", {}, {"src/b.cc"})});
    host.script(Role::worker, [](Turn& turn) { turn.hang(); });
    host.task_command("build it");
    host.run_until([&] { return host.running("T1") && host.running("T2"); });
    host.run_for(1000);
    one = host.at("T1").session;
    two = host.at("T2").session;
  }
  void changed(std::vector<std::string> paths, std::vector<SessionId> ran) {
    host.deliver(FilesChanged{std::move(paths), 0, std::move(ran)});
  }
  [[nodiscard]] bool touched(const char* id, const std::string& path) {
    const auto& files = host.at(id).progress.touched;
    return std::ranges::find(files, path) != files.end();
  }
};

MISSION_SCENARIO(UnattributedChanges, AClaimedFileIsAttributedToItsTaskEvenIfOthersRanCommands) {
  TwoWorkers at;
  at.changed({"src/a.cc"}, {at.one, at.two});
  EXPECT_TRUE(at.touched("T1", "src/a.cc"));
  EXPECT_TRUE(at.host.state.unattributed.empty());
}

MISSION_SCENARIO(UnattributedChanges,
                 AnUnclaimedFileIsAttributedToTheOnlyWorkerThatRanACommandAndJoinsItsClaim) {
  TwoWorkers at;
  at.changed({"src/generated.cc"}, {at.two});
  EXPECT_TRUE(at.touched("T2", "src/generated.cc"));
  EXPECT_NE(why_not_write(at.host.state, at.one, "src/generated.cc"), "");
}

MISSION_SCENARIO(UnattributedChanges, AnAmbiguousChangeStaysUnattributed) {
  TwoWorkers at;
  at.changed({"free.cc"}, {at.one, at.two});
  at.changed({"README.md"}, {});
  at.changed({"src/b.cc"}, {at.one});
  ASSERT_EQ(at.host.state.unattributed.size(), 3U);
  EXPECT_EQ(at.host.state.unattributed[0].session, SessionId{});
  EXPECT_EQ(at.host.state.unattributed[2].session, at.one) << "in a file of another running task";
  EXPECT_FALSE(at.touched("T2", "src/b.cc"));
  at.changed({"src/b.cc"}, {at.two});
  EXPECT_EQ(at.host.state.unattributed.size(), 2U) << "it has its Worker now";
}

MISSION_SCENARIO(UnattributedChanges, TheMasterReviewerReadsThem) {
  FakeHost host;
  host.plan = plan_of({task("T1", {}, {"src/a.cc"})});
  host.task_command("build it");
  host.run_until([&] { return host.running("T1"); });
  host.deliver(FilesChanged{{"README.md"}, 3, {}});
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  const auto prompts = host.prompts_that_begin("Mission review");
  ASSERT_EQ(prompts.size(), 1U);
  EXPECT_NE(prompts[0].text.find("- README.md (no known command wrote it"), std::string::npos)
      << prompts[0].text;
  EXPECT_NE(prompts[0].text.find("- and 3 more"), std::string::npos);
}

MISSION_SCENARIO(UnattributedChanges, TheMasterReviewerReadsWhoseCommandItWas) {
  FakeHost host;
  host.plan = plan_of({task("T1", {}, {"src/a.cc"})});
  host.script(Role::reviewer, [&](Turn& turn) {
    host.deliver(FilesChanged{{"docs/made.md"}, 0, {turn.session}});
    turn.pass();
  });
  host.task_command("build it");
  host.run();
  EXPECT_EQ(host.state.phase, Phase::sealed);
  const auto prompts = host.prompts_that_begin("Mission review");
  ASSERT_EQ(prompts.size(), 1U);
  EXPECT_NE(prompts[0].text.find("- docs/made.md (a command of the reviewer of T1"),
            std::string::npos)
      << prompts[0].text;
}

MISSION_SCENARIO(UnattributedChanges, FilesOfASubmissionAreAttributedToItsTask) {
  TwoWorkers at;
  Turn worker{at.host, at.one, Role::worker, "", TaskId("T1"), 1};
  WorkArgs args;
  args.summary = "Did it";
  args.files = {"src/a.cc", "./docs//new.md"};
  EXPECT_TRUE(worker.work(args).ok);
  EXPECT_TRUE(at.touched("T1", "src/a.cc"));
  EXPECT_TRUE(at.touched("T1", "docs/new.md"));
  EXPECT_NE(why_not_write(at.host.state, at.two, "docs/new.md"), "");
}

MISSION_SCENARIO(UnattributedChanges, TheListIsBoundedAndPathsOutsideTheProjectAreIgnored) {
  TwoWorkers at;
  std::vector<std::string> paths{"/etc/passwd", "../x"};
  for (int i = 0; i < 300; ++i) paths.push_back("f" + std::to_string(i));
  at.changed(paths, {});
  EXPECT_EQ(at.host.state.unattributed.size(), 200U);
  EXPECT_EQ(at.host.state.unattributed_left_out, 100U);
}

}  // namespace
}  // namespace orchestrator::test
