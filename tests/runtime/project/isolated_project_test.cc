// A project whose mission works in worktrees, with the machine's own git.
#include <gtest/gtest.h>

#include <cstdlib>

#include "runtime/git/worktree_service.h"
#include "runtime/support/git_repository.h"
#include "runtime/support/project_story.h"
#include "support/broken_disk.h"

namespace orchestrator::runtime {
namespace {

class IsolatedProjectTest : public ProjectTest {
 protected:
  IsolatedProjectTest() {
    make_git_repository(root());
    write("src/kept.js", "let kept = 1\n");
    git({"add", "--all"});
    git({"commit", "--quiet", "--message", "Before"});
    write(".opencode/orchestrator.json", R"({"isolation": "worktree"})");
    restart();
  }

  void restart() {
    project.reset();
    World world{*disk, [this] { return ++chance * 0x9E3779B97F4A7C15U; }, true, observer};
    world.trees = [](const std::string& top) { return make_git_keeper(top, std::getenv("PATH")); };
    project =
        make_project(root(), R"({"options":{},"agents":["worker"]})", outbox, std::move(world));
    say({{"type", "hello"}, {"mode", "serve"}});
  }

  std::string git(const std::vector<std::string>& arguments) { return run_git(root(), arguments); }

  [[nodiscard]] std::string tree() const { return outbox.last("create_session")["directory"]; }
  json may_write(const std::string& session, const std::string& path) {
    return ask({{"type", "write_asked"}, {"session", session}, {"paths", {path}}});
  }
  Observer* observer = nullptr;

  void dispose() {
    const json effect = outbox.last("dispose_directory");
    ASSERT_FALSE(effect.is_null());
    say({{"type", "directory_disposed"}, {"effect", effect["effect"]}});
  }
};

TEST_F(IsolatedProjectTest, AWorkersFilesAreThoseOfItsWorktree) {
  until_work();
  const std::string where = tree();
  ASSERT_TRUE(where.starts_with(root() + "/.opencode/orchestrator/worktrees/m-")) << where;
  EXPECT_TRUE(fs::exists(where + "/src/kept.js"));
  EXPECT_TRUE(may_write("worker", "src/b.js")["ok"]);
  EXPECT_TRUE(may_write("worker", where + "/src/c.js")["ok"]);
  const json refused = may_write("worker", root() + "/src/b.js");
  EXPECT_FALSE(refused["ok"]);
  EXPECT_NE(refused["text"].get<std::string>().find("outside"), std::string::npos) << refused;

  std::ofstream(where + "/src/b.js") << "let b = (\n";
  const json checked =
      ask({{"type", "check_asked"}, {"session", "worker"}, {"paths", {"src/b.js"}}});
  EXPECT_NE(checked["text"].get<std::string>().find("src/b.js"), std::string::npos) << checked;
  std::ofstream(where + "/src/b.js") << "let b = 1\n";
  call("submit_work", "worker", {{"summary", "done"}, {"files", {where + "/src/b.js"}}});
  create("reviewer");
  EXPECT_EQ(tree(), where);

  // What proves it is the state of the worktree, not of the project.
  run("reviewer", "check", 0);
  write("src/b.js.txt", "a person's\n");
  EXPECT_TRUE(pass("reviewer")["ok"]);
  EXPECT_EQ(read("src/b.js"), "let b = 1\n");
  EXPECT_EQ(read("src/b.js.txt"), "a person's\n");
  // No session works in it any more.
  for (const char* session : {"worker", "reviewer"})
    say({{"type", "session_idled"}, {"session", session}});
  dispose();
  EXPECT_FALSE(fs::exists(where));
  EXPECT_EQ(outbox.last("create_session")["role"], "master-reviewer");
  EXPECT_EQ(tree(), "");
}

TEST_F(IsolatedProjectTest, WorktreesOfACrashedProcessAreReusedAndRemovedInTheEnd) {
  until_work();
  const std::string where = tree();
  std::ofstream(where + "/src/b.js") << "let b = 1\n";
  restart();
  EXPECT_TRUE(fs::exists(where + "/src/b.js"));
  say(found(outbox));
  EXPECT_TRUE(may_write("worker", "src/c.js")["ok"]);
  ask({{"type", "stop_requested"}, {"session", "root"}, {"arguments", ""}});
  say({{"type", "session_idled"}, {"session", "worker"}});
  // It dies before anything is removed; the next process finds a mission that is over.
  ASSERT_TRUE(fs::exists(where));
  restart();
  EXPECT_FALSE(fs::exists(where));
  EXPECT_EQ(git({"for-each-ref", "refs/opencode-orchestrator"}), "");
}

/// The newest event of the log, and of the state when it steps without a log.
struct NewestEvents final : Observer {
  void loaded(const State& /*state*/) override {}
  void storage_failed() override {}
  void stepped(const State& /*state*/, const Event& event, const Effects& effects,
               bool is_logged) override {
    (is_logged ? logged : unlogged) = event.seq;
    if (!is_logged) effects_without_log += effects.size();
  }
  std::uint64_t logged = 0;
  std::uint64_t unlogged = 0;
  std::size_t effects_without_log = 0;
};

/// Found by the simulator (seed 51605707): what a stopped mission did later rested on events that
/// were not in its log.
TEST_F(IsolatedProjectTest, AStoppedMissionOnAFullDiskActsOnItsDurableStateAlone) {
  orchestrator::testing::BrokenDisk broken{os::posix_file_system()};
  disk = &broken;
  NewestEvents newest;
  observer = &newest;
  restart();
  until_work();
  ASSERT_TRUE(ask({{"type", "stop_requested"}, {"session", "root"}, {"arguments", ""}})["ok"]);
  const std::uint64_t durable = newest.logged;
  const auto timers = outbox.timers;
  broken.fail();
  say({{"type", "session_idled"}, {"session", "worker"}});
  ASSERT_GT(newest.logged, durable) << "the mission's log is open until its worktrees are gone";
  for (const auto& [id, delay] : timers) {
    if (id < std::uint64_t{1} << 62U) project->on_timer(id, outbox);  // not the engine's own
  }
  EXPECT_GT(newest.unlogged, 0U);
  EXPECT_LE(newest.unlogged, durable);
  EXPECT_GT(newest.effects_without_log, 0U) << "the stop is asked for again";
  project.reset();  // before the disk
}

TEST_F(IsolatedProjectTest, WithoutGitItReportsThat) {
  fs::remove_all(root() + "/.git");
  ASSERT_TRUE(start_mission()["ok"]);
  EXPECT_NE(outbox.last("show_toast")["text"].get<std::string>().find("No worktrees: "),
            std::string::npos);
  const json status = ask({{"type", "mission_status"}});
  EXPECT_NE(status["text"].get<std::string>().find("Isolation: shared"), std::string::npos);
}

}  // namespace
}  // namespace orchestrator::runtime
