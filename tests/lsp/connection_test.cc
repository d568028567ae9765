#include "lsp/connection.h"

#include <gtest/gtest.h>

#include "lsp/support/scripted_server.h"

namespace orchestrator::lsp {
namespace {

using nlohmann::json;
constexpr const char* kA = "file:///p/a.x";
constexpr const char* kB = "file:///p/b.x";

class ConnectionTest : public ::testing::Test {
 protected:
  /// Starts a server that offers `capabilities`.
  void start(const json& capabilities = json::object()) {
    connection.start(now);
    send(answer(heard.last("initialize"), {{"capabilities", capabilities}}));
    ASSERT_TRUE(connection.ready());
  }
  void send(const json& message) { connection.take(framed(message), now); }
  void ask(const std::string& text = "text") {
    connection.diagnose({{kA, "x", text}, {kB, "x", text}}, now);
  }
  /// The server answers the newest request that it cannot know.
  void answer_barrier() { send(answer(heard.last("$/orchestrator/barrier"), nullptr)); }

  std::uint64_t now = 1000;
  Heard heard;
  Profile profile{"cpp", "fake", {}, R"({"own":true})", 400};
  Connection connection{profile, "file:///p", 42,
                        [this](const std::string& bytes) { heard.take(bytes); }};
};

TEST_F(ConnectionTest, TheHandshakeSaysWhoAndWhere) {
  start();
  const json params = heard.last("initialize")["params"];
  EXPECT_EQ(params["rootUri"], "file:///p");
  EXPECT_EQ(params["processId"], 42);
  EXPECT_EQ(params["initializationOptions"]["own"], true);
  EXPECT_EQ(params["workspaceFolders"][0]["uri"], "file:///p");
  EXPECT_FALSE(heard.last("initialized").is_null());
}

TEST_F(ConnectionTest, PublishedDiagnosticsCountForTheVersionThatTheyName) {
  start();
  ask();
  const auto opened = heard.all("textDocument/didOpen");
  ASSERT_EQ(opened.size(), 2U);
  EXPECT_EQ(opened[0]["params"]["textDocument"]["text"], "text");
  EXPECT_EQ(opened[0]["params"]["textDocument"]["languageId"], "x");
  const int a = opened[0]["params"]["textDocument"]["version"];
  const int b = opened[1]["params"]["textDocument"]["version"];
  send(published(kA, a + 7, json::array({diagnostic(0, "of another version")})));
  send(published(kA, a, json::array({diagnostic(3, "wrong")})));
  EXPECT_FALSE(connection.done(now + 5000));
  send(published("file:///p/stranger.x", 1, json::array({diagnostic(3, "not asked")})));
  send(published(kB, b, json::array()));
  EXPECT_FALSE(connection.done(now)) << "more may come within the settling time";
  EXPECT_EQ(connection.wake_ms(), now + 400);
  EXPECT_TRUE(connection.done(now + 400));
  const auto answers = connection.answers();
  ASSERT_EQ(answers.size(), 2U);
  ASSERT_EQ(answers[0]->size(), 1U);
  EXPECT_EQ(answers[0]->front().message, "wrong");
  EXPECT_EQ(answers[0]->front().line, 3U);
  EXPECT_EQ(answers[0]->front().column, 4U);
  EXPECT_EQ(answers[0]->front().code, "c1");
  EXPECT_TRUE(answers[1]->empty());
}

TEST_F(ConnectionTest, UnversionedOnesCountOnceTheServerHasReadWhatWasSaidBefore) {
  start();
  ask();
  send(published(kA, std::nullopt, json::array({diagnostic(0, "left over")})));
  answer_barrier();
  send(published(kA, std::nullopt, json::array({diagnostic(1, "syntax")})));
  send(published(kB, std::nullopt, json::array()));
  now += 300;
  send(published(kA, std::nullopt, json::array({diagnostic(1, "syntax"), diagnostic(2, "types")})));
  EXPECT_FALSE(connection.done(now + 399)) << "it still talks";
  EXPECT_TRUE(connection.done(now + 400));
  EXPECT_EQ(connection.answers()[0]->size(), 2U);
}

TEST_F(ConnectionTest, AServerThatNamesNoVersionGetsItsSecondTextInANewDocument) {
  start();
  ask("one");
  answer_barrier();
  send(published(kA, std::nullopt, json::array()));
  ask("two");
  EXPECT_EQ(heard.all("textDocument/didChange").size(), 0U);
  EXPECT_EQ(heard.all("textDocument/didClose").size(), 2U);
  EXPECT_EQ(heard.last("textDocument/didOpen")["params"]["textDocument"]["text"], "two");
}

TEST_F(ConnectionTest, AnOpenDocumentGetsItsWholeNewTextAndAHigherVersion) {
  start({{"diagnosticProvider", true}});
  ask("one");
  const int first = heard.all("textDocument/didOpen")[0]["params"]["textDocument"]["version"];
  ask("two");
  const json change = heard.all("textDocument/didChange")[0]["params"];
  EXPECT_EQ(change["contentChanges"], json::parse(R"([{"text":"two"}])"));
  EXPECT_GT(change["textDocument"]["version"].get<int>(), first);
}

TEST_F(ConnectionTest, APullIsPreferredWhereItIsOffered) {
  start({{"diagnosticProvider", {{"interFileDependencies", true}}}});
  ask();
  const auto pulls = heard.all("textDocument/diagnostic");
  ASSERT_EQ(pulls.size(), 2U);
  send(published(kA, std::nullopt, json::array({diagnostic(0, "published all the same")})));
  send(answer(pulls[1], {{"kind", "full"}, {"items", json::array()}}));
  EXPECT_FALSE(connection.done(now));
  send(answer(pulls[0], {{"kind", "full"}, {"items", {diagnostic(2, "pulled")}}}));
  EXPECT_TRUE(connection.done(now));
  EXPECT_EQ(connection.answers()[0]->front().message, "pulled");
}

TEST_F(ConnectionTest, TsserverIsAskedThroughItsLanguageServer) {
  start({{"executeCommandProvider", {{"commands", {"x", "typescript.tsserverRequest"}}}}});
  connection.diagnose({{kA, "typescript", "let a"}}, now);
  const auto asked = heard.all("workspace/executeCommand");
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[1]["params"]["arguments"][0], "semanticDiagnosticsSync");
  EXPECT_EQ(asked[1]["params"]["arguments"][1]["file"], kA);
  send(answer(asked[0], {{"body", json::array()}}));
  EXPECT_FALSE(connection.done(now));
  send(answer(asked[1], json::parse(R"({"body":[
      {"start":{"line":3,"offset":5},"text":"no number","code":2322,"category":"error"},
      {"start":{"line":4,"offset":1},"text":"unused","code":6133,"category":"suggestion"}]})")));
  EXPECT_TRUE(connection.done(now));
  const auto found = *connection.answers()[0];
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].line, 2U);
  EXPECT_EQ(found[0].column, 4U);
  EXPECT_EQ(found[0].code, "2322");
  EXPECT_EQ(found[1].severity, codec::ServerDiagnostic::Severity::hint);
}

TEST_F(ConnectionTest, WhatIsNotAnsweredIsCancelledWhenItIsNotNeededAnyMore) {
  start({{"diagnosticProvider", true}});
  ask();
  const auto pulls = heard.all("textDocument/diagnostic");
  send(answer(pulls[0], {{"items", json::array()}}));
  connection.close_documents();
  const auto cancelled = heard.all("$/cancelRequest");
  ASSERT_EQ(cancelled.size(), 1U);
  EXPECT_EQ(cancelled[0]["params"]["id"], pulls[1]["id"]);
  EXPECT_EQ(heard.all("textDocument/didClose").size(), 2U);
  send(answer(pulls[1], {{"items", {diagnostic(0, "too late")}}}));
  EXPECT_EQ(connection.fault(), "");
}

TEST_F(ConnectionTest, ARefusedPullIsNoAnswerAndIsNotAwaited) {
  start({{"diagnosticProvider", true}});
  connection.diagnose({{kA, "x", "t"}}, now);
  const json pull = heard.last("textDocument/diagnostic");
  send({{"jsonrpc", "2.0"}, {"id", pull["id"]}, {"error", {{"code", -1}, {"message", "no"}}}});
  EXPECT_TRUE(connection.done(now));
  EXPECT_EQ(connection.refusal(), "no");
  EXPECT_EQ(connection.answers()[0], std::nullopt);
}

TEST_F(ConnectionTest, AServerThatSaysLaterIsAskedAgain) {
  start({{"diagnosticProvider", true}});
  connection.diagnose({{kA, "x", "t"}}, now);
  for (const int code : {-32801, -32802}) {
    const auto pulls = heard.all("textDocument/diagnostic");
    send({{"jsonrpc", "2.0"},
          {"id", pulls.back()["id"]},
          {"error", {{"code", code}, {"message", "content modified"}}}});
    EXPECT_FALSE(connection.done(now + 60'000));
    EXPECT_EQ(connection.answers()[0], std::nullopt);
    ASSERT_EQ(connection.wake_ms(), now + 250);
    now += 249;
    connection.tick(now);
    EXPECT_EQ(heard.all("textDocument/diagnostic").size(), pulls.size());
    connection.tick(++now);
    EXPECT_EQ(heard.all("textDocument/diagnostic").size(), pulls.size() + 1);
  }
  send(answer(heard.last("textDocument/diagnostic"), {{"items", {diagnostic(2, "late")}}}));
  EXPECT_TRUE(connection.done(now));
  EXPECT_EQ(connection.refusal(), "");
  EXPECT_EQ(connection.answers()[0]->front().message, "late");
}

TEST_F(ConnectionTest, TheServersOwnRequestsAreAnswered) {
  start();
  const auto reply_to = [&](const char* method, const json& id, const json& params) {
    send({{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}});
    return heard.messages.back();
  };
  json reply = reply_to("workspace/configuration", "abc",
                        {{"items", {{{"section", "x"}}, {{"section", "y"}}}}});
  EXPECT_EQ(reply["id"], "abc");
  EXPECT_EQ(reply["result"], json::parse("[null,null]"));
  reply = reply_to("window/workDoneProgress/create", 7, {{"token", 1}});
  EXPECT_EQ(reply["id"], 7);
  EXPECT_TRUE(reply.contains("result") && reply["result"].is_null());
  reply = reply_to("client/registerCapability", 8, {{"registrations", json::array()}});
  EXPECT_TRUE(reply.contains("result"));
  reply = reply_to("workspace/applyEdit", 9, json::object());
  EXPECT_EQ(reply["error"]["code"], -32601);
}

TEST_F(ConnectionTest, AServerThatDoesNotGreetFails) {
  connection.start(now);
  EXPECT_EQ(connection.wake_ms(), now + 60'000);
  connection.tick(now + 59'999);
  EXPECT_EQ(connection.fault(), "");
  connection.tick(now + 60'000);
  EXPECT_NE(connection.fault().find("initialize"), std::string::npos);
}

TEST_F(ConnectionTest, AServerThatRefusesToStartSaysWhy) {
  connection.start(now);
  send({{"jsonrpc", "2.0"},
        {"id", heard.last("initialize")["id"]},
        {"error", {{"code", 1}, {"message", "no TypeScript here"}}}});
  EXPECT_EQ(connection.fault(), "it did not start: no TypeScript here");
}

TEST_F(ConnectionTest, GarbageIsAFault) {
  start();
  connection.take("Traceback (most recent call last):\r\n\r\n", now);
  EXPECT_NE(connection.fault().find("no message"), std::string::npos);
}

TEST_F(ConnectionTest, SomeNonsenseInGoodFramesIsBorneAndMuchIsNot) {
  start();
  for (const char* body : {"{", "[]", "{}", "7", "{\"id\":null}", "\xff\xfe"})
    connection.take(frame(body), now);
  EXPECT_EQ(connection.fault(), "");
  for (int i = 0; i < 30; ++i) connection.take(frame("{"), now);
  EXPECT_NE(connection.fault(), "");
}

TEST_F(ConnectionTest, FieldsOfAnotherTypeAreLeftOut) {
  start();
  ask();
  const int version = heard.all("textDocument/didOpen")[0]["params"]["textDocument"]["version"];
  send(published(kA, version, json::parse(R"([5, null, {}, {"range":7,"severity":99,"message":[]},
      {"range":{"start":{"line":-4,"character":1e300}},"code":{"value":1},"message":{"kind":"markdown","value":"m"}}])")));
  const auto found = connection.answers()[0];
  ASSERT_TRUE(found.has_value());
  ASSERT_EQ(found->size(), 3U);
  EXPECT_EQ(found->at(2).message, "m");
  EXPECT_EQ(found->at(2).line, 0U);
}

TEST_F(ConnectionTest, ShutDownThenExit) {
  start();
  connection.shut_down(now);
  EXPECT_TRUE(heard.last("exit").is_null());
  send(answer(heard.last("shutdown"), nullptr));
  EXPECT_FALSE(heard.last("exit").is_null());
  EXPECT_TRUE(connection.told_to_exit());
}

TEST_F(ConnectionTest, AServerThatDoesNotAnswerShutdownIsToldToExitAllTheSame) {
  start();
  connection.shut_down(now);
  connection.tick(*connection.wake_ms());
  EXPECT_FALSE(heard.last("exit").is_null());
}

}  // namespace
}  // namespace orchestrator::lsp
