#include "runtime/code/language_servers.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "runtime/support/live_project.h"

namespace orchestrator::runtime {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const std::string kSource = ORCH_SOURCE_DIR;

std::string words(const json& reply) { return reply.value("text", "no answer"); }

void expect_has(const json& reply, const std::string& part) {
  EXPECT_NE(words(reply).find(part), std::string::npos) << words(reply);
}
void expect_lacks(const json& reply, const std::string& part) {
  EXPECT_EQ(words(reply).find(part), std::string::npos) << words(reply);
}

/// A directory for PATH in which the fake server bears the names of real ones.
struct FakePrograms {
  explicit FakePrograms(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      fs::create_symlink(kSource + "/tests/runtime/support/fake_language_server.mjs",
                         fs::path(directory.path()) / name);
    }
  }
  [[nodiscard]] std::string path() const { return directory.path(); }
  orchestrator::testing::TemporaryDirectory directory;
};

class FakeServerTest : public ::testing::Test {
 protected:
  void start(json options = json::object(), std::uint64_t diagnose_ms = 60'000) {
    project = std::make_unique<LiveProject>(programs.path(), std::move(options), diagnose_ms);
    project->put("compile_flags.txt", "");
    project->begin();
  }
  FakePrograms programs{{"clangd"}};
  std::unique_ptr<LiveProject> project;
};

TEST_F(FakeServerTest, ANewErrorIsRefusedWithItsPlaceAndTheFixedFileIsAccepted) {
  start();
  project->work("a.c", "fine\n  wrong one\n");
  const json refused = project->submit({"a.c"});
  EXPECT_FALSE(refused["ok"]);
  expect_has(refused, "not accepted");
  expect_has(refused, "a.c:2:3: wrong: wrong one (clangd w)");
  project->work("a.c", "fine\n");
  const json taken = project->submit({"a.c"});
  EXPECT_TRUE(taken["ok"]) << taken;
  expect_has(project->create("reviewer"), "clangd: no new error");
}

TEST_F(FakeServerTest, ErrorsFromBeforeTheMissionAreNotRefused) {
  project = std::make_unique<LiveProject>(programs.path());
  project->put("compile_flags.txt", "");
  project->put("a.c", "wrong old\n");
  project->begin();
  project->work("a.c", "new line\nwrong old\n");
  EXPECT_TRUE(project->submit({"a.c"})["ok"]);
}

TEST_F(FakeServerTest, ErrorsInAFileNotWrittenThroughTheHostAreOnlyANote) {
  start();
  project->put("a.c", "wrong\n");  // through the shell: what it was before is not known
  const json taken = project->submit({"a.c"});
  EXPECT_TRUE(taken["ok"]);
  expect_has(project->create("reviewer"), "a.c:1:1: wrong: wrong (clangd; perhaps not");
}

TEST_F(FakeServerTest, AfterThreeRefusalsForTheSameErrorsTheReviewerJudges) {
  start();
  project->work("a.c", "wrong one\n");
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(project->submit({"a.c"})["ok"]) << i;
  EXPECT_TRUE(project->submit({"a.c"})["ok"]);
  const json prompt = project->create("reviewer");
  expect_has(prompt, "refused 3 times");
  expect_has(prompt, "a.c:1:1: wrong: wrong one");
}

TEST_F(FakeServerTest, AServerThatCrashesOnceIsRestartedSilently) {
  start();
  project->work("a.c", "crash!\nwrong one\n");
  expect_has(project->submit({"a.c"}), "a.c:2:1: wrong: wrong one");
}

TEST_F(FakeServerTest, AServerThatAlwaysCrashesIsANoteAndNoFailure) {
  start();
  project->work("a.c", "crash-always!\n");
  const json taken = project->submit({"a.c"});
  EXPECT_TRUE(taken["ok"]) << taken;
  expect_has(taken, "clangd: it ended 3 times in ten minutes (it ended: exit code 3)");
}

TEST_F(FakeServerTest, GarbageIsANoteAndNoFailure) {
  start();
  project->work("a.c", "garbage!\n");
  const json taken = project->submit({"a.c"});
  EXPECT_TRUE(taken["ok"]) << taken;
  expect_has(taken, "it sent what is no message");
}

TEST_F(FakeServerTest, AHangDelaysOneSessionOnly) {
  start(json::object(), 2'000);
  project->work("a.c", "hang!\n");
  const std::string submission =
      project->post_call("submit_work", "worker", {{"summary", "s"}, {"files", {"a.c"}}});
  const json status = project->reply_to(project->post({{"type", "mission_status"}}), 5);
  expect_has(status, "T1");
  // What the session does meanwhile stays behind its submission.
  project->say({{"type", "command_ran"},
                {"session", "worker"},
                {"command", "later"},
                {"exit_code", 0},
                {"output", ""}});
  EXPECT_TRUE(project->reply_to(submission, 0.5).is_null());
  const json taken = project->reply_to(submission);
  EXPECT_TRUE(taken["ok"]) << taken;
  expect_has(taken, "clangd: it did not answer in time");
}

TEST_F(FakeServerTest, APulledServerMayAnswerLater) {
  const std::string server = programs.path() + "/clangd";
  start({{"lsp", {{"cpp", {{"command", {server, "--pull"}}}}}}});
  project->work("a.c", "fine\nwrong one\n");
  expect_has(project->submit({"a.c"}), "a.c:2:1: wrong: wrong one");
  project->work("a.c", "fine\n");
  EXPECT_TRUE(project->submit({"a.c"})["ok"]);
}

TEST_F(FakeServerTest, ARequestThatIsNotNeededAnyMoreIsCancelled) {
  const std::string server = programs.path() + "/clangd";
  start({{"lsp", {{"cpp", {{"command", {server, "--pull"}}}}}}}, 3'000);
  project->work("a.c", "hang!\n");
  expect_has(project->submit({"a.c"}), "it did not answer in time");
  const fs::path cancelled = fs::path(project->directory.path()) / "cancelled";
  for (int i = 0; i < 3000 && !fs::exists(cancelled); ++i) usleep(10'000);
  EXPECT_TRUE(fs::exists(cancelled));
}

TEST_F(FakeServerTest, AnAbortedSubmissionIsNotDiagnosed) {
  start();
  project->work("a.c", "hang!\n");
  const std::string submission =
      project->post_call("submit_work", "worker", {{"summary", "s"}, {"files", {"a.c"}}});
  project->say({{"type", "call_aborted"}, {"request", submission}, {"session", "worker"}});
  project->work("a.c", "fine\n");
  EXPECT_TRUE(project->submit({"a.c"})["ok"]);
}

TEST_F(FakeServerTest, TheToolListsErrorsAndNamesUncheckedFiles) {
  start();
  project->work("a.c", "wrong one\n");
  project->put("b.c", "fine\n");
  project->put("notes.txt", "wrong\n");
  project->put("m.py", "wrong\n");
  const json answer =
      project->call("lsp_diagnostics", "worker",
                    {{"paths", {"a.c", "b.c", "notes.txt", "m.py", "none.c", "/etc/passwd"}}});
  EXPECT_TRUE(answer["ok"]);
  EXPECT_EQ(words(answer).find("a.c:1:1: error: wrong: wrong one (clangd w)"), 0U) << words(answer);
  expect_has(answer, "1 file has no diagnostics");
  expect_has(answer, "notes.txt: no language server is known for this kind of file");
  expect_has(answer, "m.py: no language server was found on PATH (basedpyright-langserver");
  expect_has(answer, "none.c: there is no such file");
  expect_has(answer, "/etc/passwd: outside of the project");
}

TEST_F(FakeServerTest, TheToolIsBoundedAndSaysSo) {
  start();
  std::string text;
  for (int i = 0; i < 500; ++i) text += "wrong " + std::to_string(i) + "\n";
  project->work("a.c", text);
  const json answer = project->call("lsp_diagnostics", "worker", {{"paths", {"a.c"}}});
  expect_has(answer, "and 440 more, left out");
  EXPECT_LT(words(answer).size(), 9000U);
}

TEST_F(FakeServerTest, TheToolRefusesUnknownSessionsAndMissingPaths) {
  start();
  json answer = project->call("lsp_diagnostics", "stranger", {{"paths", {"a.c"}}});
  EXPECT_FALSE(answer["ok"]);
  answer = project->call("lsp_diagnostics", "worker", {{"path", "a.c"}});
  EXPECT_FALSE(answer["ok"]);
  expect_has(answer, "did you mean \"paths\"?");
}

TEST_F(FakeServerTest, AMissingServerIsReportedOnceAndIsNoFailure) {
  start();
  project->work("m.py", "x = 1\n");
  json taken = project->submit({"m.py"});
  EXPECT_TRUE(taken["ok"]);
  expect_has(taken, "Python is not checked: no language server was found on PATH");
  const json toast = project->effect("show_toast");
  expect_has(toast, "python");
}

TEST_F(FakeServerTest, ANoteOfARefusedSubmissionIsShownAgain) {
  start();
  project->work("m.py", "x = 1\n");
  project->work("a.c", "wrong one\n");
  expect_has(project->submit({"m.py", "a.c"}), "not accepted");
  project->work("a.c", "fine\n");
  expect_has(project->submit({"m.py", "a.c"}), "Python is not checked");
  expect_has(project->create("reviewer"), "Python is not checked");
}

TEST_F(FakeServerTest, ADisabledLanguageIsNotChecked) {
  start({{"lsp", {{"cpp", {{"disabled", true}}}}}});
  project->work("a.c", "wrong\n");
  const json taken = project->submit({"a.c"});
  EXPECT_TRUE(taken["ok"]);
  expect_lacks(taken, "Note");
}

TEST_F(FakeServerTest, AProgramOfTheProjectRunsOnlyWhereTheConfigurationNamesIt) {
  const FakePrograms empty({});
  for (const bool named : {false, true}) {
    json options = json::object();
    if (named) options["lsp"]["cpp"]["command"] = {"tools/clangd"};
    LiveProject own(empty.path(), options);
    fs::create_directories(fs::path(own.directory.path()) / "tools");
    fs::copy_file(kSource + "/tests/runtime/support/fake_language_server.mjs",
                  fs::path(own.directory.path()) / "tools" / "clangd");
    own.put("compile_flags.txt", "");
    own.begin();
    own.work("a.c", "wrong\n");
    EXPECT_EQ(own.submit({"a.c"})["ok"].get<bool>(), !named);
  }
}

TEST_F(FakeServerTest, AServerThatPathNamesInsideTheProjectIsNotRun) {
  orchestrator::testing::TemporaryDirectory outside;
  fs::create_directories(fs::path(outside.path()) / "bin");
  project = std::make_unique<LiveProject>(outside.path() + "/bin");
  const fs::path inside = fs::path(project->directory.path()) / "clangd";
  fs::copy_file(kSource + "/tests/runtime/support/fake_language_server.mjs", inside);
  fs::create_symlink(inside, fs::path(outside.path()) / "bin" / "clangd");
  project->put("compile_flags.txt", "");
  project->begin();
  project->work("a.c", "wrong\n");
  const json taken = project->submit({"a.c"});
  EXPECT_TRUE(taken["ok"]);
  expect_has(taken, "no language server was found");
}

TEST_F(FakeServerTest, AMissionWithAWrongLspKeyDoesNotStart) {
  LiveProject own(programs.path(), {{"lsp", {{"typescipt", {{"comand", "x"}}}}}});
  const json reply = own.reply_to(own.post(
      {{"type", "mission_requested"}, {"session", "root"}, {"arguments", "x"}, {"mode", "serve"}}));
  EXPECT_FALSE(reply["ok"]);
  expect_has(reply, "did you mean \"command\"?");
}

/// The real ones. What is not installed is skipped, and said.
class RealServerTest : public ::testing::Test {
 protected:
  static std::string path() {
    const char* const own = std::getenv("PATH");
    return (own == nullptr ? "" : std::string(own)) + ":" + kSource + "/node_modules/.bin";
  }
  static bool is_there(const std::string& program) {
    const std::string all = path();
    for (std::size_t from = 0; from <= all.size();) {
      const std::size_t end = std::min(all.find(':', from), all.size());
      if (fs::exists(fs::path(all.substr(from, end - from)) / program)) return true;
      from = end + 1;
    }
    return false;
  }
};

TEST_F(RealServerTest, ClangdFindsTheNewErrorAndNotTheOldOne) {
  ASSERT_TRUE(is_there("clangd")) << "clangd is not installed: npm test installs it";
  LiveProject project(path());
  project.put("compile_flags.txt", "-Wall\n");
  project.put("a.c", "int old(void) { return missing; }\n");
  project.begin();
  project.work("a.c",
               "int fresh(void) { return \"text\" * 2; }\nint old(void) { return missing; }\n");
  const json refused = project.submit({"a.c"});
  EXPECT_FALSE(refused["ok"]) << refused;
  expect_has(refused, "a.c:1:");
  expect_has(refused, "clangd");
  expect_lacks(refused, "missing");
  project.work("a.c", "int fresh(void) { return 2; }\nint old(void) { return missing; }\n");
  const json taken = project.submit({"a.c"});
  EXPECT_TRUE(taken["ok"]) << taken;
}

TEST_F(RealServerTest, TypeScriptFindsTheNewErrorAndNotTheOldOneAcrossFiles) {
  ASSERT_TRUE(is_there("typescript-language-server")) << "not installed: npm test installs it";
  LiveProject project(path());
  project.put("tsconfig.json", R"({"compilerOptions":{"strict":true,"types":[]}})");
  project.put("old.ts", "export const old: number = 'text'\n");
  project.put("unit.ts", "export const size = (n: number): number => n\n");
  project.begin();
  project.work("old.ts", "// a new line\nexport const old: number = 'text'\n");
  project.work("unit.ts", "export const size = (n: string): number => n.length\n");
  project.work("use.ts",
               "import { size } from './unit'\nimport { x } from 'not-installed'\nsize(5)\n");
  const json refused = project.submit({"old.ts", "unit.ts", "use.ts"});
  EXPECT_FALSE(refused["ok"]) << refused;
  expect_has(refused, "use.ts:3:6: Argument of type 'number' is not assignable");
  expect_has(refused, "2345");
  expect_lacks(refused, "old.ts");
  expect_lacks(refused, "not-installed");
  project.work("use.ts", "import { size } from './unit'\nsize('five')\n");
  const json taken = project.submit({"old.ts", "unit.ts", "use.ts"});
  EXPECT_TRUE(taken["ok"]) << taken;
}

}  // namespace
}  // namespace orchestrator::runtime
