// A wrong "no" of the prefilter loses a match; a wrong "yes" costs a parse.
#include "syntax/prefilter.h"

#include <gtest/gtest.h>

namespace orchestrator::syntax {
namespace {

TEST(Prefilter, AWordStandsBetweenBytesThatContinueNone) {
  const Literal word{"foo", true};
  for (const char* text : {"foo", " foo ", "(foo)", "a.foo", "foo.a", "$foo", "foo$",
                           "\xC2\xA0"  // a space of Unicode
                           "foo",
                           "foo\xC2\xA0"}) {
    EXPECT_NE(find_literal(text, word), std::string_view::npos) << text;
  }
  for (const char* text : {"", "fo", "afoo", "zfoo", "Afoo", "Zfoo", "0foo", "9foo", "_foo", "fooa",
                           "fooz", "fooA", "fooZ", "foo0", "foo9", "foo_"}) {
    EXPECT_EQ(find_literal(text, word), std::string_view::npos) << text;
  }
}

TEST(Prefilter, WhatIsNoWordStandsAnywhereAndTheSearchGoesOnBehindAMiss) {
  EXPECT_EQ(find_literal("afoob", {"foo", false}), 1U);
  EXPECT_EQ(find_literal("foox foo foo", {"foo", true}), 5U);
  EXPECT_EQ(find_literal("foox foo foo", {"foo", true}, 5), 5U);
  EXPECT_EQ(find_literal("foox foo foo", {"foo", true}, 6), 9U);
  EXPECT_EQ(find_literal("foo", {"foo", true}, 4), std::string_view::npos);
  EXPECT_TRUE(holds_all("foo bar", {{"foo", true}, {"ba", false}}));
  EXPECT_FALSE(holds_all("foo bar", {{"foo", true}, {"ba", true}}));
  EXPECT_TRUE(holds_all("", {}));
}

}  // namespace
}  // namespace orchestrator::syntax
