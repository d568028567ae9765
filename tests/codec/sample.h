// Described types that hold every kind of field, for the tests of both codecs.

#ifndef ORCHESTRATOR_TESTS_CODEC_SAMPLE_H_
#define ORCHESTRATOR_TESTS_CODEC_SAMPLE_H_

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "orchestrator/describe.h"

namespace sample {

using orchestrator::EnumName;
using orchestrator::required;

template <class Tag>
struct Id {  // the shape of orchestrator/ids.h
  std::string value;
  auto operator<=>(const Id&) const = default;
};
using TaskId = Id<struct TaskTag>;

struct OwnId {  // an id that is no template
  using IdTag = OwnId;
  std::string value;
  auto operator<=>(const OwnId&) const = default;
};

enum class Phase { briefing, planning, executing };
constexpr auto enum_names(Phase) {
  return std::array{EnumName<Phase>{Phase::briefing, "briefing"},
                    EnumName<Phase>{Phase::planning, "planning"},
                    EnumName<Phase>{Phase::executing, "executing"}};
}

struct Place {
  std::string file;
  std::uint32_t line = 0;
  bool operator==(const Place&) const = default;
  ORCH_FIELDS((file, required), line);
};

struct TaskFailed {
  static constexpr std::string_view kType = "task_failed";
  TaskId task;
  std::string reason;
  bool operator==(const TaskFailed&) const = default;
  ORCH_FIELDS((task, required), reason);
};

struct TimerFired {
  static constexpr std::string_view kType = "timer_fired";
  std::uint64_t timer = 0;
  bool operator==(const TimerFired&) const = default;
  ORCH_FIELDS(timer);
};

using Event = std::variant<TaskFailed, TimerFired>;

struct Everything {
  bool flag = false;
  std::int32_t i32 = 0;
  std::int64_t i64 = 0;
  std::uint32_t u32 = 0;
  std::uint64_t u64 = 0;
  double real = 0;
  std::string text;
  Phase phase = Phase::briefing;
  TaskId id;
  OwnId own;
  std::optional<std::string> maybe_text;
  std::optional<Place> maybe_place;
  std::optional<Phase> maybe_phase;
  std::vector<std::string> texts;
  std::vector<bool> flags;
  std::vector<Place> places;
  std::vector<std::vector<std::int32_t>> grid;
  std::map<std::string, std::int64_t> by_name;
  std::map<TaskId, Place> by_id;
  Place place;
  Event event;
  std::vector<Event> events;
  bool operator==(const Everything&) const = default;
  ORCH_FIELDS(flag, i32, i64, u32, u64, real, text, phase, id, own, maybe_text, maybe_place,
              maybe_phase, texts, flags, places, grid, by_name, by_id, place, event, events);
};

/// Every field away from its default, integers at their ends.
inline Everything full() {
  Everything v;
  v.flag = true;
  v.i32 = INT32_MIN;
  v.i64 = INT64_MIN;
  v.u32 = UINT32_MAX;
  v.u64 = UINT64_MAX;
  v.real = -0.1;
  v.text = std::string("quote \" back \\ nul ") + '\0' +
           " tab \t snow \xE2\x98\x83 smile \xF0\x9F\x98\x80";
  v.phase = Phase::executing;
  v.id = {"T1"};
  v.own = {"own"};
  v.maybe_text = "";
  v.maybe_place = Place{"a.cc", 7};
  v.maybe_phase = Phase::planning;
  v.texts = {"", "b", std::string(300, 'x')};
  v.flags = {true, false, true};
  v.places = {{"b.cc", 0}, {std::string(200, 'y'), 128}};
  v.grid = {{}, {1, -1}, {INT32_MAX}};
  v.by_name = {{"", 0}, {"a b", -5}, {"z", INT64_MAX}};
  v.by_id = {{{"T1"}, {"c.cc", 1}}, {{"T2"}, {"d.cc", 2}}};
  v.place = {"e.cc", 3};
  v.event = TimerFired{99};
  v.events = {TaskFailed{{"T9"}, "out of memory"}, TimerFired{1}};
  return v;
}

}  // namespace sample

#endif  // ORCHESTRATOR_TESTS_CODEC_SAMPLE_H_
