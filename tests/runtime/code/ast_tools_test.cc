#include "runtime/code/ast_tools.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <deque>
#include <string>
#include <utility>

#include "runtime/support/project_story.h"

namespace orchestrator::runtime {
namespace {

class AstToolsTest : public ProjectTest {
 protected:
  /// Arguments go as text, as the JS side sends them.
  json tool(const char* type, const json& args, const std::string& session = "root") {
    return ask({{"type", type}, {"session", session}, {"args", args.dump()}});
  }
  std::string search(const json& args) {
    const json reply = tool("ast_search", args);
    return (reply["ok"].get<bool>() ? "" : "refused: ") + reply["text"].get<std::string>();
  }
  std::string replace(const json& args, const std::string& session = "worker") {
    const json reply = tool("ast_replace", args, session);
    return (reply["ok"].get<bool>() ? "" : "refused: ") + reply["text"].get<std::string>();
  }
  /// A mission whose Worker "worker" has T1, which claims src/.
  void until_work() {
    ASSERT_TRUE(start_mission()["ok"]);
    call("submit_plan", "root",
         {{"summary", "s"},
          {"verify", {"check"}},
          {"tasks",
           {{{"id", "T1"},
             {"title", "One"},
             {"description", "d"},
             {"files", {"src/**"}},
             {"verify", {"check"}}},
            {{"id", "T2"},
             {"title", "Two"},
             {"description", "d"},
             {"files", {"lib/**"}},
             {"verify", {"check"}}}}}});
    call("mission_run", "root", json::object());
    for (const json& message : std::vector<json>(outbox.sent)) {
      if (message["type"] != "create_session") continue;
      const std::string name = message["task"] == "T1" ? "worker" : "other";
      say({{"type", "session_created"}, {"effect", message["effect"]}, {"session", name}});
    }
    for (const json& message : std::vector<json>(outbox.sent)) {
      if (message["type"] != "prompt_session") continue;
      say({{"type", "prompt_accepted"}, {"effect", message["effect"]}});
      say({{"type", "turn_started"}, {"session", message["session"]}});
    }
  }
};

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_F(AstToolsTest, SearchesTheFilesThatGitDoesNotIgnore) {
  write("src/b.ts", "x\nfoo(1, 2);\n");
  write("src/a.js", "foo(1);\n  foo(\n 2)\n");
  write("gen/c.js", "foo(3)\n");
  write("src/keep.log.js", "foo(4)\n");
  write("src/drop.log.js", "foo(5)\n");
  write("node_modules/d.js", "foo(6)\n");
  write(".opencode/e.js", "foo(7)\n");
  write("f.py", "foo(8)\n");
  write(".gitignore", "gen/\n*.log.js\n");
  write("src/.gitignore", "!keep.log.js\n");
  EXPECT_EQ(search({{"pattern", "foo($$$A)"}}),
            "5 matches in 4 files, of 4 searched.\n"
            "f.py\n1:1 foo(8)\n"
            "src/a.js\n1:1 foo(1);\n2:3 foo( (to line 3)\n"
            "src/b.ts\n2:1 foo(1, 2);\n"
            "src/keep.log.js\n1:1 foo(4)\n");
  EXPECT_TRUE(holds(search({{"pattern", "foo($A)"}, {"language", "js"}, {"paths", {"src"}}}),
                    "3 matches in 2 files"));
  EXPECT_TRUE(
      holds(search({{"pattern", "foo($$$A)"}, {"paths", {"**/*.ts"}}}), "1 match in 1 file"));
  EXPECT_TRUE(holds(search({{"pattern", "foo($$$A)"}, {"paths", {"gen/c.js"}}}), "1 match"));
}

TEST_F(AstToolsTest, LanguagesThatCannotParseThePatternAreNamed) {
  write("a.ts", "const a = foo(1)\n");
  write("b.py", "foo(2)\n");
  write("c.json", "{}\n");
  EXPECT_EQ(search({{"pattern", "const $A = $B"}}),
            "1 match in 1 file, of 3 searched.\n"
            "Not searched, because the match would not be code there: python files.\n"
            "a.ts\n1:1 const a = foo(1)\n");
}

TEST_F(AstToolsTest, AQueryReportsItsCaptures) {
  write("a.js", "foo(1); bar(2)\n");
  EXPECT_TRUE(
      holds(search({{"query", "(call_expression function: (identifier) @f (#eq? @f \"bar\"))"},
                    {"language", "javascript"}}),
            "1:9 foo(1); bar(2) @f=bar"));
}

TEST_F(AstToolsTest, RepliesAreBoundedAndSaySo) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "foo(" + std::to_string(i) + ");\n";
  write("a.js", text);
  write("large.js", "foo(1);" + std::string(2U << 20U, ' '));
  write("binary.js", std::string("foo(1)\0", 7));
  const std::string usual = search({{"pattern", "foo($A)"}});
  EXPECT_TRUE(holds(usual, "300 matches in 1 file, of 3 searched. Shown: the first 100;"));
  EXPECT_TRUE(holds(usual, "Skipped, a binary file: binary.js."));
  EXPECT_TRUE(holds(usual, "Skipped, too large: large.js."));
  EXPECT_TRUE(holds(search({{"pattern", "foo($A)"}, {"limit", 2}}), "Shown: the first 2;"));
  EXPECT_LT(search({{"pattern", "foo($A)"}, {"limit", 4'000'000}}).size(), 30'000U);
}

TEST_F(AstToolsTest, WrongArgumentsAreNamed) {
  write("a.js", "foo(1)\n");
  EXPECT_TRUE(holds(search(json::object()), "refused: arguments: there is no pattern"));
  EXPECT_TRUE(holds(search({{"pattern", "a"}, {"query", "b"}}), "both a pattern and a query"));
  EXPECT_TRUE(holds(search({{"pattern", "foo("}}), "does not parse as javascript"));
  EXPECT_TRUE(holds(search({{"pattern", "foo()"}, {"language", "cobol"}}), "no such language"));
  EXPECT_TRUE(holds(search({{"pattern", "foo()"}, {"paths", {"../x"}}}), "outside the project"));
  EXPECT_TRUE(
      holds(search({{"pattern", "foo()"}, {"paths", {"/etc/*.js"}}}), "outside the project"));
  EXPECT_TRUE(holds(search({{"patern", "foo()"}}), "patern"));
  EXPECT_TRUE(holds(search({{"pattern", "foo()"}, {"paths", {"none"}}}), "No file to search"));
}

TEST_F(AstToolsTest, LinksDoNotLeadOutOfTheProject) {
  orchestrator::testing::TemporaryDirectory elsewhere;
  std::ofstream(elsewhere.path() + "/a.js") << "foo(1)\n";
  fs::create_directory_symlink(elsewhere.path(), fs::path(root()) / "link");
  fs::create_symlink(elsewhere.path() + "/a.js", fs::path(root()) / "a.js");
  EXPECT_TRUE(holds(search({{"pattern", "foo($A)"}}), "No file"));
  EXPECT_TRUE(holds(search({{"pattern", "foo($A)"}, {"paths", {"link"}}}), "outside the project"));
  EXPECT_TRUE(
      holds(search({{"pattern", "foo($A)"}, {"paths", {"link/*.js"}}}), "outside the project"));
  EXPECT_TRUE(holds(search({{"pattern", "foo($A)"}, {"paths", {"a.js"}}}), "outside the project"));
}

TEST_F(AstToolsTest, AnOutlineNamesTheDeclarations) {
  write("src/a.ts", "export class A {\n  f() {}\n}\n");
  const json reply = tool("ast_outline", {{"paths", {"src"}}});
  EXPECT_TRUE(reply["ok"].get<bool>());
  EXPECT_EQ(reply["text"], "src/a.ts\n 1-3 class A\n  2 method f\n");
  EXPECT_FALSE(tool("ast_outline", json::object())["ok"].get<bool>());
}

TEST_F(AstToolsTest, OnlyAWorkerMayReplace) {
  write("src/a.js", "foo(1)\n");
  EXPECT_TRUE(
      holds(replace({{"pattern", "foo($A)"}, {"rewrite", "bar($A)"}, {"apply", true}}, "root"),
            "refused: Refused: only a Worker"));
  EXPECT_EQ(read("src/a.js"), "foo(1)\n");
}

TEST_F(AstToolsTest, TheDiffComesFirstAndApplyWrites) {
  write("src/a.js", "foo(1)\n");
  ::chmod((fs::path(root()) / "src/a.js").c_str(), 0755);
  until_work();
  const json args = {{"pattern", "foo($A)"}, {"rewrite", "bar($A, 2)"}, {"paths", {"src"}}};
  const std::string preview = replace(args);
  EXPECT_TRUE(holds(preview, "1 replacement in 1 file."));
  EXPECT_TRUE(holds(preview, "-foo(1)\n+bar(1, 2)\n"));
  EXPECT_EQ(read("src/a.js"), "foo(1)\n");
  json apply = args;
  apply["apply"] = true;
  EXPECT_TRUE(holds(replace(apply), "Written: 1 file."));
  EXPECT_EQ(read("src/a.js"), "bar(1, 2)\n");
  struct stat info {};
  ASSERT_EQ(::stat((fs::path(root()) / "src/a.js").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0755U);
  // It counts as the Worker's own write.
  project.reset();
  EXPECT_TRUE(holds(read(".opencode/mission_loop.json"), "src/a.js"));
}

TEST_F(AstToolsTest, AFileOfAnotherTaskStopsTheWholeReplacement) {
  write("src/a.js", "foo(1)\n");
  write("lib/b.js", "foo(1)\n");
  until_work();
  const std::string said =
      replace({{"pattern", "foo($A)"}, {"rewrite", "bar($A)"}, {"apply", true}});
  EXPECT_TRUE(holds(said, "refused: Write refused: lib/b.js belongs to task T2"));
  EXPECT_TRUE(holds(said, "Nothing is written"));
  EXPECT_EQ(read("src/a.js"), "foo(1)\n");
  EXPECT_EQ(read("lib/b.js"), "foo(1)\n");
}

TEST_F(AstToolsTest, AResultThatDoesNotParseIsRefused) {
  write("src/a.js", "foo(1)\n");
  until_work();
  const json args = {{"pattern", "foo($A)"}, {"rewrite", "bar($A"}, {"paths", {"src"}}};
  EXPECT_TRUE(holds(replace(args), "This would be refused:\nsrc/a.js: the result would not parse"));
  json apply = args;
  apply["apply"] = true;
  EXPECT_TRUE(holds(replace(apply), "refused: Refused, and nothing written"));
  EXPECT_EQ(read("src/a.js"), "foo(1)\n");
  EXPECT_TRUE(holds(replace({{"pattern", "foo($A)"}, {"rewrite", "$B"}}), "the pattern has no $B"));
}

/// Work of the pool waits until it is run.
class HeldPool final : public engine::Outbox {
 public:
  explicit HeldPool(FakeOutbox& inner) : inner_(inner) {}
  void send(std::string text) override { inner_.send(std::move(text)); }
  void start_timer(std::uint64_t id, std::uint64_t ms) override { inner_.start_timer(id, ms); }
  void cancel_timer(std::uint64_t id) override { inner_.cancel_timer(id); }
  void watch_session(const std::string& session) override { inner_.watch_session(session); }
  void unwatch_session(const std::string& session) override { inner_.unwatch_session(session); }
  void set_session_info(const std::string& session, std::string text) override {
    inner_.set_session_info(session, std::move(text));
  }
  std::uint64_t now_ms() override { return inner_.now_ms(); }
  void run_on_pool(std::function<void()> work, std::function<void(engine::Outbox&)> done) override {
    jobs_.emplace_back(std::move(work), std::move(done));
  }

  /// Runs all pool work, and `meddle` after each piece, before its result is delivered.
  void run(const std::function<void()>& meddle) {
    while (!jobs_.empty()) {
      const auto job = std::move(jobs_.front());
      jobs_.pop_front();
      job.first();
      meddle();
      job.second(*this);
    }
  }

 private:
  FakeOutbox& inner_;
  std::deque<std::pair<std::function<void()>, std::function<void(engine::Outbox&)>>> jobs_;
};

class ReplaceRaceTest : public AstToolsTest {
 protected:
  void start_replacing() {
    write("src/a.js", "foo(1)\n");
    until_work();
    const std::string text =
        json{{"type", "ast_replace"},
             {"request", "r"},
             {"session", "worker"},
             {"args", json{{"pattern", "foo($A)"}, {"rewrite", "bar($A)"}, {"apply", true}}.dump()}}
            .dump();
    project->on_messages(std::span(&text, 1), pool);
  }
  HeldPool pool{outbox};
};

TEST_F(ReplaceRaceTest, WithoutInterferenceAllFilesAreWritten) {
  start_replacing();
  pool.run([] {});
  EXPECT_TRUE(outbox.last("reply")["ok"].get<bool>());
  EXPECT_EQ(read("src/a.js"), "bar(1)\n");
}

TEST_F(ReplaceRaceTest, AFileThatChangedMeanwhileIsLeftAlone) {
  start_replacing();
  pool.run([&, runs = 0]() mutable {
    if (++runs == 2) write("src/a.js", "foo(1)\nmine()\n");
  });
  const json reply = outbox.last("reply");
  EXPECT_FALSE(reply["ok"].get<bool>());
  EXPECT_TRUE(holds(reply["text"], "was changed meanwhile"));
  EXPECT_EQ(read("src/a.js"), "foo(1)\nmine()\n");
}

TEST_F(ReplaceRaceTest, AMissionThatWasStoppedMeanwhileWritesNothing) {
  start_replacing();
  pool.run([&, runs = 0]() mutable {
    if (++runs == 2) {
      EXPECT_TRUE(ask({{"type", "stop_requested"}, {"session", "root"}, {"arguments", ""}})["ok"]);
    }
  });
  EXPECT_TRUE(holds(outbox.last("reply")["text"], "the mission is over"));
  EXPECT_EQ(read("src/a.js"), "foo(1)\n");
}

TEST_F(ReplaceRaceTest, ACallThatWasAbortedMeanwhileWritesNothing) {
  start_replacing();
  pool.run([&, runs = 0]() mutable {
    if (++runs == 2) say({{"type", "call_aborted"}, {"request", "r"}, {"session", "worker"}});
  });
  EXPECT_EQ(read("src/a.js"), "foo(1)\n");
}

TEST_F(AstToolsTest, ALineIsCutAtTheEdgeOfACharacter) {
  struct Case {
    std::string line;
    std::string shown;
  };
  const auto call = [](const std::string& inside) { return "foo(\"" + inside + "\")"; };
  const std::string accents = [] {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "é";
    return text;
  }();
  for (const Case& one : {
           Case{call(std::string(153, 'x')), call(std::string(153, 'x'))},  // 160 bytes
           Case{call(std::string(154, 'x')), "foo(\"" + std::string(154, 'x') + "\"…"},
           Case{call(accents), "foo(\"" + accents.substr(0, 154) + "…"},
           Case{call("x" + accents), "foo(\"x" + accents.substr(0, 154) + "…"},
           Case{"\tfoo(\t1,  2 )  \r", "foo( 1, 2 )"},
           Case{std::string(80, ' ') + "foo(1) // rest", "foo(1) // rest"},
           Case{std::string(40, 'y') + ";" + std::string(39, 'z') + "+foo(1) // rest",
                "…foo(1) // rest"},
           Case{std::string(40, 'y') + ";" + std::string(38, 'z') + "+foo(1)",
                std::string(40, 'y') + ";" + std::string(38, 'z') + "+foo(1)"},
       }) {
    write("a.js", one.line + "\n");
    const std::string found = search({{"pattern", "foo($$$A)"}});
    EXPECT_TRUE(found.ends_with(" " + one.shown + "\n")) << found;
  }
  write("a.js", "foo(\"" + std::string(61, '\x80') + "\")\n");
  EXPECT_TRUE(holds(search({{"query", "(string_fragment) @s"}}), "Skipped, not UTF-8: a.js.\n"));
  // A capture is cut at fewer bytes.
  write("a.js", "foo(\"" + accents.substr(0, 60) + "\", \"" + accents.substr(0, 62) + "\")\n");
  EXPECT_TRUE(holds(search({{"query", "(string_fragment) @s"}, {"language", "javascript"}}),
                    "@s=" + accents.substr(0, 60) + "\n"));
  EXPECT_TRUE(holds(search({{"query", "(string_fragment) @s"}, {"language", "javascript"}}),
                    "@s=" + accents.substr(0, 60) + "…\n"));
}

TEST_F(AstToolsTest, EachFileHasItsNumberOfMatchesAndOneThatHasMoreSaysSo) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "foo(1);\n";
  write("a.js", "foo(0)\n");
  write("b.js", text);
  write("c.js", "none\n");
  const json all = {{"pattern", "foo($A)"}, {"limit", 3}};
  EXPECT_EQ(search(all),
            "10001 matches in 2 files, of 3 searched. Shown: the first 3; narrow paths or raise "
            "limit.\na.js\n1:1 foo(0)\nb.js\n1:1 foo(1);\n2:1 foo(1);\n");
  write("b.js", text + "foo(1);\n");
  EXPECT_TRUE(search(all).starts_with("At least 10001 matches in 2 files, of 3 searched."));
  EXPECT_TRUE(holds(search({{"pattern", "foo($A)"}, {"limit", 1'000}}),
                    "Shown: the first 1000; narrow paths.\n"));
  EXPECT_TRUE(holds(search({{"pattern", "foo($A)"}, {"limit", 999}}),
                    "Shown: the first 999; narrow paths or raise limit.\n"));
  EXPECT_TRUE(holds(search({{"pattern", "foo($A)"}, {"limit", -1}}), "Shown: the first 1;"));
  EXPECT_EQ(search({{"pattern", "foo($A)"}, {"paths", {"a.js"}}, {"limit", 1}}),
            "1 match in 1 file, of 1 searched.\na.js\n1:1 foo(0)\n");
}

TEST_F(AstToolsTest, AnOutlineThatIsTooLongIsCutAtALineAndNamesWhatIsLeftOut) {
  const auto outline = [&](const json& paths) {
    const json reply = tool("ast_outline", {{"paths", paths}});
    return (reply["ok"].get<bool>() ? "" : "refused: ") + reply["text"].get<std::string>();
  };
  std::string large;
  std::string listed;
  for (int i = 0; i < 400; ++i) {
    const std::string name = "f" + std::to_string(10'000 + i) + std::string(80, 'n');
    large += "function " + name + "() {}\n";
    listed += " " + std::to_string(i + 1) + " function " + name + "\n";
  }
  write("a/1.js", large);
  write("a/2.js", "let x = 1\n");
  write("a/3.js", large);
  const std::string cut = outline({"a"});
  const std::string head = "a/1.js\n" + listed.substr(0, listed.rfind('\n', 24'000) + 1);
  EXPECT_EQ(cut.substr(0, head.size()), head);
  EXPECT_TRUE(holds(cut, "\n …\n")) << cut.substr(head.size());
  EXPECT_TRUE(
      holds(cut, "Left out, since the answer would be too long: a/1.js (from the cut on), "))
      << cut.substr(head.size());
  EXPECT_TRUE(holds(cut, "a/3.js\n")) << cut.substr(head.size());

  // What does not fit behind another file is left out whole, and what is behind it may fit.
  write("b/1.js", large.substr(0, 150 * 98));
  write("b/2.js", large.substr(0, 150 * 98));
  write("b/3.js", "let x = 1\n");
  const std::string some = outline({"b"});
  EXPECT_TRUE(some.starts_with("b/1.js\n 1 function "));
  EXPECT_TRUE(holds(some, "b/3.js\n")) << some;
  EXPECT_TRUE(some.ends_with("Left out, since the answer would be too long: b/2.js\n"))
      << some.substr(some.size() - 200);

  for (int i = 0; i < 200; ++i) write("c/" + std::to_string(i) + ".js", "let x = 1\n");
  EXPECT_FALSE(outline({"c"}).starts_with("refused"));
  write("c/more.js", "let x = 1\n");
  EXPECT_EQ(outline({"c"}), "refused: paths: these are 201 files; name at most 200 at once.");
  EXPECT_TRUE(holds(outline({"none"}), "No file to search"));
}

/// No tool fails or takes long, whatever the file: they say what they skip.
TEST_F(AstToolsTest, HostileFilesAreSkippedAndNamed) {
  const std::string mark = "\xEF\xBB\xBF";
  write("src/huge.js", "foo(1)\n" + std::string(10U << 20U, '['));
  write("src/deep.js", "foo(1)\n" + std::string(900'000, '('));
  write("src/deep.json", std::string(900'000, '['));
  write("src/zero.js", std::string("foo(1)\n\0\n", 9));
  write("src/latin.js", "foo(1) // \xE9\n");
  write("src/windows.js", mark + "foo(1)\r\nfoo(2)\r\n");
  write("src/old_mac.js", "foo(1);\rfoo(2);\r");
  const auto began = std::chrono::steady_clock::now();
  const std::string found = search({{"pattern", "foo($A)"}});
  EXPECT_TRUE(holds(found, "Skipped, too large: src/huge.js.\n")) << found;
  EXPECT_TRUE(holds(found, "src/zero.js")) << found;
  EXPECT_TRUE(holds(found, "src/latin.js")) << found;
  EXPECT_TRUE(holds(found, "src/windows.js\n1:1 foo(1)\n2:1 foo(2)\n")) << found;
  EXPECT_TRUE(holds(found, "src/old_mac.js\n1:1 ")) << found;

  const json outline = tool("ast_outline", {{"paths", {"src/*.js"}}});
  EXPECT_TRUE(outline["ok"].get<bool>());
  EXPECT_TRUE(holds(outline["text"], "Skipped, too large: src/huge.js.\n"));

  until_work();
  const std::string replaced =
      replace({{"pattern", "foo($A)"},
               {"rewrite", "bar($A)"},
               {"apply", true},
               {"paths", {"src/windows.js", "src/old_mac.js", "src/zero.js", "src/huge.js"}}});
  EXPECT_TRUE(holds(replaced, "Written: 2 files.\n")) << replaced;
  EXPECT_EQ(read("src/windows.js"), mark + "bar(1)\r\nbar(2)\r\n");
  EXPECT_EQ(read("src/old_mac.js"), "bar(1);\rbar(2);\r");
  EXPECT_EQ(read("src/zero.js"), std::string("foo(1)\n\0\n", 9));
  // Each parse has its limit, and so has each call.
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(60));
}

}  // namespace
}  // namespace orchestrator::runtime
