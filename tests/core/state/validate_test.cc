// What a loader of foreign bytes checks in a state before the mission goes on with it.
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

/// What `validate_state` says of a mission in the middle of its tasks that `spoil` has changed.
template <class Spoil>
std::string why_not(Spoil&& spoil) {
  static const State valid = halfway();
  State state = valid;
  spoil(state);
  return validate_state(state);
}

TEST(ValidateState, TheProblemIsNamed) {
  EXPECT_EQ(why_not([](State&) {}), "");
  EXPECT_EQ(why_not([](State& s) { s.tasks[1].id = s.tasks[0].id; }),
            "tasks[1].id: T1 is used twice");
  EXPECT_EQ(why_not([](State& s) { s.tasks[2].id.value = "no id"; }), "tasks[2].id: is no task id");
  EXPECT_EQ(why_not([](State& s) { s.tasks[2].title = "two\nlines"; }),
            "tasks[2].title: is more than one line");
  EXPECT_EQ(why_not([](State& s) { s.tasks[0].deps = {TaskId("T6")}; }).substr(0, 39),
            "tasks: the dependencies form a cycle: T");
  EXPECT_EQ(why_not([](State& s) { s.tasks.clear(); }),
            "tasks: none, and the mission is past its planning");
  EXPECT_EQ(why_not([](State& s) { s.sessions[0].task = TaskId("T1"); }),
            "sessions[0].task: a planner has none");
  EXPECT_EQ(why_not([](State& s) { s.sessions[1].task = TaskId(); }),
            "sessions[1].task: a worker needs one");
  EXPECT_EQ(why_not([](State& s) { s.sessions[1].role = Role::commander; }),
            "sessions[1].role: no child session has this role");
  EXPECT_EQ(why_not([](State& s) { s.sessions[1].id = s.sessions[0].id; }),
            "sessions[1].id: is used twice");
  EXPECT_EQ(why_not([](State& s) { s.sessions[1].state = SessionState::parting; }),
            "sessions[1].state: is of an older schema");
  EXPECT_EQ(why_not([](State& s) { s.parallel = 0; }), "parallel: must be at least 1");
}

TEST(ValidateState, TwoSessionsThatTheHostHasNotMadeYetHaveNoId) {
  EXPECT_EQ(why_not([](State& s) {
              s.sessions.resize(2);
              for (Session& session : s.sessions) session.id = SessionId();
            }),
            "");
}

TEST(ValidateState, AMissionsNameIsAlsoAFileName) {
  const auto why = [](const std::string& name) {
    return why_not([&](State& s) { s.mission.value = name; });
  };
  for (const char* name : {"m", "m-1", "M.2_x", "a.", "0", "zZ9", "Az-_."})
    EXPECT_EQ(why(name), "");
  EXPECT_EQ(why(std::string(64, 'm')), "");
  for (const char* name : {"", ".", "..", ".m", "../../etc", "a/b", "a b", "m@", "m[", "m`", "m{",
                           "m:", "m,", "m\n", "\xc3\xa4"}) {
    EXPECT_EQ(why(name), "mission: is no mission's name") << name;
  }
  EXPECT_EQ(why(std::string(65, 'm')), "mission: is no mission's name");
}

TEST(ValidateState, AMissionThatIsInterruptedKnowsThePhaseThatFollows) {
  const auto why = [](Phase now, Phase next) {
    return why_not([&](State& s) {
      s.phase = now;
      s.resume_phase = next;
    });
  };
  for (const Phase next : {Phase::planning, Phase::executing, Phase::integrating}) {
    EXPECT_EQ(why(Phase::blocked, next), "");
    EXPECT_EQ(why(Phase::paused, next), "");
  }
  EXPECT_EQ(why(Phase::paused, Phase::briefing), "") << "the Commander had not called mission_run";
  for (const Phase next : {Phase::none, Phase::briefing, Phase::sealed, Phase::blocked,
                           Phase::paused, Phase::cancelled, Phase::failed}) {
    EXPECT_EQ(why(Phase::blocked, next),
              "resume_phase: a mission that is blocked cannot go on with \"" +
                  std::string(to_name(next)) + "\"");
  }
  EXPECT_EQ(why(Phase::paused, Phase::sealed),
            "resume_phase: a mission that is paused cannot go on with \"sealed\"");
  EXPECT_EQ(why(Phase::executing, Phase::none), "") << "it is not interrupted";

  const auto without_tasks = [](Phase now, Phase next) {
    return why_not([&](State& s) {
      s.tasks.clear();
      s.phase = now;
      s.resume_phase = next;
    });
  };
  const char* none = "tasks: none, and the mission is past its planning";
  EXPECT_EQ(without_tasks(Phase::planning, Phase::none), "");
  EXPECT_EQ(without_tasks(Phase::paused, Phase::planning), "");
  EXPECT_EQ(without_tasks(Phase::cancelled, Phase::none), "");
  EXPECT_EQ(without_tasks(Phase::executing, Phase::none), none);
  EXPECT_EQ(without_tasks(Phase::integrating, Phase::none), none);
  EXPECT_EQ(without_tasks(Phase::paused, Phase::executing), none);
  EXPECT_EQ(without_tasks(Phase::blocked, Phase::integrating), none);
}

TEST(ValidateState, ATaskThatIsRacedIsRunning) {
  EXPECT_EQ(why_not([](State& s) {
              s.tasks[1].race.running = true;
              s.tasks[1].status = TaskStatus::running;
            }),
            "");
  EXPECT_EQ(why_not([](State& s) {
              s.tasks[1].race.running = true;
              s.tasks[1].status = TaskStatus::pending;
            }),
            "tasks[1].racing: a task that is raced is running");
}

// Times are added to; the sum of two valid ones must not overflow.
TEST(ValidateState, EveryTimeIsInRange) {
  struct Row {
    TimeMs& (*field)(State&);
    const char* why;
  };
  const auto more = [](State& s) -> State& {
    if (s.unattributed.empty()) s.unattributed.emplace_back();
    if (s.limiter.models.empty()) {
      s.limiter.models.emplace_back();
      s.limiter.models[0].limit = 1;
    }
    return s;
  };
  const std::vector<Row> rows{
      {[](State& s) -> TimeMs& { return s.started_at; }, "updated_at: is no time"},
      {[](State& s) -> TimeMs& { return s.updated_at; }, "updated_at: is no time"},
      {[](State& s) -> TimeMs& { return s.commander.metering.asked_ms; },
       "commander.asked_ms: is no time"},
      {[](State& s) -> TimeMs& { return s.budget.time_max_ms; }, "budget: a time is out of range"},
      {[](State& s) -> TimeMs& { return s.budget.deadline_ms; }, "budget: a time is out of range"},
      {[](State& s) -> TimeMs& { return s.budget.time_left_ms; }, "budget: a time is out of range"},
      {[](State& s) -> TimeMs& { return s.tasks[0].started_ms; },
       "tasks[0].started_ms: is no time"},
      {[](State& s) -> TimeMs& { return s.tasks[0].ended_ms; }, "tasks[0].started_ms: is no time"},
      {[](State& s) -> TimeMs& { return s.sessions[0].started_ms; },
       "sessions[0].seen_ms: is no time"},
      {[](State& s) -> TimeMs& { return s.sessions[0].seen_ms; },
       "sessions[0].seen_ms: is no time"},
      {[](State& s) -> TimeMs& { return s.sessions[0].lease.since_ms; },
       "sessions[0].seen_ms: is no time"},
      {[](State& s) -> TimeMs& { return s.sessions[0].metering.asked_ms; },
       "sessions[0].seen_ms: is no time"},
      {[](State& s) -> TimeMs& { return s.unattributed[0].at_ms; },
       "unattributed: a time is out of range"},
      {[](State& s) -> TimeMs& { return s.limiter.slowed_ms; }, "limiter: a time is out of range"},
      {[](State& s) -> TimeMs& { return s.limiter.timer_at_ms; },
       "limiter: a time is out of range"},
      {[](State& s) -> TimeMs& { return s.limiter.models[0].not_before_ms; },
       "limiter.models: a time is out of range"},
      {[](State& s) -> TimeMs& { return s.limiter.models[0].slowed_ms; },
       "limiter.models: a time is out of range"},
  };
  constexpr TimeMs kMost = (TimeMs{1} << 52U) - 1;
  for (const Row& row : rows) {
    for (const TimeMs time : {TimeMs{0}, kMost, -kMost}) {
      EXPECT_EQ(why_not([&](State& s) { row.field(more(s)) = time; }), "") << row.why << time;
    }
    for (const TimeMs time : {kMost + 1, -kMost - 1, INT64_MAX, INT64_MIN}) {
      EXPECT_EQ(why_not([&](State& s) { row.field(more(s)) = time; }), row.why) << time;
    }
  }
}

TEST(ValidateState, EveryIdIsInRange) {
  struct Row {
    std::uint64_t& (*field)(State&);
    const char* why;
  };
  const std::vector<Row> rows{
      {[](State& s) -> std::uint64_t& { return s.clock.next_effect; },
       "last_seq: a number is out of range"},
      {[](State& s) -> std::uint64_t& { return s.clock.next_timer; },
       "last_seq: a number is out of range"},
      {[](State& s) -> std::uint64_t& { return s.last_seq; }, "last_seq: a number is out of range"},
      {[](State& s) -> std::uint64_t& { return s.limiter.timer; },
       "limiter: a time is out of range"},
      {[](State& s) -> std::uint64_t& { return s.sessions[1].effect; },
       "sessions[1].effect: is out of range"},
      {[](State& s) -> std::uint64_t& { return s.sessions[1].timer; },
       "sessions[1].effect: is out of range"},
  };
  constexpr std::uint64_t kMost = (std::uint64_t{1} << 60U) - 1;
  for (const Row& row : rows) {
    EXPECT_EQ(why_not([&](State& s) { row.field(s) = kMost; }), "") << row.why;
    EXPECT_EQ(why_not([&](State& s) { row.field(s) = kMost + 1; }), row.why);
    EXPECT_EQ(why_not([&](State& s) { row.field(s) = ~std::uint64_t{0}; }), row.why);
  }
}

TEST(ValidateState, NumbersThatSizeTheMissionAreInRange) {
  EXPECT_EQ(why_not([](State& s) { s.parallel = s.parallel_max = 1'000; }), "");
  EXPECT_EQ(why_not([](State& s) { s.parallel = 1'001; }), "parallel: must be at most 1000");
  EXPECT_EQ(why_not([](State& s) { s.parallel_max = 1'001; }), "parallel: must be at most 1000");
  EXPECT_EQ(why_not([](State& s) {
              s.limiter.models.emplace_back();
              s.limiter.models.back().limit = 0;
            }),
            "limiter.models: a limit must be at least 1");
  const auto tasks = [](std::size_t count) {
    return why_not([&](State& s) {
      const Task one = s.tasks[0];
      while (s.tasks.size() < count) {
        s.tasks.push_back(one);
        s.tasks.back().id = TaskId("T" + std::to_string(s.tasks.size()));
      }
    });
  };
  EXPECT_EQ(tasks(2'000), "");
  EXPECT_EQ(tasks(2'001), "tasks: more than 2000");
  const auto sessions = [](std::size_t count) {
    return why_not([&](State& s) {
      Session one = s.sessions[0];
      one.id = SessionId();
      s.sessions.resize(count, one);
    });
  };
  EXPECT_EQ(sessions(100'000), "");
  EXPECT_EQ(sessions(100'001), "sessions: more than 100000");
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
