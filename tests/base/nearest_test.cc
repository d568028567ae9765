#include "base/nearest.h"

#include <gtest/gtest.h>

#include <array>

namespace orchestrator::base {
namespace {

constexpr std::array<std::string_view, 4> kKeys = {"id", "title", "deps", "verify"};

TEST(Nearest, EditDistance) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("Deps", "deps"), 0U);
  EXPECT_EQ(edit_distance("tilte", "title"), 1U);  // a swap is one slip
}

TEST(Nearest, FindsASlip) {
  EXPECT_EQ(nearest("dep", kKeys), "deps");
  EXPECT_EQ(nearest("tilte", kKeys), "title");
  EXPECT_EQ(nearest("DEPS", kKeys), "deps");
  EXPECT_EQ(nearest("verify_cmd", kKeys), "verify");
}

TEST(Nearest, SaysNothingWhenNothingIsClose) {
  EXPECT_EQ(nearest("colour", kKeys), std::nullopt);
  EXPECT_EQ(nearest("x", kKeys), std::nullopt);
  EXPECT_EQ(nearest("", kKeys), std::nullopt);
  EXPECT_EQ(nearest("dep", {}), std::nullopt);
}

TEST(Nearest, ManyInOrderOfDistance) {
  constexpr std::array<std::string_view, 4> kIds = {"T1", "T12", "T2", "setup"};
  EXPECT_EQ(nearest_n("T22", kIds, 2), (std::vector<std::string>{"T12", "T2"}));
  EXPECT_EQ(nearest_n("T22", kIds, 9).size(), 4U);
}

TEST(Nearest, HostileLengthIsNotCompared) {
  const std::string word(4 << 20, 'd');
  EXPECT_EQ(nearest(word, kKeys), std::nullopt);
  EXPECT_TRUE(nearest_n(word, kKeys, 3).empty());
}

}  // namespace
}  // namespace orchestrator::base
