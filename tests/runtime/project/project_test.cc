#include "runtime/project/project.h"

#include <gtest/gtest.h>

#include "os/file_system.h"
#include "runtime/code/project_files.h"
#include "runtime/history/replay.h"
#include "runtime/support/project_story.h"

namespace orchestrator::runtime {
namespace {

TEST_F(ProjectTest, NothingIsWrittenBeforeAMission) {
  ask({{"type", "mission_status"}});
  ask({{"type", "role_asked"}, {"session", "root"}});
  call("submit_review", "root", json::object());
  EXPECT_FALSE(fs::exists(root() + "/.opencode"));
}

TEST_F(ProjectTest, AMissionIsOnDiskBeforeTheReply) {
  const json reply = start_mission("Say \"hi\" to `all`\nin two lines");
  ASSERT_TRUE(reply["ok"]);
  EXPECT_EQ(reply["text"], "Say \"hi\" to `all`\nin two lines");
  const json state = json::parse(read(".opencode/mission_loop.json"));
  EXPECT_EQ(state["phase"], "briefing");
  EXPECT_EQ(state["objective"], "Say \"hi\" to `all`\nin two lines");
  EXPECT_EQ(state["root_session"], "root");
  EXPECT_GT(fs::file_size(root() + "/.opencode/orchestrator/" +
                          state["mission"].get<std::string>() + ".wal"),
            16U);
  EXPECT_EQ(read(".opencode/orchestrator/.gitignore"), "*\n");
  EXPECT_EQ(outbox.watched, std::vector<std::string>{"root"});
}

TEST_F(ProjectTest, ADirectoryThatCannotHoldStateIsNamed) {
  write(".opencode/orchestrator", "a file is in the way");
  const json reply = start_mission();
  EXPECT_FALSE(reply["ok"]);
  EXPECT_NE(reply["text"].get<std::string>().find(".opencode/orchestrator"), std::string::npos);
  EXPECT_FALSE(fs::exists(root() + "/.opencode/mission_loop.json"));
}

TEST_F(ProjectTest, AMissionWithAWrongConfigurationDoesNotStart) {
  write(".opencode/orchestrator.json", R"({"paralel": {"max": 2}})");
  const json reply = start_mission();
  EXPECT_FALSE(reply["ok"]);
  EXPECT_NE(reply["text"].get<std::string>().find("parallel"), std::string::npos);
  EXPECT_FALSE(fs::exists(root() + "/.opencode/mission_loop.json"));
}

/// A proof rests on this hash: a file that it leaves out may change under a green run.
TEST_F(ProjectTest, TheHashOfAClaimChangesWithEveryFileThatItNames) {
  write("src/a.js", "let a = 1\n");
  write("src/deep/b.js", "let b = 1\n");
  write("shared.js", "let c = 1\n");
  write("other.js", "let d = 1\n");
  fs::create_symlink("../shared.js", root() + "/src/link.js");
  const ProjectFiles files(*disk, root());
  for (const std::vector<std::string>& claim :
       {std::vector<std::string>{"src"}, {"src/**"}, {"src/*.js", "src/deep/*"}}) {
    const std::string before = files.hash_of(claim);
    EXPECT_EQ(files.hash_of(claim), before);
    write("other.js", "let d = " + before + "\n");
    EXPECT_EQ(files.hash_of(claim), before) << claim[0];
    for (const char* path : {"src/a.js", "src/deep/b.js", "shared.js"}) {
      const std::string old = read(path);
      write(path, "changed\n");
      EXPECT_NE(files.hash_of(claim), before) << claim[0] << " without " << path;
      write(path, old);
    }
    write("src/new.js", "");
    EXPECT_NE(files.hash_of(claim), before) << claim[0] << " without a new file";
    fs::remove(root() + "/src/new.js");
    EXPECT_EQ(files.hash_of(claim), before) << claim[0];
  }
}

/// A second process in the same directory.
struct Neighbour {
  explicit Neighbour(const std::string& root) : project(make_project(root, "{}", outbox)) {
    say({{"type", "hello"}, {"mode", "run"}});
  }
  json say(const json& message) {
    const std::string text = message.dump();
    project->on_messages(std::span(&text, 1), outbox);
    return outbox.last("reply");
  }
  json command(const char* type) {
    return say(
        {{"type", type}, {"request", type}, {"session", "s"}, {"arguments", ""}, {"mode", "run"}});
  }
  FakeOutbox outbox;
  std::unique_ptr<engine::Directory> project;
};

TEST_F(ProjectTest, AMissionThatAnotherProcessRunsIsNamedAndLeftAlone) {
  ASSERT_TRUE(start_mission()["ok"]);
  Neighbour other(root());
  EXPECT_EQ(other.outbox.last("show_toast")["variant"], "error");
  const std::string mission = json::parse(read(".opencode/mission_loop.json"))["mission"];
  for (const char* type : {"mission_requested", "stop_requested", "resume_requested"}) {
    const json reply = other.command(type);
    EXPECT_FALSE(reply["ok"]) << type;
    const std::string text = reply["text"];
    EXPECT_NE(text.find(mission), std::string::npos) << text;
    EXPECT_NE(text.find("Session: root"), std::string::npos) << text;
    EXPECT_NE(text.find("process"), std::string::npos) << text;
  }
  const json status = other.say({{"type", "mission_status"}, {"request", "q"}});
  EXPECT_NE(status["text"].get<std::string>().find(mission), std::string::npos);
  EXPECT_EQ(other.outbox.last("prompt_session"), nullptr);
}

TEST_F(ProjectTest, AnotherProcessTakesTheMissionOverWhenItsProcessIsGone) {
  until_review();
  Neighbour other(root());
  EXPECT_FALSE(other.command("resume_requested")["ok"]);
  project.reset();
  EXPECT_TRUE(other.command("resume_requested")["ok"]);
  other.say(found(other.outbox));
  EXPECT_EQ(other.outbox.last("prompt_session")["session"], "reviewer");
}

TEST_F(ProjectTest, AFinishedMissionDoesNotHoldItsDirectory) {
  ASSERT_TRUE(start_mission()["ok"]);
  ASSERT_TRUE(ask({{"type", "stop_requested"}, {"session", "root"}, {"arguments", ""}})["ok"]);
  EXPECT_EQ(json::parse(read(".opencode/mission_loop.json"))["phase"], "cancelled");
  Neighbour other(root());
  json reply = other.say({{"type", "mission_requested"},
                          {"request", "x"},
                          {"session", "s"},
                          {"arguments", "Next"},
                          {"mode", "run"}});
  EXPECT_TRUE(reply["ok"]) << reply;
  say({{"type", "session_idled"}, {"session", "root"}});  // late news of the old one
  EXPECT_EQ(json::parse(read(".opencode/mission_loop.json"))["objective"], "Next");
  EXPECT_NE(ask({{"type", "mission_status"}})["text"].get<std::string>().find("Next"),
            std::string::npos);
}

TEST_F(ProjectTest, StandingAnswersEqualTheReplies) {
  const auto asked = [&](const std::string& session) {
    json said = ask({{"type", "role_asked"}, {"session", session}})["data"];
    EXPECT_EQ(said["type"], "role");
    said.erase("type");
    return said;
  };
  ASSERT_TRUE(start_mission("Build it --budget 100ktok")["ok"]);
  EXPECT_EQ(json::parse(outbox.session_info["root"]), asked("root"));
  EXPECT_TRUE(json::parse(outbox.session_info["root"])["capped"]);
  call("submit_plan", "root",
       {{"summary", "s"},
        {"verify", {"check"}},
        {"tasks", {{{"id", "T1"}, {"title", "One"}, {"files", {"src/**"}}}}}});
  call("mission_run", "root", json::object());
  create("worker");
  EXPECT_EQ(json::parse(outbox.session_info["worker"]), asked("worker"));
  EXPECT_EQ(json::parse(outbox.session_info["worker"])["role"], "worker");
  say({{"type", "session_compacted"}, {"session", "worker"}});
  EXPECT_EQ(outbox.session_info["worker"], "") << "its card changes with its task";
  EXPECT_NE(asked("worker")["card"], "");
  ASSERT_TRUE(ask({{"type", "stop_requested"}, {"session", "root"}, {"arguments", ""}})["ok"]);
  EXPECT_EQ(outbox.session_info["root"], "");
  EXPECT_NE(asked("worker")["stopped"], "");
}

TEST_F(ProjectTest, AfterItsSubmissionASessionMayNotAskItsModelUntilItIsPromptedAgain) {
  const auto stopped = [&](const std::string& session) {
    return ask({{"type", "role_asked"}, {"session", session}})["data"]["stopped"]
        .get<std::string>();
  };
  until_work();
  EXPECT_NE(outbox.session_info["worker"], "");
  EXPECT_EQ(stopped("worker"), "");
  ASSERT_TRUE(call("submit_work", "worker", {{"summary", "done"}, {"files", json::array()}})["ok"]);
  EXPECT_EQ(outbox.session_info["worker"], "") << "taken back in the same batch as the answer";
  EXPECT_EQ(stopped("worker"), "Submitted. This session waits for its review.");
  create("reviewer");
  EXPECT_EQ(stopped("reviewer"), "");
  ASSERT_TRUE(call(
      "submit_review", "reviewer",
      {{"verdict", "reject"}, {"findings", {{{"message", "red"}, {"severity", "error"}}}}})["ok"]);
  EXPECT_EQ(stopped("reviewer"), "Submitted. The review is taken, and this session is done.");
  // The error that ends the Worker's turn, an idle before its time, and the real one.
  const auto prompted = [&] { return outbox.last("prompt_session")["session"] == "worker"; };
  say({{"type", "session_errored"},
       {"session", "worker"},
       {"name", "UnknownError"},
       {"message", "Submitted. This session waits for its review."}});
  say({{"type", "session_idled"}, {"session", "worker"}});
  EXPECT_FALSE(prompted());
  say({{"type", "session_idled"}, {"session", "worker"}});
  EXPECT_TRUE(prompted());
  EXPECT_EQ(stopped("worker"), "");
}

TEST_F(ProjectTest, AStopTakesBackStandingAnswers) {
  until_work();
  EXPECT_NE(outbox.session_info["worker"], "");
  say({{"type", "stop_requested"}, {"request", "r"}, {"session", "root"}, {"arguments", ""}});
  EXPECT_EQ(outbox.session_info["worker"], "");
}

TEST_F(ProjectTest, APassNeedsAFreshGreenRunOfTheReviewersOwn) {
  until_review();
  json reply = pass("reviewer");
  EXPECT_FALSE(reply["ok"]);
  EXPECT_NE(reply["text"].get<std::string>().find("check"), std::string::npos);
  run("worker", "check", 0);  // of another session
  EXPECT_FALSE(pass("reviewer")["ok"]);
  run("reviewer", "check", 1);
  EXPECT_FALSE(pass("reviewer")["ok"]);
  run("reviewer", "check", 0);
  write("src/new.js", "let late = 2\n");  // into the claim, by whatever hand
  reply = pass("reviewer");
  EXPECT_FALSE(reply["ok"]);
  EXPECT_NE(reply["text"].get<std::string>().find("before the files last changed"),
            std::string::npos);
  run("reviewer", "check", 0);
  EXPECT_TRUE(pass("reviewer")["ok"]);
}

TEST_F(ProjectTest, ARunDuringWhichAFileChangedOrWhoseStartWasNotObservedIsNoProof) {
  until_review();
  const auto refused = [&](const char* part) {
    const json reply = pass("reviewer");
    EXPECT_FALSE(reply["ok"]);
    EXPECT_NE(reply["text"].get<std::string>().find(part), std::string::npos) << reply;
  };
  run("reviewer", "check", 0, [&] { write("src/a.js", "let a = 2\n"); });
  refused("changed while it ran");
  run("reviewer", "check", 0, [&] { write("src/new.js", "let b = 2\n"); });
  refused("changed while it ran");
  say({{"type", "command_ran"},
       {"session", "reviewer"},
       {"command", "check"},
       {"workdir", ""},
       {"exit_code", 0},
       {"output", "out"}});
  refused("proves nothing");
  run("reviewer", "check", 0, [&] { write("elsewhere.js", "not the task's\n"); });
  EXPECT_TRUE(pass("reviewer")["ok"]);
}

TEST_F(ProjectTest, ACheckNamesTheErrorsOfAWriteAndReceiptsAreAChain) {
  until_work();
  const auto check = [&](const std::string& session, const std::string& path) {
    return ask({{"type", "check_asked"}, {"session", session}, {"paths", {path}}})["text"]
        .get<std::string>();
  };
  write("src/b.js", "let old = ;\n");
  ask({{"type", "write_asked"}, {"session", "worker"}, {"paths", {root() + "/src/b.js"}}});
  write("src/b.js", "let old = ;\nlet b = (;\n");
  const std::string told = check("worker", root() + "/src/b.js");
  EXPECT_NE(told.find("src/b.js:2:"), std::string::npos) << told;
  EXPECT_EQ(told.find("src/b.js:1:"), std::string::npos) << told;
  EXPECT_EQ(check("worker", "src/never_written.js"), "");
  EXPECT_EQ(check("stranger", "src/b.js"), "");
  write("src/b.js", "let old = ;\nlet b = 1;\n");
  EXPECT_EQ(check("worker", "src/b.js"), "");
  hand_in();
  run("reviewer", "check", 0);
  EXPECT_TRUE(pass("reviewer")["ok"]);
  for (int i = 0; i < 3; ++i) project->on_timer(std::uint64_t{1} << 62U, outbox);
  const json state = json::parse(read(".opencode/mission_loop.json"));
  const json proof = state["tasks"][0]["review"]["proofs"][0];
  EXPECT_EQ(proof["command"], "check");
  EXPECT_EQ(proof["receipt"], state["receipt_head"]);
  EXPECT_EQ(proof["receipt"].get<std::string>().size(), 64U);
  Replay replay;
  replay.check_receipts();
  const std::string mission = state["mission"];
  for (const LogFile& log :
       log_files(os::posix_file_system(), root() + "/.opencode/orchestrator", mission)) {
    (void)replay.read(os::posix_file_system(), log.path);
  }
  EXPECT_FALSE(replay.divergence().has_value());
  EXPECT_EQ(replay.receipts(), 1U);
}

TEST_F(ProjectTest, ACheckLooksAtSomeFilesOfAWriteThatHasVeryMany) {
  until_work();
  std::vector<std::string> paths;
  for (int i = 0; i < 51; ++i) paths.push_back("src/" + std::to_string(100 + i) + ".js");
  ASSERT_TRUE(ask({{"type", "write_asked"}, {"session", "worker"}, {"paths", paths}})["ok"]);
  for (const std::string& path : paths) write(path, std::string("\0", 1));
  const auto looked_at = [&] {
    const std::string told =
        ask({{"type", "check_asked"}, {"session", "worker"}, {"paths", paths}})["text"];
    std::size_t count = 0;
    for (std::size_t at = told.find("not checked"); at != std::string::npos;
         at = told.find("not checked", at + 1))
      ++count;
    return count;
  };
  EXPECT_EQ(looked_at(), 50U);
  paths.erase(paths.begin());
  EXPECT_EQ(looked_at(), 50U);
  paths.erase(paths.begin());
  EXPECT_EQ(looked_at(), 49U);
}

TEST_F(ProjectTest, ANewSyntaxErrorRefusesThePass) {
  ASSERT_TRUE(start_mission()["ok"]);
  write("src/old.js", "let = = broken before\n");
  call("submit_plan", "root",
       {{"summary", "s"},
        {"verify", json::array()},
        {"verify_reason", "none"},
        {"tasks", {{{"id", "T1"}, {"title", "One"}}}}});
  call("mission_run", "root", json::object());
  create("worker");
  EXPECT_TRUE(ask({{"type", "write_asked"},
                   {"session", "worker"},
                   {"paths", {"src/old.js", "src/a.js"}}})["ok"]);
  write("src/a.js", "function f( {\n");
  call("submit_work", "worker", {{"summary", "done"}, {"files", {"src/a.js"}}});
  create("reviewer");
  const std::string text = pass("reviewer")["text"];
  EXPECT_NE(text.find("src/a.js:1"), std::string::npos) << text;
  EXPECT_EQ(text.find("src/old.js"), std::string::npos) << text;
  write("src/a.js", "function f() {}\n");
  EXPECT_TRUE(pass("reviewer")["ok"]);
}

TEST_F(ProjectTest, WritesOutsideTheProjectAreRefusedAlsoThroughLinks) {
  until_work();
  const auto allowed = [&](const std::string& path) {
    return ask({{"type", "write_asked"}, {"session", "worker"}, {"paths", {path}}})["ok"]
        .get<bool>();
  };
  orchestrator::testing::TemporaryDirectory outside;
  fs::create_directory_symlink(outside.path(), root() + "/src/link");
  EXPECT_TRUE(allowed("src/b.js"));
  EXPECT_TRUE(allowed(root() + "/src/b.js"));
  EXPECT_FALSE(allowed("/etc/passwd"));
  EXPECT_FALSE(allowed("../x"));
  EXPECT_FALSE(allowed("src/link/x"));
  hand_in();
  EXPECT_FALSE(allowed("src/b.js")) << "it is being judged as it is";
}

TEST_F(ProjectTest, OfTwoWorkersThatAskForAFreeFileTheSecondIsRefused) {
  ASSERT_TRUE(start_mission()["ok"]);
  call("submit_plan", "root",
       {{"summary", "s"},
        {"verify", json::array()},
        {"verify_reason", "none"},
        {"tasks", {{{"id", "T1"}, {"title", "One"}}, {{"id", "T2"}, {"title", "Two"}}}}});
  call("mission_run", "root", json::object());
  std::vector<json> made;
  for (const json& message : outbox.sent) {
    if (message["type"] == "create_session") made.push_back(message);
  }
  ASSERT_EQ(made.size(), 2U);
  say({{"type", "session_created"}, {"effect", made[0]["effect"]}, {"session", "one"}});
  say({{"type", "session_created"}, {"effect", made[1]["effect"]}, {"session", "two"}});
  EXPECT_TRUE(ask({{"type", "write_asked"}, {"session", "one"}, {"paths", {"free.js"}}})["ok"]);
  const json second = ask({{"type", "write_asked"}, {"session", "two"}, {"paths", {"free.js"}}});
  EXPECT_FALSE(second["ok"]);
  EXPECT_NE(second["text"].get<std::string>().find("T1"), std::string::npos);
}

TEST_F(ProjectTest, AfterARestartTheMissionIsThereWithItsRoles) {
  until_review();
  project.reset();  // without any farewell
  outbox = FakeOutbox();
  start();
  const json role = ask({{"type", "role_asked"}, {"session", "reviewer"}})["data"];
  EXPECT_EQ(role["role"], "reviewer");
  EXPECT_EQ(outbox.last("prompt_session"), nullptr) << "run mode waits for /resume";
  const json reply =
      ask({{"type", "resume_requested"}, {"session", "other"}, {"arguments", ""}, {"mode", "run"}});
  EXPECT_TRUE(reply["ok"]);
  EXPECT_EQ(outbox.last("prompt_session"), nullptr) << "first the host says what it has";
  say(found(outbox));
  EXPECT_EQ(outbox.last("prompt_session")["session"], "reviewer");
  EXPECT_EQ(outbox.last("prompt_session")["agent"], "reviewer");
}

TEST_F(ProjectTest, ADamagedLogStopsOnlyTheMission) {
  until_review();
  project.reset();
  const std::string wal =
      root() + "/.opencode/orchestrator/" +
      json::parse(read(".opencode/mission_loop.json"))["mission"].get<std::string>() + ".wal";
  {
    std::fstream file(wal, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(40);
    file.write("XXXX", 4);
  }
  outbox = FakeOutbox();
  start();
  EXPECT_NE(outbox.last("show_toast")["text"].get<std::string>().find("damaged at byte"),
            std::string::npos);
  EXPECT_FALSE(start_mission()["ok"]);
  EXPECT_TRUE(fs::exists(wal));
}

TEST_F(ProjectTest, TheLogContainsNoTextOfUsersOrModels) {
  until_review();
  const std::string log = read(".opencode/orchestrator/engine.log");
  EXPECT_NE(log.find("briefing"), std::string::npos);
  EXPECT_EQ(log.find("Build it"), std::string::npos);
  EXPECT_EQ(log.find("One"), std::string::npos);
}

TEST(ProjectFilesTest, AnExistingPathKeepsItsSpelling) {
  const orchestrator::testing::TemporaryDirectory directory;
  const std::string root = fs::canonical(directory.path()).string();
  std::ofstream(root + "/there.txt") << "x";
  const ProjectFiles files(os::posix_file_system(), root);
  EXPECT_EQ(files.relative("/etc/passwd"), "/etc/passwd");
  EXPECT_EQ(files.relative(root + "/there.txt"), "there.txt");
  EXPECT_EQ(files.relative("there.txt"), "there.txt");
  EXPECT_EQ(files.relative("new/file.txt"), "new/file.txt");
  // What is written through it would appear where it leads, though nothing is there yet.
  fs::create_symlink(fs::path(root).parent_path() / "nowhere.txt", fs::path(root) / "dangling");
  EXPECT_EQ(files.relative("dangling").substr(0, 1), "/");
  EXPECT_EQ(files.relative("dangling/file.txt").substr(0, 1), "/");
  EXPECT_EQ(files.relative("../out.txt"), fs::path(root).parent_path().string() + "/out.txt");
}

}  // namespace
}  // namespace orchestrator::runtime
