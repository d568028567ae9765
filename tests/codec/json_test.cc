#include "codec/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "codec/json_tree.h"
#include "sample.h"

namespace orchestrator::codec {
namespace {

using sample::Event;
using sample::Everything;
using sample::Phase;
using sample::Place;

constexpr ReadOptions kExact{.null_is_absent = true, .empty_is_absent = false};

struct Finding {
  std::optional<std::string> file;
  std::uint32_t line = 0;
  Phase phase = Phase::planning;
  bool operator==(const Finding&) const = default;
  ORCH_FIELDS(file, line, phase);
};

struct Task {
  sample::TaskId id;
  std::string title;
  std::vector<std::string> deps;
  std::vector<std::string> files = {"**"};
  std::optional<std::vector<std::string>> race;
  std::optional<Finding> finding;
  std::int32_t weight = 1;
  bool apply = false;
  double share = 0.5;
  ORCH_FIELDS((id, required), (title, required), deps, files, race, finding, weight, apply, share);
};

struct Plan {
  std::string summary;
  std::vector<Task> tasks;
  std::map<std::string, std::uint32_t> per_model;
  ORCH_FIELDS((summary, required), (tasks, required), per_model);
};

struct Chain {
  std::vector<Chain> next;
  ORCH_FIELDS(next);
};

template <class T>
std::string problems_of(std::string_view text, const ReadOptions& options = {}) {
  T value;
  Problems problems;
  const bool good = parse_json(text, value, problems, options);
  EXPECT_EQ(good, problems.empty());
  return to_string(problems);
}

TEST(JsonWrite, KeysAreInTheOrderOfDescribe) {
  EXPECT_EQ(dump(Place{"b", 1}), R"({"file":"b","line":1})");
  EXPECT_EQ(dump(Event{sample::TimerFired{3}}), R"({"type":"timer_fired","timer":3})");
  EXPECT_EQ(dump(Finding{}), R"({"file":null,"line":0,"phase":"planning"})");
}

TEST(JsonWrite, Indented) {
  Plan plan;
  plan.summary = "s";
  EXPECT_EQ(dump(plan, 2), "{\n  \"summary\": \"s\",\n  \"tasks\": [],\n  \"per_model\": {}\n}");
}

TEST(JsonWrite, InvalidUtf8AndControlCharactersMakeValidJson) {
  const std::string bad = std::string(
                              "a\xFF"
                              "b\xC3\xED\xA0\x80\xF0\x9F\x98 \x01\x7F") +
                          '\0';
  const std::string text = dump(Place{bad, 0});
  EXPECT_TRUE(nlohmann::json::accept(text)) << text;
  EXPECT_NE(text.find("a\xEF\xBF\xBD"
                      "b"),
            std::string::npos);
  EXPECT_EQ(to_json(Place{bad, 0}).begin().key(), "file");
}

TEST(JsonWrite, NumbersThatJsonLacksAreNull) {
  Task task;
  task.share = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(to_json(task)["share"].is_null());
}

TEST(Json, RoundTripOfEveryKindOfField) {
  for (const Everything& value : {Everything{}, sample::full()}) {
    for (const int indent : {-1, 0, 2}) {
      Everything back;
      Problems problems;
      EXPECT_TRUE(parse_json(dump(value, indent), back, problems, kExact)) << to_string(problems);
      EXPECT_EQ(back, value);
    }
    Everything back;
    Problems problems;
    EXPECT_TRUE(read_json(nlohmann::json(to_json(value)), back, problems, kExact));
    EXPECT_EQ(back, value);
  }
}

TEST(JsonRead, AllProblemsAtOnce) {
  EXPECT_EQ(problems_of<Plan>(R"({
    "summery": "x",
    "tasks": [
      {"id": "T1", "title": "a", "dep": ["T0"]},
      {"title": 5, "deps": "T1", "files": ["a", 7, null], "apply": "yes", "weight": 1.5},
      {"id": "T3", "title": "", "weight": 3000000000, "finding": {"phase": "planing", "line": -1}},
      "T4"
    ],
    "per_model": {"a/b": "many"}
  })"),
            R"(summary: required, but missing
tasks[0].dep: unknown key; did you mean "deps"?
tasks[1].id: required, but missing
tasks[1].title: expected a string, got the number 5
tasks[1].deps: expected an array, got the string "T1"
tasks[1].files[1]: expected a string, got the number 7
tasks[1].files[2]: expected a string, got null
tasks[1].weight: expected an integer, got the number 1.5
tasks[1].apply: expected true or false, got the string "yes"
tasks[2].title: required, but empty
tasks[2].finding.line: -1 is out of range (0 to 4294967295)
tasks[2].finding.phase: "planing" is not one of "briefing", "planning", "executing"; did you mean "planning"?
tasks[2].weight: 3000000000 is out of range (-2147483648 to 2147483647)
tasks[3]: expected an object, got the string "T4"
per_model["a/b"]: expected an integer, got the string "many"
summery: unknown key; did you mean "summary"?)");
}

TEST(JsonRead, NullAndEmptyCountAsAbsent) {
  Task task;
  Problems problems;
  ASSERT_TRUE(parse_json(R"({"id": "T1", "title": "t", "deps": null, "files": [], "race": [],
                             "finding": {}, "weight": null, "apply": null, "share": null})",
                         task, problems))
      << to_string(problems);
  EXPECT_EQ(task.files, (std::vector<std::string>{"**"}));
  EXPECT_EQ(task.race, std::nullopt);
  EXPECT_EQ(task.finding, std::nullopt);
  EXPECT_EQ(task.weight, 1);
  EXPECT_EQ(task.share, 0.5);
  Finding finding;
  ASSERT_TRUE(parse_json(R"({"file": "", "line": null, "phase": ""})", finding, problems));
  EXPECT_EQ(finding, Finding{});
  EXPECT_EQ(problems_of<Plan>(R"({"summary": null, "tasks": []})"),
            "summary: required, but missing\ntasks: required, but empty");
}

TEST(JsonRead, NullCanBeRefused) {
  EXPECT_EQ(problems_of<Finding>(R"({"file": null, "line": null})", {.null_is_absent = false}),
            "line: expected an integer, got null");
}

TEST(JsonRead, UnknownKeysCanBeIgnored) {
  EXPECT_EQ(
      problems_of<Place>(R"({"file": "a", "extra": 1})", {.unknown_keys = UnknownKeys::ignore}),
      "");
  EXPECT_EQ(problems_of<Place>(R"({"file": "a", "extra": 1})"),
            "extra: unknown key; known are \"file\", \"line\"");
}

TEST(JsonRead, Integers) {
  EXPECT_EQ(problems_of<Place>(R"({"file": "a", "line": 5.0})"), "");
  EXPECT_EQ(problems_of<Place>(R"({"file": "a", "line": 1e3})"), "");
  EXPECT_EQ(problems_of<Place>(R"({"file": "a", "line": 4294967296})"),
            "line: 4294967296 is out of range (0 to 4294967295)");
  EXPECT_EQ(problems_of<Place>(R"({"file": "a", "line": 1e30})"),
            "line: 1e+30 is out of range (0 to 4294967295)");
  EXPECT_EQ(problems_of<Place>(R"({"file": "a", "line": true})"),
            "line: expected an integer, got true");
  EXPECT_EQ(
      problems_of<Everything>(R"({"i64": 9223372036854775808})"),
      "i64: 9223372036854775808 is out of range (-9223372036854775808 to 9223372036854775807)");
  EXPECT_EQ(
      problems_of<Everything>(R"({"u64": 18446744073709551615, "i64": -9223372036854775808})"), "");
}

TEST(JsonRead, Variants) {
  EXPECT_EQ(problems_of<Event>(R"({"type": "timer_fired", "timer": 1})"), "");
  EXPECT_EQ(problems_of<Event>(R"({"timer": 1})"),
            R"(type: required, but missing: one of "task_failed", "timer_fired")");
  EXPECT_EQ(
      problems_of<Event>(R"({"type": "timer_fire"})"),
      R"(type: "timer_fire" is not one of "task_failed", "timer_fired"; did you mean "timer_fired"?)");
  EXPECT_EQ(problems_of<Event>(R"({"type": "task_failed", "taks": "T1"})"),
            "task: required, but missing\ntaks: unknown key; did you mean \"task\"?");
  EXPECT_EQ(problems_of<Event>("[]"), "expected an object, got an array");
}

TEST(JsonRead, ArraysAndObjectsMayComeAsStrings) {
  Plan plan;
  Problems problems;
  ASSERT_TRUE(parse_json(
      R"({"summary": "s", "tasks": "[{\"id\": \"T1\", \"title\": \"[t]\", \"deps\": \"[\\\"a\\\"]\"}]",
                             "per_model": "{\"m\": 2}"})",
      plan, problems))
      << to_string(problems);
  EXPECT_EQ(plan.tasks.at(0).title, "[t]");
  EXPECT_EQ(plan.tasks.at(0).deps, (std::vector<std::string>{"a"}));
  EXPECT_EQ(plan.per_model.at("m"), 2U);
  EXPECT_EQ(problems_of<Task>(R"({"id": "T1", "title": "t", "deps": "[\"a\""})"),
            R"(deps: expected an array, got the string "[\"a\"")");
  EXPECT_EQ(problems_of<Task>(R"({"id": "T1", "title": "t", "deps": "{}"})"),
            R"(deps: expected an array, got the string "{}")");
}

TEST(JsonRead, SyntaxErrorsNameTheByte) {
  EXPECT_EQ(problems_of<Place>(R"({"file": )").find("not valid JSON at byte 10: "), 0U);
  EXPECT_EQ(problems_of<Place>("{\"file\": \"\xFF\"}").find("not valid JSON at byte 11: "), 0U);
  EXPECT_EQ(problems_of<Place>("{} x").find("not valid JSON at byte 4: "), 0U);
}

TEST(JsonRead, NumbersBeyondDoubleAreAProblem) {
  EXPECT_EQ(problems_of<Task>(R"({"share": 1e999})").find("not valid JSON"), 0U);
}

TEST(JsonRead, Comments) {
  constexpr std::string_view kText = "// head\n{\"file\": \"a//b\", /* , ] */ \"line\": 2 // tail";
  Place place;
  Problems problems;
  EXPECT_FALSE(parse_json(kText, place, problems));
  problems.clear();
  ASSERT_FALSE(parse_jsonc(kText, place, problems));  // the brace is in the comment: still open
  problems.clear();
  ASSERT_TRUE(parse_jsonc(std::string(kText) + "\n}", place, problems)) << to_string(problems);
  EXPECT_EQ(place, (Place{"a//b", 2}));
}

TEST(JsonRead, TrailingCommas) {
  for (const std::string_view text : {R"({"file": "a",})", R"({"file": "a" , })"}) {
    const std::string problem = problems_of<Place>(text);
    EXPECT_EQ(problem.find("not valid JSON: a trailing comma at byte 1"), 0U) << problem;
  }
  Place place;
  Problems problems;
  EXPECT_FALSE(parse_jsonc("{\"file\": \"a\", // last\n}", place, problems));
  EXPECT_EQ(to_string(problems),
            "not valid JSON: a trailing comma at byte 12, before the \"}\"; remove it");
}

TEST(JsonRead, ByteOrderMark) {
  EXPECT_EQ(problems_of<Place>("\xEF\xBB\xBF{\"file\": \"a\"}"), "");
}

TEST(JsonRead, LimitsOfSizeAndDepth) {
  EXPECT_EQ(
      problems_of<Place>(std::string(kJsonBytesMax + 1, ' ')).find("too large: 4194305 bytes"), 0U);
  EXPECT_EQ(problems_of<Place>(std::string(kJsonBytesMax, '[')),
            "brackets nested deeper than 64 at byte 64");
  std::string deep;
  for (int i = 0; i < 32; ++i) deep += R"({"next": [)";
  EXPECT_EQ(problems_of<Chain>(deep + std::string() +
                               [] {
                                 std::string close;
                                 for (int i = 0; i < 32; ++i) close += "]}";
                                 return close;
                               }()),
            "");
  EXPECT_EQ(problems_of<Chain>(deep + "[[").find("brackets nested deeper"), 0U);
}

TEST(JsonRead, NestingThroughStringsIsLimitedToo) {
  std::string text = R"({"next": []})";
  for (int i = 0; i < 15; ++i) {
    text = R"({"next": )" + nlohmann::json("[" + text + "]").dump() + "}";
    if (text.size() > kJsonBytesMax) break;
    Chain chain;
    Problems problems;
    (void)parse_json(text, chain, problems);  // must end, whatever it says
  }
  nlohmann::json deep = nlohmann::json::object();
  for (int i = 0; i < 200; ++i) deep = {{"next", nlohmann::json::array({deep})}};
  Chain chain;
  Problems problems;
  EXPECT_FALSE(read_json(deep, chain, problems));
  EXPECT_EQ(problems.at(0).message, "nested too deep");
}

TEST(JsonRead, ManyProblemsAreCounted) {
  std::string text = R"({"id": "T", "title": "t", "deps": [0)";
  for (int i = 0; i < 4999; ++i) text += ",0";
  Task task;
  Problems problems;
  EXPECT_FALSE(parse_json(text + "]}", task, problems));
  ASSERT_EQ(problems.size(), 101U);
  EXPECT_EQ(problems.back().message, "and 4900 more problems");
}

TEST(JsonRead, LongStringsAreCutInMessages) {
  std::string snow;
  for (int i = 0; i < 5000; ++i) snow += "\xE2\x98\x83";
  const std::string problem = problems_of<Place>(R"({"file": "a", "line": ")" + snow + "\"}");
  EXPECT_LT(problem.size(), 150U);
  EXPECT_TRUE(nlohmann::json::accept(dump(Place{problem, 0})));
}

TEST(JsonRead, MutationsNeverCrash) {
  const std::string text = dump(sample::full());
  std::uint64_t seed = 7;
  const auto random = [&seed](std::size_t below) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>(seed >> 33U) % below;
  };
  for (int run = 0; run < 5000; ++run) {
    std::string mutant = text;
    for (std::size_t n = 1 + random(3); n > 0; --n) {
      mutant[random(mutant.size())] = static_cast<char>(random(256));
    }
    Everything back;
    Problems problems;
    const bool good = parse_jsonc(mutant, back, problems);
    ASSERT_EQ(good, problems.empty());
    EXPECT_TRUE(nlohmann::json::accept(dump(Place{to_string(problems), 0})));
  }
  for (std::size_t length = 0; length < text.size(); ++length) {
    Everything back;
    Problems problems;
    ASSERT_FALSE(parse_json(std::string_view(text).substr(0, length), back, problems));
  }
}

}  // namespace
}  // namespace orchestrator::codec
