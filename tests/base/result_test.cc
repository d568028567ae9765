#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace orchestrator::base {
namespace {

Result<std::unique_ptr<int>> made(bool good) {
  if (!good) return Error{"no number", "here", "try again"};
  return std::make_unique<int>(7);
}

TEST(Result, CarriesAValueThatCanOnlyBeMoved) {
  auto result = made(true);
  ASSERT_TRUE(result);
  EXPECT_EQ(*std::move(result).value(), 7);
}

TEST(Result, CarriesAnErrorInThreeParts) {
  const auto result = made(false);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().text(), "here: no number (try again)");
  EXPECT_EQ((Error{"only this", "", ""}).text(), "only this");
}

TEST(Result, OfNothingIsGoodByDefault) {
  const Result<void> good;
  EXPECT_TRUE(good.ok());
  const Result<void> bad = Error{"bad", "", ""};
  EXPECT_FALSE(bad.ok());
}

TEST(Result, LookingForTheValueOfAFailureIsABug) {
  const auto result = made(false);
  EXPECT_THROW((void)result.value(), AssertionFailure);
}

TEST(Assert, NamesTheConditionAndThePlaceWithoutThisMachinesPaths) {
  try {
    ORCH_ASSERT(1 + 1 == 3);
    FAIL();
  } catch (const AssertionFailure& failure) {
    const std::string text = failure.what();
    EXPECT_NE(text.find("1 + 1 == 3 at tests/base/result_test.cc:"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace orchestrator::base
