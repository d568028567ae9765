// What a loader of foreign bytes asks of a state before anybody goes on with it.
#include <gtest/gtest.h>

#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

/// A mission in the middle of its tasks.
State halfway() {
  FakeHost host;
  host.task_command("build it");
  host.run_until([&] { return !host.finished.empty(); });
  const State state = host.state;
  host.stop();
  return state;
}

TEST(ValidateState, EveryStateOfAMissionIsValid) {
  EXPECT_EQ(validate_state(State{}), "");
  FakeHost host;
  host.task_command("build it");
  while (is_active(host.state.phase)) {
    host.run_to_event(host.log.size() + 1);
    ASSERT_EQ(validate_state(host.state), "") << host.log.size();
  }
  EXPECT_EQ(host.state.phase, Phase::sealed);
}

TEST(ValidateState, TheProblemIsNamed) {
  const auto why = [](auto spoil) {
    State state = halfway();
    spoil(state);
    return validate_state(state);
  };
  EXPECT_EQ(why([](State& s) { s.mission.value = "../../etc"; }), "mission: is no mission's name");
  EXPECT_EQ(why([](State& s) { s.tasks[1].id = s.tasks[0].id; }), "tasks[1].id: T1 is used twice");
  EXPECT_EQ(why([](State& s) { s.tasks[2].id.value = "no id"; }), "tasks[2].id: is no task id");
  EXPECT_EQ(why([](State& s) { s.tasks[0].deps = {TaskId("T6")}; }).substr(0, 39),
            "tasks: the dependencies form a cycle: T");
  EXPECT_EQ(why([](State& s) { s.tasks.clear(); }),
            "tasks: none, and the mission is past its planning");
  EXPECT_EQ(why([](State& s) { s.phase = Phase::blocked; }),
            "resume_phase: a mission that is blocked cannot go on with \"none\"");
  EXPECT_EQ(why([](State& s) { s.sessions[0].task = TaskId("T1"); }),
            "sessions[0].task: a planner has none");
  EXPECT_EQ(why([](State& s) { s.sessions[1].role = Role::commander; }),
            "sessions[1].role: no child session has this role");
  EXPECT_EQ(why([](State& s) { s.clock.next_timer = ~std::uint64_t{0}; }),
            "last_seq: a number is out of range");
  EXPECT_EQ(why([](State& s) { s.updated_at = INT64_MAX; }), "updated_at: is no time");
  EXPECT_EQ(why([](State& s) { s.parallel = 0; }), "parallel: must be at least 1");
}

TEST(ValidateState, AMissionNeedsASession) {
  FakeHost host;
  EXPECT_TRUE(host.task_command("build it", SessionId{}).says("is not named"));
  EXPECT_EQ(host.state.phase, Phase::none);
  EXPECT_TRUE(host.task_command("build it").ok);
  EXPECT_TRUE(host.stop("--pause").ok);
  EXPECT_TRUE(host.resume("", SessionId{}).says("no session is named"));
  EXPECT_EQ(host.state.root_session, SessionId("root"));
  host.stop();
}

}  // namespace
}  // namespace orchestrator::test
