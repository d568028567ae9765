// Changes that no tool of the host made, found in real directories.
#include "runtime/code/change_detector.h"

#include <gtest/gtest.h>

#include "runtime/support/project_story.h"

namespace orchestrator::runtime {
namespace {

class ChangeDetectorTest : public ProjectTest {
 protected:
  [[nodiscard]] json now() {
    for (int i = 0; i < 2; ++i) project->on_timer(std::uint64_t{1} << 62U, outbox);
    return json::parse(read(".opencode/mission_loop.json"));
  }
  [[nodiscard]] json touched() { return now()["tasks"][0]["progress"]["touched"]; }
  [[nodiscard]] std::vector<std::string> strays() {
    std::vector<std::string> paths;
    const json state = now();
    for (const json& stray : state["unattributed"]) paths.push_back(stray["path"]);
    return paths;
  }
};

using Paths = std::vector<std::string>;

TEST_F(ChangeDetectorTest, AFileWrittenByAWorkersShellBelongsToItsTask) {
  write(".gitignore", "build/\n");
  write("src/old.js", "let old = 1\n");
  until_work();
  run("worker", "generate", 0, [&] {
    write("src/made.js", "let made = 1\n");
    write("docs/made.md", "# Made\n");
    write("build/out.o", "ignored");
    fs::remove(root() + "/src/old.js");
  });
  const json files = touched();
  EXPECT_EQ(files, json({"docs/made.md", "src/a.js", "src/made.js", "src/old.js"})) << files;
  EXPECT_EQ(strays(), Paths{});
}

TEST_F(ChangeDetectorTest, AChangeWithoutACommandIsShownToTheMasterReviewer) {
  write("README.md", "# Project\n");
  until_work();
  run("worker", "try", 0);
  hand_in();
  run("reviewer", "check", 0);
  write("README.md", "# A person was here\n");
  EXPECT_TRUE(pass("reviewer")["ok"]);
  create("master");
  EXPECT_EQ(strays(), Paths{}) << "the detector has not looked since";
  run("master", "check", 0);
  EXPECT_EQ(strays(), Paths{"README.md"});
}

TEST_F(ChangeDetectorTest, APermittedWriteOfAToolIsNoChange) {
  until_work();
  run("worker", "look", 0);
  ask({{"type", "write_asked"}, {"session", "worker"}, {"paths", {root() + "/src/b.js"}}});
  write("src/b.js", "let b = 1\n");
  write("src/c.js", "let c = 1\n");
  run("worker", "look", 0);
  const json files = touched();
  EXPECT_EQ(files, json({"src/a.js", "src/b.js", "src/c.js"})) << files;
  std::vector<FilesChanged> found;
  ChangeDetector watch(
      *disk, root(),
      [&](FilesChanged changed, engine::Outbox&) { found.push_back(std::move(changed)); },
      [&](const std::string& why) { ADD_FAILURE() << why; });
  watch.begin(outbox);
  watch.wrote("src/b.js", outbox.now_ms());
  write("src/b.js", "let b = 22\n");
  write("src/c.js", "let c = 22\n");
  watch.command_ended(SessionId("s"), "c", outbox);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].paths, Paths{"src/c.js"});
}

TEST_F(ChangeDetectorTest, APermittedWriteIsKnownAtTheNextScanHoweverLate) {
  std::vector<Paths> found;
  ChangeDetector watch(
      *disk, root(),
      [&](FilesChanged changed, engine::Outbox&) { found.push_back(std::move(changed.paths)); },
      [&](const std::string& why) { ADD_FAILURE() << why; });
  watch.begin(outbox);
  watch.wrote("by_tool.js", outbox.now_ms());
  write("by_tool.js", "let b = 1\n");
  write("by_shell.js", "let c = 1\n");
  outbox.clock_ms += 20'000;
  watch.command_ended(SessionId("s"), "1", outbox);
  EXPECT_EQ(found, std::vector<Paths>{{"by_shell.js"}});
  // A change of the same file after that scan, and long after the tool, is not the tool's.
  write("by_tool.js", "let b = 22\n");
  watch.command_ended(SessionId("s"), "2", outbox);
  EXPECT_EQ(found, (std::vector<Paths>{{"by_shell.js"}, {"by_tool.js"}}));
}

/// Its pool is late: work and its end come when they are called for.
class LateOutbox final : public FakeOutbox {
 public:
  using Job = std::pair<std::function<void()>, std::function<void(engine::Outbox&)>>;
  void run_on_pool(std::function<void()> work, std::function<void(engine::Outbox&)> done) override {
    jobs.emplace_back(std::move(work), std::move(done));
  }
  std::vector<Job> jobs;
};

TEST_F(ChangeDetectorTest, AScanOfAnEndedMissionIsNotUsedByTheNextMission) {
  LateOutbox late;
  std::vector<Paths> found;
  ChangeDetector watch(
      *disk, root(),
      [&](FilesChanged changed, engine::Outbox&) { found.push_back(std::move(changed.paths)); },
      [&](const std::string& why) { ADD_FAILURE() << why; });
  write("a", "1");
  watch.begin(late);
  ASSERT_EQ(late.jobs.size(), 1U);
  late.jobs[0].first();
  watch.end();
  write("a", "between two missions");
  watch.begin(late);
  ASSERT_EQ(late.jobs.size(), 2U);
  late.jobs[0].second(late);
  late.jobs[1].first();
  late.jobs[1].second(late);
  EXPECT_EQ(found, std::vector<Paths>{});
  write("a", "in the second");
  watch.command_ended(SessionId("s"), "1", late);
  ASSERT_EQ(late.jobs.size(), 3U);
  late.jobs[2].first();
  late.jobs[2].second(late);
  EXPECT_EQ(found, std::vector<Paths>{{"a"}});
}

/// A command that ends during a look is looked after once more.
TEST_F(ChangeDetectorTest, ACommandThatEndsDuringAScanStartsAnotherScan) {
  LateOutbox late;
  std::vector<Paths> found;
  ChangeDetector watch(
      *disk, root(),
      [&](FilesChanged changed, engine::Outbox&) { found.push_back(std::move(changed.paths)); },
      [&](const std::string& why) { ADD_FAILURE() << why; });
  watch.begin(late);
  late.jobs[0].first();
  write("a", "after the look, before its end");
  watch.command_ended(SessionId("s"), "1", late);
  EXPECT_EQ(late.jobs.size(), 1U) << "one look at a time";
  late.jobs[0].second(late);
  ASSERT_EQ(late.jobs.size(), 2U);
  late.jobs[1].first();
  late.jobs[1].second(late);
  EXPECT_EQ(found, std::vector<Paths>{{"a"}});
  EXPECT_EQ(late.jobs.size(), 2U);
}

/// A refused write is an event only for a Worker, which may have to be preempted.
TEST_F(ChangeDetectorTest, ARefusedWriteOfAnUnknownSessionIsNoEvent) {
  until_review();
  const std::uint64_t before = now()["last_seq"];
  const auto refused = [&](const std::string& session, const std::string& path) {
    return !ask({{"type", "write_asked"},
                 {"session", session},
                 {"paths", {path}},
                 {"child", true}})["ok"]
                .get<bool>();
  };
  EXPECT_TRUE(refused("stranger", "src/a.js"));
  EXPECT_TRUE(refused("reviewer", "/etc/passwd"));
  EXPECT_EQ(now()["last_seq"], before);
}

TEST_F(ChangeDetectorTest, AProjectThatCannotBeScannedIsReported) {
  std::vector<FilesChanged> found;
  std::vector<std::string> blind;
  ChangeDetector watch(
      *disk, "/nowhere/at/all",
      [&](FilesChanged changed, engine::Outbox&) { found.push_back(std::move(changed)); },
      [&](const std::string& why) { blind.push_back(why); });
  watch.begin(outbox);
  watch.command_began(SessionId("s"), "c");
  watch.command_ended(SessionId("s"), "c", outbox);
  EXPECT_TRUE(found.empty());
  ASSERT_EQ(blind.size(), 1U);
  EXPECT_NE(blind[0].find("changes through a shell are not found"), std::string::npos);
}

TEST_F(ChangeDetectorTest, EverySessionThatRanACommandMeanwhileIsNamed) {
  std::vector<FilesChanged> found;
  ChangeDetector watch(
      *disk, root(),
      [&](FilesChanged changed, engine::Outbox&) { found.push_back(std::move(changed)); },
      [&](const std::string& why) { ADD_FAILURE() << why; });
  write("a", "1");
  watch.begin(outbox);
  watch.command_began(SessionId("long"), "1");
  watch.command_began(SessionId("short"), "2");
  write("a", "22");
  watch.command_ended(SessionId("short"), "2", outbox);
  write("b", "1");
  watch.command_ended(SessionId("long"), "1", outbox);
  write("c", "1");
  watch.command_began(SessionId("next"), "3");
  watch.command_ended(SessionId("next"), "3", outbox);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].paths, Paths{"a"});
  EXPECT_EQ(found[0].ran, (std::vector<SessionId>{SessionId("long"), SessionId("short")}));
  EXPECT_EQ(found[1].paths, Paths{"b"});
  EXPECT_EQ(found[1].ran, std::vector<SessionId>{SessionId("long")});
  EXPECT_EQ(found[2].paths, Paths{"c"});
  EXPECT_EQ(found[2].ran, std::vector<SessionId>{SessionId("next")});
}

}  // namespace
}  // namespace orchestrator::runtime
