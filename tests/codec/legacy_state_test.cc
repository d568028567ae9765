#include "codec/legacy_state.h"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

#include "codec/binary.h"
#include "codec/json.h"
#include "codec/log_record.h"
#include "codec/message.h"

namespace orchestrator::codec {
namespace {

/// Gives every field of a value another content, so that two fields that change places, or one that
/// is left out, are seen.
class Fill {
 public:
  template <class T>
  void operator()(T& item) {
    ++count_;
    if constexpr (std::same_as<T, bool>) {
      item = !item;
    } else if constexpr (DescribedEnum<T>) {
      constexpr auto names = enum_names(T{});
      item = names[1 + count_ % (names.size() - 1)].value;
    } else if constexpr (IntegerLike<T> || std::same_as<T, double>) {
      item = static_cast<T>(1000 + count_);
    } else if constexpr (std::same_as<T, std::string>) {
      item = "text " + std::to_string(count_);
    } else if constexpr (IdLike<T>) {
      item.value = "id" + std::to_string(count_);
    } else if constexpr (VectorLike<T>) {
      for (int i = 0; i < 2; ++i) (*this)(item.emplace_back());
    } else if constexpr (OptionalLike<T>) {
      (*this)(item.emplace());
    } else if constexpr (MapLike<T>) {
      (*this)(item["key " + std::to_string(count_)]);
    } else if constexpr (DescribedStruct<T>) {
      T::describe(item, [this](std::string_view, auto& field, auto...) { (*this)(field); });
    }
  }

 private:
  unsigned count_ = 0;
};

legacy::State filled() {
  legacy::State old;
  Fill{}(old);
  old.schema = 1;
  for (legacy::Session& session : old.sessions) {
    session.unused_call = {};
    session.unused_answer.clear();
  }
  return old;
}

TEST(LegacyState, EveryFieldIsConvertedInBothDirections) {
  const legacy::State old = filled();
  EXPECT_EQ(dump(legacy::to_legacy(legacy::from_legacy(old)), 2), dump(old, 2));
  EXPECT_EQ(encode_state(legacy::from_legacy(old), 2), encode(old));
}

TEST(LegacyState, EveryFieldOfTheNewStateButTheChildrensAnswerPriceHasAPlaceInTheOld) {
  State now;
  Fill{}(now);
  now.schema = State{}.schema;
  for (Session& session : now.sessions) session.metering.answer.usd = 0;
  EXPECT_EQ(dump(legacy::from_legacy(legacy::to_legacy(now)), 2), dump(now, 2));
}

TEST(LegacyState, FieldsAreConvertedToTheirNewPlaces) {
  const legacy::State old = filled();
  const State now = legacy::from_legacy(old);
  EXPECT_EQ(now.schema, 2U);
  EXPECT_EQ(now.tasks[1].progress.blocked_path, old.tasks[1].wants);
  EXPECT_EQ(now.tasks[1].worktree.resolves_conflict_of, old.tasks[1].brings);
  EXPECT_EQ(now.sessions[1].lease.prompt, old.sessions[1].prompt);
  EXPECT_EQ(now.sessions[1].metering.request.waiting, old.sessions[1].asking);
  EXPECT_EQ(now.plan.sessions_lost, old.planner_losses);
  EXPECT_EQ(now.clock.stop_timer, old.stop_timer);
}

TEST(LegacyState, AStateOfAVersion2LogIsRead) {
  legacy::State old;
  old.mission = MissionId{"m-1"};
  old.phase = Phase::planning;
  old.last_seq = 7;
  old.planner_attempts = 2;
  old.sessions.resize(1);
  old.sessions[0].role = Role::planner;
  old.sessions[0].state = SessionState::parting;
  State now;
  std::string error;
  ASSERT_TRUE(decode_state(encode(old), 2, now, &error)) << error;
  EXPECT_EQ(now.plan.attempts, 2U);
  EXPECT_EQ(now.sessions.at(0).state, SessionState::closing);
  Problems problems;
  ASSERT_TRUE(parse_state(dump(old), now, problems)) << to_string(problems);
  EXPECT_EQ(now.plan.attempts, 2U);
  EXPECT_FALSE(decode_state(encode(old), 3, now, &error) && now.plan.attempts == 2);
}

TEST(LegacyState, TheStatePartingExistsOnlyInOldLogs) {
  State now;
  now.mission = MissionId{"m-1"};
  now.phase = Phase::planning;
  now.sessions.resize(1);
  now.sessions[0].role = Role::planner;
  State read;
  std::string error;
  ASSERT_TRUE(decode_state(encode_state(now), 3, read, &error)) << error;
  now.sessions[0].state = SessionState::parting;
  EXPECT_FALSE(decode_state(encode_state(now), 3, read, &error));
  EXPECT_EQ(error, "sessions[0].state: is of an older schema");
}

}  // namespace
}  // namespace orchestrator::codec
