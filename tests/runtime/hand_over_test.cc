#include <gtest/gtest.h>

#include "runtime/project/held_replies.h"

namespace orchestrator::runtime {
namespace {

Happening work(const std::string& request) {
  WorkSubmitted submitted;
  submitted.request = RequestId(request);
  return submitted;
}

Effect answer(const std::string& request) { return Reply{RequestId(request), true, "taken"}; }

Effect create(EffectId id) {
  CreateSession effect;
  effect.effect = id;
  return effect;
}

Effect prompt(EffectId id, const std::string& session) {
  PromptSession effect;
  effect.effect = id;
  effect.session = SessionId(session);
  return effect;
}

TEST(HeldReplies, AnswersWhenTheSuccessorsFirstRequestIsOnItsWay) {
  HeldReplies hand_overs;
  Effects effects = {answer("r1"), create(7)};
  EXPECT_TRUE(hand_overs.hold(work("r1"), effects, 0));
  ASSERT_EQ(effects.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<CreateSession>(effects[0]));
  EXPECT_TRUE(hand_overs.due(1).empty());

  Effects next = {prompt(8, "ses_2")};
  EXPECT_FALSE(hand_overs.hold(SessionCreated{7, SessionId("ses_2")}, next, 2));
  EXPECT_EQ(next.size(), 1U);
  hand_overs.started(SessionId("ses_1"));
  EXPECT_TRUE(hand_overs.due(3).empty());
  hand_overs.started(SessionId("ses_2"));
  const Effects due = hand_overs.due(4);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(std::get<Reply>(due[0]).request, RequestId("r1"));
  EXPECT_TRUE(hand_overs.empty());
}

TEST(HeldReplies, AnswersAtOnceWhereNothingFollows) {
  HeldReplies hand_overs;
  Effects effects = {answer("r1")};
  EXPECT_FALSE(hand_overs.hold(work("r1"), effects, 0));
  EXPECT_EQ(effects.size(), 1U);
}

TEST(HeldReplies, HoldsNobodyElsesAnswer) {
  HeldReplies hand_overs;
  Effects effects = {answer("r0"), answer("r1"), prompt(8, "ses_2")};
  EXPECT_TRUE(hand_overs.hold(work("r1"), effects, 0));
  ASSERT_EQ(effects.size(), 2U);
  EXPECT_EQ(std::get<Reply>(effects[0]).request, RequestId("r0"));
}

TEST(HeldReplies, WaitsNoLongerThanItsLimitNorForASessionThatCannotBeMade) {
  HeldReplies hand_overs;
  Effects first = {answer("r1"), create(7)};
  Effects second = {answer("r2"), create(9)};
  EXPECT_TRUE(hand_overs.hold(work("r1"), first, 0));
  EXPECT_TRUE(hand_overs.hold(work("r2"), second, 100));
  EffectFailed failed;
  failed.effect = 9;
  Effects none;
  EXPECT_FALSE(hand_overs.hold(failed, none, 200));
  ASSERT_EQ(hand_overs.due(200).size(), 1U);
  EXPECT_TRUE(hand_overs.due(HeldReplies::kLongestMs - 1).empty());
  EXPECT_EQ(hand_overs.due(HeldReplies::kLongestMs).size(), 1U);
}

}  // namespace
}  // namespace orchestrator::runtime
