#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/describe.h"
#include "orchestrator/event.h"
#include "orchestrator/mission.h"

namespace orchestrator::runtime {

/// One line of a mission's story.
struct TimelineEntry {
  std::uint64_t seq = 0;
  TimeMs at_ms = 0;
  std::string phase;               ///< after it
  std::string event;               ///< the event's name, e.g. `submit_work`
  std::string who;                 ///< e.g. `worker T2`; empty: no session of the mission
  std::string what;                ///< no prompts, no file contents
  std::vector<std::string> moves;  ///< e.g. `T2 running -> submitted`

  ORCH_FIELDS(seq, at_ms, phase, event, who, what, moves);
};

/// Tells a mission's story from its events, one after the other. Any thread.
class MissionTimeline {
 public:
  /// `state` is the one after `event`. Nothing: the event is none that a reader would miss.
  std::optional<TimelineEntry> next(const Event& event, const State& state);

 private:
  std::vector<std::string> moves_to(const State& state);

  Phase phase_ = Phase::none;
  std::uint32_t iteration_ = 1;
  std::vector<Task> tasks_;
};

/// The text without what would command a terminal: control characters (line feeds too) and marks
/// that turn the direction of writing become question marks.
[[nodiscard]] std::string printable(std::string_view text);
/// The same for many lines: line feeds stay.
[[nodiscard]] std::string printable_lines(std::string_view text);

}  // namespace orchestrator::runtime
