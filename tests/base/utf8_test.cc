#include "base/utf8.h"

#include <gtest/gtest.h>

namespace orchestrator::base {
namespace {

TEST(Utf8, SequencesAreShortestFormsOfCharactersThatThereAre) {
  for (const char* text : {"", "a", "\xC3\xBC", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xED\x9F\xBF"})
    EXPECT_TRUE(is_utf8(text)) << text;
  for (const char* text : {"\x80", "\xC0\xAF", "\xC3", "\xE0\x80\xAF", "\xED\xA0\x80",
                           "\xF0\x80\x80\xAF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "a\xE2\x82",
                           "\xC3"
                           "a"})
    EXPECT_FALSE(is_utf8(text)) << text;
}

TEST(Utf8, EachByteThatIsNoneIsReplaced) {
  EXPECT_EQ(as_utf8("a\xC3\xBC"), "a\xC3\xBC");
  EXPECT_EQ(as_utf8("a\xC3"
                    "b\xFF"),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
}

}  // namespace
}  // namespace orchestrator::base
