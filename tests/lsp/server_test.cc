#include "lsp/server.h"

#include <gtest/gtest.h>

#include "lsp/compare.h"
#include "lsp/profile.h"
#include "lsp/support/scripted_server.h"

namespace orchestrator::lsp {
namespace {

using nlohmann::json;
constexpr const char* kServed = "file:///p/a.x";

/// Starts processes that only listen; the test speaks for them.
class FakeLauncher final : public Launcher {
 public:
  base::Result<std::unique_ptr<Transport>> launch(std::uint64_t life) override {
    if (refuses) return base::Error{"no such file", "/bin/fake", ""};
    ++launches;
    newest = life;
    heard = Heard();
    return std::unique_ptr<Transport>(std::make_unique<Wire>(*this));
  }

  Heard heard;
  bool refuses = false;
  int launches = 0;
  int ended = 0;
  std::uint64_t newest = 0;

 private:
  class Wire final : public Transport {
   public:
    explicit Wire(FakeLauncher& launcher) : launcher_(launcher) {}
    ~Wire() override { ++launcher_.ended; }
    void send(std::string bytes) override { launcher_.heard.take(bytes); }

   private:
    FakeLauncher& launcher_;
  };
};

class ServerTest : public ::testing::Test {
 protected:
  void check(std::uint64_t id, const std::string& text = "now",
             std::optional<std::string> before = std::nullopt) {
    server.check(id, {{{kServed, "x", text}, std::move(before)}}, now + 10'000, now);
  }
  void send(const json& message) { server.on_bytes(launcher.newest, framed(message), now); }
  void greet() {
    send(answer(launcher.heard.last("initialize"),
                {{"capabilities", {{"diagnosticProvider", true}}}}));
  }
  void reply(json items) {
    send(answer(launcher.heard.last("textDocument/diagnostic"), {{"items", std::move(items)}}));
  }
  void crash() { server.on_ended(launcher.newest, "signal 11", now); }
  /// Time passes as the server itself asks for, up to `until_ms`.
  void pass(std::uint64_t until_ms) {
    while (const auto at = server.wake_ms()) {
      if (*at > until_ms) break;
      now = std::max(now + 1, *at);
      server.tick(now);
    }
    now = std::max(now, until_ms);
  }
  CheckOutcome only() {
    const auto outcomes = server.take_outcomes();
    EXPECT_EQ(outcomes.size(), 1U);
    return outcomes.empty() ? CheckOutcome{} : outcomes.front();
  }

  std::uint64_t now = 1'000'000;
  FakeLauncher launcher;
  Server server{profiles_of("cpp").front(), "file:///p", 1, launcher};
};

TEST_F(ServerTest, StartedAtTheFirstCheckAndKept) {
  EXPECT_EQ(launcher.launches, 0);
  check(1);
  EXPECT_EQ(launcher.launches, 1);
  greet();
  reply(json::array());
  EXPECT_EQ(only().problem, "");
  check(2);
  reply(json::array());
  EXPECT_EQ(only().check, 2U);
  EXPECT_EQ(launcher.launches, 1);
}

TEST_F(ServerTest, WithoutErrorsTheTextBeforeIsNotChecked) {
  check(1, "now", "before");
  greet();
  reply(json::array({diagnostic(0, "careful", 2)}));
  const CheckOutcome outcome = only();
  EXPECT_EQ(outcome.files[0].now->size(), 1U);
  EXPECT_EQ(outcome.files[0].before, std::nullopt);
  EXPECT_EQ(launcher.heard.all("textDocument/didChange").size(), 0U);
}

TEST_F(ServerTest, WithErrorsTheTextBeforeIsDiagnosedToo) {
  check(1, "now", "before");
  greet();
  reply(json::array({diagnostic(1, "old"), diagnostic(2, "new")}));
  EXPECT_EQ(launcher.heard.last("textDocument/didChange")["params"]["contentChanges"][0]["text"],
            "before");
  reply(json::array({diagnostic(0, "old")}));
  const CheckOutcome outcome = only();
  EXPECT_EQ(outcome.files[0].now->size(), 2U);
  EXPECT_EQ(outcome.files[0].before->size(), 1U);
  EXPECT_EQ(launcher.heard.all("textDocument/didClose").size(), 1U);
}

TEST_F(ServerTest, ARefusalIsSaidAtOnceAndTheNextCheckIsAsked) {
  check(1);
  greet();
  const json pull = launcher.heard.last("textDocument/diagnostic");
  send({{"jsonrpc", "2.0"}, {"id", pull["id"]}, {"error", {{"code", -1}, {"message", "no"}}}});
  EXPECT_EQ(only().problem, "it does not diagnose every file (no)");
  check(2);
  reply(json::array());
  EXPECT_EQ(only().problem, "");
}

TEST_F(ServerTest, AHungServerCostsItsTimeAndNoMore) {
  check(1);
  greet();
  pass(now + 10'000);
  EXPECT_EQ(only().problem, "it did not answer in time");
  EXPECT_EQ(launcher.ended, 0);
  check(2);
  pass(now + 10'000);
  EXPECT_EQ(only().problem, "it did not answer in time");
  EXPECT_EQ(launcher.ended, 1) << "the second time it is put down";
  check(3);
  pass(now + 300);
  EXPECT_EQ(launcher.launches, 2);
  greet();
  reply(json::array());
  EXPECT_EQ(only().problem, "");
}

TEST_F(ServerTest, AServerThatIsStillStartingIsNotAwaitedForEver) {
  check(1);
  pass(now + 10'000);
  EXPECT_EQ(only().problem, "it was still starting");
}

TEST_F(ServerTest, ACrashInTheMiddleIsMendedWithinTheSameCheck) {
  check(1);
  greet();
  crash();
  EXPECT_EQ(server.take_outcomes().size(), 0U);
  pass(now + 300);
  EXPECT_EQ(launcher.launches, 2);
  greet();
  reply(json::array({diagnostic(0, "found")}));
  EXPECT_EQ(only().files[0].now->front().message, "found");
}

TEST_F(ServerTest, AfterThreeCrashesInTenMinutesItIsLeftAlone) {
  check(1);
  for (int i = 0; i < 3; ++i) {
    crash();
    pass(now + 1'500);
  }
  const std::string problem = only().problem;
  EXPECT_NE(problem.find("ended 3 times"), std::string::npos) << problem;
  EXPECT_NE(problem.find("signal 11"), std::string::npos);
  EXPECT_EQ(launcher.launches, 3);
  check(2);
  EXPECT_NE(only().problem, "");
  EXPECT_EQ(launcher.launches, 3);
  pass(now + Server::kCrashWindowMs);
  check(3);
  EXPECT_EQ(launcher.launches, 4);
}

TEST_F(ServerTest, GarbageIsACrash) {
  check(1);
  server.on_bytes(launcher.newest, "Welcome to fake 1.0!\r\n\r\n", now);
  EXPECT_EQ(launcher.ended, 1);
  pass(now + 300);
  EXPECT_EQ(launcher.launches, 2);
}

TEST_F(ServerTest, WordsOfAnEarlierLifeMeanNothing) {
  check(1);
  const std::uint64_t first = launcher.newest;
  crash();
  pass(now + 300);
  server.on_bytes(first, "garbage\r\n\r\n", now);
  server.on_ended(first, "exit code 0", now);
  EXPECT_EQ(launcher.launches, 2);
  greet();
  reply(json::array());
  EXPECT_EQ(only().problem, "");
}

TEST_F(ServerTest, WhatCannotBeStartedIsSaidAtOnce) {
  launcher.refuses = true;
  check(1);
  EXPECT_EQ(only().problem, "it could not be started (/bin/fake: no such file)");
}

TEST_F(ServerTest, ChecksWaitForEachOther) {
  check(1, "one");
  check(2, "two");
  greet();
  EXPECT_EQ(launcher.heard.all("textDocument/didOpen").size(), 1U);
  reply(json::array());
  EXPECT_EQ(only().check, 1U);
  reply(json::array());
  EXPECT_EQ(only().check, 2U);
}

TEST_F(ServerTest, AForgottenCheckMakesRoomForTheNext) {
  check(1, "one");
  check(2, "two");
  greet();
  server.forget(1, now);
  EXPECT_EQ(launcher.heard.all("$/cancelRequest").size(), 1U);
  reply(json::array());
  EXPECT_EQ(only().check, 2U);
}

TEST_F(ServerTest, FilesWrittenElsewhereAreToldBeforeTheNextCheck) {
  check(1);
  greet();
  reply(json::array());
  (void)only();
  server.note_changed("file:///p/other.x");
  check(2);
  const json told = launcher.heard.last("workspace/didChangeWatchedFiles");
  ASSERT_FALSE(told.is_null());
  EXPECT_EQ(told["params"]["changes"][0]["uri"], "file:///p/other.x");
}

TEST_F(ServerTest, AnIdleServerIsStoppedPolitelyAndIsNoCrash) {
  check(1);
  greet();
  reply(json::array());
  (void)only();
  pass(now + Server::kIdleMs);
  ASSERT_FALSE(launcher.heard.last("shutdown").is_null());
  send(answer(launcher.heard.last("shutdown"), nullptr));
  EXPECT_FALSE(launcher.heard.last("exit").is_null());
  server.on_ended(launcher.newest, "exit code 0", now);
  EXPECT_FALSE(server.running());
  EXPECT_EQ(server.wake_ms(), std::nullopt);
  check(2);
  EXPECT_EQ(launcher.launches, 2);
}

TEST_F(ServerTest, AnIdleServerThatDoesNotExitIsEnded) {
  check(1);
  greet();
  reply(json::array());
  (void)only();
  pass(now + Server::kIdleMs + 10'000);
  EXPECT_EQ(launcher.ended, 1);
}

codec::ServerDiagnostic error_at(std::uint32_t line, const std::string& message) {
  codec::ServerDiagnostic found;
  found.line = line;
  found.code = "1";
  found.message = message;
  return found;
}

TEST(NewErrorsTest, MovedLinesDoNotMakeAnErrorNew) {
  const Diagnostics before{error_at(0, "old")};
  const Diagnostics now{error_at(2, "old"), error_at(0, "fresh")};
  const Diagnostics added = new_errors(now, "fresh();\n\nold();\n", before, "old();\n");
  ASSERT_EQ(added.size(), 1U);
  EXPECT_EQ(added[0].message, "fresh");
}

TEST(NewErrorsTest, OfSeveralAlikeTheNewLineIsNamed) {
  const Diagnostics before{error_at(0, "same")};
  const Diagnostics now{error_at(0, "same"), error_at(1, "same")};
  const Diagnostics added = new_errors(now, "b();\na();\n", before, "a();\n");
  ASSERT_EQ(added.size(), 1U);
  EXPECT_EQ(added[0].line, 0U);
}

TEST(NewErrorsTest, ARewrittenLineMayKeepItsError) {
  EXPECT_TRUE(
      new_errors({error_at(0, "same")}, "a(1);\n", {error_at(0, "same")}, "a();\n").empty());
}

TEST(NewErrorsTest, WarningsAreNoErrors) {
  codec::ServerDiagnostic warning = error_at(0, "w");
  warning.severity = codec::ServerDiagnostic::Severity::warning;
  EXPECT_TRUE(new_errors({warning}, "a\n", {}, "").empty());
}

TEST(NewErrorsTest, LinesBeyondTheTextAreBorne) {
  EXPECT_EQ(new_errors({error_at(99, "x")}, "a", {}, "").size(), 1U);
}

TEST(ProfileTest, EndingsKnowTheirLanguage) {
  EXPECT_EQ(kind_of("src/a.ts").language, "typescript");
  EXPECT_EQ(kind_of("src/a.tsx").id, "typescriptreact");
  EXPECT_TRUE(kind_of("a.js").needs_configuration);
  EXPECT_EQ(kind_of("a.txt").language, "");
  EXPECT_EQ(kind_of("a.c").id, "c");
  for (const Language& language : languages()) EXPECT_FALSE(profiles_of(language.name).empty());
}

TEST(ProfileTest, APackageThatIsNotInstalledIsNoFaultOfTheFile) {
  codec::ServerDiagnostic found;
  found.code = "2307";
  found.message = "Cannot find module 'express' or its corresponding type declarations.";
  EXPECT_TRUE(is_about_surroundings("typescript", true, found));
  found.message = "Cannot find module './mine' or its corresponding type declarations.";
  EXPECT_FALSE(is_about_surroundings("typescript", true, found));
  found.code = "2322";
  EXPECT_FALSE(is_about_surroundings("typescript", false, found));
}

}  // namespace
}  // namespace orchestrator::lsp
