#include "syntax/rewrite.h"

#include <gtest/gtest.h>

#include <string>

#include "base/unified_diff.h"

namespace orchestrator::syntax {
namespace {

struct Outcome {
  std::string text;
  std::string diff;
  std::size_t nested = 0;
};

Outcome rewrite(Language language, std::string_view pattern, std::string_view replacement,
                std::string_view text) {
  const auto search = Search::for_pattern(language, pattern);
  if (!search.ok()) return {"no pattern: " + search.error().text(), "", 0};
  const auto compiled = Rewrite::compile(*search.value().pattern(), replacement);
  if (!compiled.ok()) return {"no rewrite: " + compiled.error().text(), "", 0};
  auto result = compiled.value().apply(text, search.value().run(text).found);
  return {result.text, base::unified_diff("a.js", text, result.edits), result.nested};
}

TEST(Rewrite, PutsWhatTheMetavariablesStandFor) {
  EXPECT_EQ(
      rewrite(Language::javascript, "foo($A, $$$B)", "bar($$$B, $A)", "x = foo(1, 2, 3);\nfoo(a)\n")
          .text,
      "x = bar(2, 3, 1);\nfoo(a)\n");
  EXPECT_EQ(rewrite(Language::python, "print($X)", "log.info($X)", "print(a)\nprint( b )\n").text,
            "log.info(a)\nlog.info(b)\n");
}

TEST(Rewrite, LeavesWhatThePatternDoesNotAskFor) {
  EXPECT_EQ(
      rewrite(Language::javascript, "let $A = $B", "const $A = $B", "let a = 1;\nlet b = 2\n").text,
      "const a = 1;\nconst b = 2\n");
}

TEST(Rewrite, OfMatchesWithinOneAnotherTheOuterIsReplaced) {
  const Outcome done = rewrite(Language::javascript, "f($A)", "g($A)", "f(f(1)); f(2)");
  EXPECT_EQ(done.text, "g(f(1)); g(2)");
  EXPECT_EQ(done.nested, 1U);
}

TEST(Rewrite, LinesAreIndentedAsWhereTheyGo) {
  EXPECT_EQ(rewrite(Language::javascript, "if ($A) { $$$B }", "while ($A) {\n  $$$B\n}",
                    "function f() {\n  if (a) {\n    b()\n    c()\n  }\n}\n")
                .text,
            "function f() {\n  while (a) {\n    b()\n    c()\n  }\n}\n");
  EXPECT_EQ(rewrite(Language::javascript, "f(() => { $$$B })", "$$$B",
                    "f(() => {\n    a()\n    b()\n})\n")
                .text,
            "a()\nb()\n");
}

TEST(Rewrite, KeepsLineEndsAndTheByteOrderMark) {
  EXPECT_EQ(rewrite(Language::javascript, "f($A)", "g($A)",
                    "\xEF\xBB\xBF"
                    "f(1)\r\nf(2)\r\n")
                .text,
            "\xEF\xBB\xBF"
            "g(1)\r\ng(2)\r\n");
}

TEST(Rewrite, NamesThatThePatternDoesNotHaveAreRefused) {
  const std::string said = rewrite(Language::javascript, "f($A)", "g($A, $B, $$$C)", "f(1)").text;
  EXPECT_NE(said.find("$B, $$$C"), std::string::npos) << said;
  EXPECT_NE(said.find("it has $A"), std::string::npos) << said;
}

TEST(Rewrite, AResultThatDoesNotParseIsNotToBeWritten) {
  EXPECT_EQ(judge_rewrite(Language::javascript, "f(1)", "g(1)").why_not, "");
  EXPECT_NE(judge_rewrite(Language::javascript, "f(1)", "g(1").why_not.find("would not parse"),
            std::string::npos);
  // What was wrong before is not held against it.
  EXPECT_EQ(judge_rewrite(Language::javascript, "f(1)\nlet = = 1", "g(1)\nlet = = 1").why_not, "");
  EXPECT_NE(judge_rewrite(Language::javascript, "f(1)", std::string(2U << 20U, 'a')).why_not, "");
}

TEST(UnifiedDiff, IsWhatPatchReads) {
  const std::string text = "1\n2\n3\n4\n5\n6\n7\n8\n9\nf(1)\n11\n12\n13\n14\n15\n16\n17\n18\nf(2)";
  EXPECT_EQ(rewrite(Language::javascript, "f($A)", "g($A)", text).diff,
            "--- a/a.js\n+++ b/a.js\n"
            "@@ -7,7 +7,7 @@\n 7\n 8\n 9\n-f(1)\n+g(1)\n 11\n 12\n 13\n"
            "@@ -16,4 +16,4 @@\n 16\n 17\n 18\n-f(2)\n\\ No newline at end of file\n+g(2)\n"
            "\\ No newline at end of file\n");
}

TEST(UnifiedDiff, LinesThatComeAndGo) {
  EXPECT_EQ(base::unified_diff("a", "a\nb\nc\n", {{2, 4, ""}}),
            "--- a/a\n+++ b/a\n@@ -1,3 +1,2 @@\n a\n-b\n c\n");
  EXPECT_EQ(base::unified_diff("a", "a\nc\n", {{2, 2, "b\n"}}),
            "--- a/a\n+++ b/a\n@@ -1,2 +1,3 @@\n a\n+b\n c\n");
  EXPECT_EQ(base::unified_diff("a", "", {{0, 0, "b\n"}}),
            "--- a/a\n+++ b/a\n@@ -0,0 +1,1 @@\n+b\n");
  EXPECT_EQ(base::unified_diff("a", "a b c\n", {{0, 1, "x"}, {4, 5, "y"}}),
            "--- a/a\n+++ b/a\n@@ -1,1 +1,1 @@\n-a b c\n+x b y\n");
  EXPECT_EQ(base::unified_diff("a", "a\n", {{0, 1, "a"}}), "");
}

}  // namespace
}  // namespace orchestrator::syntax
