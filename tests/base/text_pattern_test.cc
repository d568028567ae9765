#include "base/text_pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace orchestrator::base {
namespace {

bool found(std::string_view pattern, std::string_view text) {
  const auto compiled = TextPattern::compile(pattern);
  EXPECT_TRUE(compiled.ok()) << pattern << ": " << compiled.error().text();
  return compiled.ok() && compiled.value().found_in(text);
}

bool refused(std::string_view pattern) { return !TextPattern::compile(pattern).ok(); }

TEST(TextPattern, Finds) {
  EXPECT_TRUE(found("", ""));
  EXPECT_TRUE(found("b", "abc"));
  EXPECT_FALSE(found("^b", "abc"));
  EXPECT_TRUE(found("^a.c$", "abc"));
  EXPECT_FALSE(found("^a.c$", "abcd"));
  EXPECT_TRUE(found("^(foo|ba[rz]|)$", "baz"));
  EXPECT_TRUE(found("^(foo|ba[rz]|)$", ""));
  EXPECT_FALSE(found("^(foo|ba[rz])$", "bax"));
  EXPECT_TRUE(found("^a*b+c?$", "aabbb"));
  EXPECT_FALSE(found("^a*b+c?$", "aac"));
  EXPECT_TRUE(found("^a{2,3}$", "aaa"));
  EXPECT_FALSE(found("^a{2,3}$", "aaaa"));
  EXPECT_FALSE(found("^a{2}$", "a"));
  EXPECT_TRUE(found("^a{2,}$", "aaaaa"));
  EXPECT_TRUE(found("^(ab|c)*$", "abcab"));
  EXPECT_FALSE(found("^(ab|c)*$", "abca"));
  EXPECT_TRUE(found("^(a|b|c)+?d$", "abcd"));
  EXPECT_TRUE(found("^[^a-c\\d]+$", "xyz"));
  EXPECT_FALSE(found("^[^a-c\\d]+$", "xy1"));
  EXPECT_TRUE(found("[]a]", "]"));
  EXPECT_TRUE(found("\\bfoo\\b", "a foo b"));
  EXPECT_FALSE(found("\\bfoo\\b", "afoo"));
  EXPECT_TRUE(found("^\\w+\\s\\S\\.$", "ab c."));
  EXPECT_TRUE(found("a{x", "a{x"));
  EXPECT_TRUE(found("(?:ab){2}", "abab"));
  EXPECT_TRUE(found("((a*)*)*b", "aab"));
}

TEST(TextPattern, RefusesWhatItDoesNotKnow) {
  for (const char* pattern : {"(", ")", "[a", "*a", "a\\", "(?=a)", "\\1", "[b-a]", "a{3,2}"})
    EXPECT_TRUE(refused(pattern)) << pattern;
  EXPECT_TRUE(refused(std::string(2000, 'a')));
  EXPECT_TRUE(refused("((((a{99}){99}){99}){99})"));
  EXPECT_TRUE(refused(std::string(500, '(') + std::string(500, ')')));
}

TEST(TextPattern, TakesNoLongerThanItsSizes) {
  EXPECT_FALSE(found("(a+)+$", std::string(20'000, 'a') + "b"));
  EXPECT_FALSE(found("^(a|a)*$", std::string(20'000, 'a') + "b"));
}

}  // namespace
}  // namespace orchestrator::base
