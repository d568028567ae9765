#include "base/ignore_rules.h"

#include <gtest/gtest.h>

#include <string>

namespace orchestrator::base {
namespace {

TEST(Wildcard, StarsStopAtSlashes) {
  EXPECT_TRUE(wildcard_matches("*.js", "a.js"));
  EXPECT_FALSE(wildcard_matches("*.js", "a/b.js"));
  EXPECT_TRUE(wildcard_matches("a*b*c", "axxbyybzzc"));
  EXPECT_FALSE(wildcard_matches("a*b*c", "axxbyybzz"));
  EXPECT_TRUE(wildcard_matches("a?c", "abc"));
  EXPECT_FALSE(wildcard_matches("a?c", "a/c"));
  EXPECT_TRUE(wildcard_matches("[a-c][!x]", "by"));
  EXPECT_FALSE(wildcard_matches("[a-c][!x]", "bx"));
  EXPECT_TRUE(wildcard_matches("\\*", "*"));
  EXPECT_FALSE(wildcard_matches("\\*", "a"));
  EXPECT_TRUE(wildcard_matches("[", "["));
}

TEST(Wildcard, TwoStarsDoNot) {
  EXPECT_TRUE(wildcard_matches("**/a", "a"));
  EXPECT_TRUE(wildcard_matches("**/a", "b/c/a"));
  EXPECT_FALSE(wildcard_matches("**/a", "b/ca"));
  EXPECT_TRUE(wildcard_matches("a/**/b", "a/b"));
  EXPECT_TRUE(wildcard_matches("a/**/b", "a/x/y/b"));
  EXPECT_FALSE(wildcard_matches("a/**/b", "a/xb"));
  EXPECT_TRUE(wildcard_matches("a/**", "a/b/c"));
  EXPECT_TRUE(wildcard_matches("**/x*/**/*.c", "a/xy/b/d.c"));
}

TEST(Wildcard, HostilePatternsEnd) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "a*";
  EXPECT_FALSE(wildcard_matches(pattern + "b", std::string(2000, 'a')));
  std::string parts;
  for (int i = 0; i < 100; ++i) parts += "**/a/";
  std::string path;
  for (int i = 0; i < 500; ++i) path += "a/";
  EXPECT_FALSE(wildcard_matches(parts + "b", path + "c"));
}

TEST(IgnoreRules, AsGitReadsThem) {
  const auto root = IgnoreRules::read(
      "# comment\n\n*.log\r\n!keep.log\nbuild/\n/dist\ndoc/*.txt\n**/gen/**\nspace\\ \n", "",
      nullptr);
  EXPECT_TRUE(root->ignores("a.log", false));
  EXPECT_TRUE(root->ignores("x/y/a.log", false));
  EXPECT_FALSE(root->ignores("x/keep.log", false));
  EXPECT_TRUE(root->ignores("x/build", true));
  EXPECT_FALSE(root->ignores("x/build", false));
  EXPECT_TRUE(root->ignores("dist", false));
  EXPECT_FALSE(root->ignores("x/dist", true));
  EXPECT_TRUE(root->ignores("doc/a.txt", false));
  EXPECT_FALSE(root->ignores("doc/b/a.txt", false));
  EXPECT_FALSE(root->ignores("x/doc/a.txt", false));
  EXPECT_TRUE(root->ignores("x/gen/y", false));
  EXPECT_FALSE(root->ignores("comment", false));
  EXPECT_TRUE(root->ignores("space ", false));
}

TEST(IgnoreRules, TheInnerFileHasTheLastWord) {
  const auto root = IgnoreRules::read("*.log\n", "", nullptr);
  const auto inner = IgnoreRules::read("!*.log\n/only\n", "a/", root);
  EXPECT_FALSE(inner->ignores("a/b.log", false));
  EXPECT_TRUE(inner->ignores("a/only", false));
  EXPECT_FALSE(inner->ignores("a/b/only", false));
  EXPECT_TRUE(root->ignores("b.log", false));
}

}  // namespace
}  // namespace orchestrator::base
