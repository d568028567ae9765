#include "codec/message.h"

#include <gtest/gtest.h>

namespace orchestrator::codec {
namespace {

template <class T>
T event_of(std::string_view json) {
  Incoming incoming = decode_message(json);
  EXPECT_EQ(incoming.problem, "");
  return std::get<T>(std::get<Happening>(incoming.what));
}

TEST(Message, MistakesOfAModelGoIntoTheEvent) {
  const auto event = event_of<PlanSubmitted>(
      R"({"type":"submit_plan","request":"r1","session":"s1",
          "args":{"tasks":[{"id":"T1","title":5,"dep":["T2"]}],"verify":"npm test"}})");
  EXPECT_EQ(event.request, RequestId("r1"));
  ASSERT_EQ(event.problems.size(), 3U);
  EXPECT_NE(event.problems[0].find("verify"), std::string::npos);
  EXPECT_NE(event.problems[1].find("tasks[0].title"), std::string::npos);
  EXPECT_NE(event.problems[2].find("did you mean \"deps\""), std::string::npos);
}

TEST(Message, ArgumentsThatAreNoObjectAreMistakesOfTheModelToo) {
  for (const char* args : {"null", "5", "\"x\"", "[]", "[{\"task\":1}]"}) {
    const auto event = event_of<WorkSubmitted>(
        std::string(R"({"type":"submit_work","request":"r","session":"s","args":)") + args + "}");
    EXPECT_FALSE(event.problems.empty()) << args;
  }
}

TEST(Message, MessagesOfThePluginAreCheckedStrictly) {
  EXPECT_NE(decode_message("{").problem, "");
  EXPECT_NE(decode_message("[]").problem, "");
  EXPECT_NE(decode_message(R"({"type":"nothing"})").problem, "");
  EXPECT_NE(decode_message(R"({"type":5})").problem, "");
  EXPECT_NE(decode_message(R"({"type":"hello","mode":"party"})").problem, "");
  EXPECT_NE(decode_message(R"({"type":"role_asked","session":"s"})").problem, "");
}

TEST(Message, TheOutputOfACommandIsPassedOnAndIsNotPartOfTheEvent) {
  const Incoming incoming = decode_message(
      R"({"type":"command_ran","session":"s","command":"npm test","exit_code":1,"output":"secret"})");
  EXPECT_EQ(incoming.output, "secret");
  const Event event{1, 2, std::get<Happening>(incoming.what)};
  EXPECT_EQ(encode_event(event).find("secret"), std::string::npos);
}

TEST(Message, RoundTripOfEventsAndStates) {
  Event event{7, 9, WorkSubmitted{}};
  auto& work = std::get<WorkSubmitted>(event.what);
  work.args.summary = "line\n\"quoted\" é";
  work.args.evidence = {{"npm test", -1}};
  Event read;
  std::string error;
  ASSERT_TRUE(decode_event(encode_event(event), read, &error)) << error;
  EXPECT_EQ(encode_event(read), encode_event(event));

  State state;
  state.mission = MissionId("m-1");
  state.phase = Phase::executing;
  state.objective = " many\nlines, \"quotes\", `ticks`, !`cmd`, $1, äöü ";
  state.tasks.emplace_back();
  state.tasks.back().id = TaskId("T1");
  State loaded;
  Problems problems;
  ASSERT_TRUE(parse_state(dump_state(state), loaded, problems));
  EXPECT_EQ(dump_state(loaded), dump_state(state));
}

TEST(Message, DeeplyNestedArgumentsAreTheModelsMistake) {
  const std::string head = R"({"type":"submit_work","request":"r","session":"s","args":")";
  const auto deep = event_of<WorkSubmitted>(head + std::string(1'000'000, '[') + "\"}");
  ASSERT_EQ(deep.problems.size(), 1U);
  EXPECT_NE(deep.problems[0].find("nested deeper"), std::string::npos);
  const auto large = event_of<WorkSubmitted>(head + std::string(5'000'000, 'x') + "\"}");
  ASSERT_EQ(large.problems.size(), 1U);
  EXPECT_NE(large.problems[0].find("too large"), std::string::npos);
  // Nested in the envelope itself they are refused before anything walks them.
  const std::string inside = R"({"type":"submit_work","request":"r","args":)" +
                             std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}";
  EXPECT_NE(decode_message(inside).problem, "");
}

TEST(Message, AnArgumentTextIsReadLikeAnObject) {
  const auto event = event_of<WorkSubmitted>(
      R"({"type":"submit_work","request":"r","session":"s","args":"{\"summary\":\"done\"}"})");
  EXPECT_TRUE(event.problems.empty());
  EXPECT_EQ(event.args.summary, "done");
}

TEST(Message, RoundTripOfAStateOfManyLargeTasks) {
  State state;
  state.mission = MissionId("m-large");
  state.tasks.resize(500);
  for (std::size_t i = 0; i < state.tasks.size(); ++i) {
    state.tasks[i].id = TaskId("T" + std::to_string(i));
    state.tasks[i].spec.description = std::string(20'000, 'd');
  }
  State loaded;
  Problems problems;
  EXPECT_TRUE(parse_state(dump_state(state), loaded, problems)) << to_string(problems);
  EXPECT_EQ(loaded.tasks.size(), 500U);
}

TEST(Options, EveryMistakeIsNamedWithTheNearestKey) {
  Options options;
  Problems problems;
  EXPECT_FALSE(parse_options(R"({
    // a comment is fine
    "paralel": {"max": 3}, "limits": {"attempts": "three"}, "isolation": "none"
  })",
                             options, problems));
  const std::string text = to_string(problems);
  EXPECT_NE(text.find("did you mean \"parallel\""), std::string::npos) << text;
  EXPECT_NE(text.find("limits.attempts"), std::string::npos) << text;
  EXPECT_NE(text.find("isolation"), std::string::npos) << text;
}

TEST(Options, InvalidValuesAreRefused) {
  for (const char* json :
       {R"({"limits":{"attempts":0}})", R"({"parallel":{"max":51}})", R"({"budget":{"usd":-1}})",
        R"({"models":{"boss":"a/b"}})", R"({"models":{"worker":"no-slash"}})"}) {
    Options options;
    Problems problems;
    EXPECT_FALSE(parse_options(json, options, problems)) << json;
  }
}

}  // namespace
}  // namespace orchestrator::codec
