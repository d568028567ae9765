#include "runtime/history/mission_timeline.h"

#include <variant>

#include "base/text.h"
#include "orchestrator/step.h"

namespace orchestrator::runtime {
namespace {

constexpr std::size_t kClipBytes = 100;

std::string clipped(const std::string& text) { return base::first_line(text, kClipBytes); }

std::string counted(std::size_t count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

std::string refused(std::size_t problems) {
  return problems == 0 ? "" : ", refused for " + counted(problems, "mistake");
}

/// What an event says beyond its name. An event that stands in no line of its own has no overload:
/// its line is shown only where it moves something.
struct What {
  std::optional<std::string> operator()(const MissionRequested& event) const {
    return "mission " + event.mission.value + ": " + clipped(event.arguments);
  }
  std::optional<std::string> operator()(const StopRequested& event) const {
    return clipped(event.arguments);
  }
  std::optional<std::string> operator()(const ResumeRequested& event) const {
    return "from session " + event.session.value;
  }
  std::optional<std::string> operator()(const ProcessStarted& event) const {
    return "a new process, mode " + std::string(to_name(event.mode));
  }
  std::optional<std::string> operator()(const RunCalled& event) const {
    return "the mission is to be run" + refused(event.problems.size());
  }
  std::optional<std::string> operator()(const PlanSubmitted& event) const {
    return counted(event.args.tasks.size(), "task") + ": " + clipped(event.args.summary) +
           (event.harvested ? " (harvested)" : "") + refused(event.problems.size());
  }
  std::optional<std::string> operator()(const WorkSubmitted& event) const {
    return counted(event.args.files.size(), "file") + (event.harvested ? " (harvested)" : "") +
           refused(event.problems.size());
  }
  std::optional<std::string> operator()(const ReviewSubmitted& event) const {
    const std::string verdict =
        event.args.verdict ? std::string(to_name(*event.args.verdict)) : "no verdict";
    return verdict + ", " + counted(event.args.findings.size(), "finding") +
           (event.harvested ? " (harvested)" : "") + refused(event.problems.size());
  }
  std::optional<std::string> operator()(const WorktreesAnswered& event) const {
    if (!event.problem.empty()) return "git: " + clipped(event.problem);
    if (!event.conflicts.empty()) return counted(event.conflicts.size(), "file") + " in conflict";
    if (!event.refused.empty()) return counted(event.refused.size(), "file") + " refused";
    if (!event.directory.empty()) return "a worktree is ready";
    if (!event.paths.empty()) return counted(event.paths.size(), "file");
    return event.commit.empty() ? "done" : "commit " + clipped(event.commit);
  }
  std::optional<std::string> operator()(const TodoUpdated& event) const {
    std::string text = event.args.id.value;
    if (event.args.status) text += " to " + std::string(to_name(*event.args.status));
    if (event.args.add)
      text += (text.empty() ? "" : ", ") + ("new task " + event.args.add->id.value);
    return text + refused(event.problems.size());
  }
  std::optional<std::string> operator()(const DelegateCalled& event) const {
    return clipped(event.args.title) + refused(event.problems.size());
  }
  std::optional<std::string> operator()(const CancelCalled& event) const {
    return event.args.task.value + refused(event.problems.size());
  }
  std::optional<std::string> operator()(const CommandRan& event) const {
    return "exit " + std::to_string(event.exit_code) + ": " + clipped(event.command);
  }
  std::optional<std::string> operator()(const SessionCreated& event) const {
    return "session " + event.session.value;
  }
  std::optional<std::string> operator()(const EffectFailed& event) const {
    return clipped(event.error);
  }
  std::optional<std::string> operator()(const SessionErrored& event) const {
    return event.name + ": " + clipped(event.message);
  }
  std::optional<std::string> operator()(const SessionRetried& event) const {
    return clipped(event.message);
  }
  std::optional<std::string> operator()(const SessionDeleted& event) const {
    return "session " + event.session.value;
  }
  std::optional<std::string> operator()(const SessionsFound& event) const {
    return counted(event.sessions.size(), "session") + " found in the host";
  }
  std::optional<std::string> operator()(const TodoEdited& event) const {
    return "todo.md was edited: " + counted(event.lines.size(), "line");
  }
  std::optional<std::string> operator()(const FilesChanged& event) const {
    return counted(event.paths.size() + event.left_out, "file") + " changed outside of the tools";
  }
  std::optional<std::string> operator()(const StorageFailed& event) const {
    return clipped(event.reason);
  }
  template <class Other>
  std::optional<std::string> operator()(const Other& /*event*/) const {
    return std::nullopt;
  }
};

std::string who(const Happening& what, const State& state) {
  return std::visit(
      [&](const auto& event) -> std::string {
        if constexpr (requires { event.session.value; }) {
          const Role role = role_of(state, event.session);
          const Session* session = find_session(state, event.session);
          if (role == Role::none) return "";
          std::string name(to_name(role));
          if (session != nullptr && !session->task.empty()) name += " " + session->task.value;
          return name;
        }
        return "";
      },
      what);
}

/// The length of the character at `at` if it is one that a terminal must not get; else 0.
std::size_t commanding(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  if (byte(0) < 0x20 || byte(0) == 0x7F) return 1;
  if (byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) < 0xA0) return 2;
  const bool turns = byte(0) == 0xE2 && ((byte(1) == 0x80 && byte(2) >= 0xAA && byte(2) <= 0xAE) ||
                                         (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9));
  return turns ? 3 : 0;
}

std::string cleaned(std::string_view text, bool keep_line_feeds) {
  std::string clean;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = commanding(text, at);
    if (length == 0 || (keep_line_feeds && text[at] == '\n')) {
      clean.push_back(text[at++]);
    } else {
      clean.push_back('?');
      at += length;
    }
  }
  return clean;
}

}  // namespace

std::string printable(std::string_view text) { return cleaned(text, false); }
std::string printable_lines(std::string_view text) { return cleaned(text, true); }

std::vector<std::string> MissionTimeline::moves_to(const State& state) {
  std::vector<std::string> moves;
  if (state.phase != phase_) {
    std::string move = std::string(to_name(phase_)) + " -> " + std::string(to_name(state.phase));
    if (!state.reason.empty()) move += " (" + clipped(state.reason) + ")";
    moves.push_back(std::move(move));
    phase_ = state.phase;
  }
  if (state.iteration != iteration_) {
    iteration_ = state.iteration;
    moves.push_back("iteration " + std::to_string(iteration_));
  }
  // Tasks are only ever added behind the others; a new plan of a new mission begins from nothing.
  tasks_.resize(state.tasks.size());
  for (std::size_t i = 0; i < state.tasks.size(); ++i) {
    const Task& now = state.tasks[i];
    Task& before = tasks_[i];
    if (before.id != now.id) {
      moves.push_back(now.id.value + " " + std::string(to_name(now.status)) + ": " +
                      clipped(now.title));
    } else if (before.status != now.status) {
      moves.push_back(now.id.value + " " + std::string(to_name(before.status)) + " -> " +
                      std::string(to_name(now.status)));
    }
    before.id = now.id;
    before.status = now.status;
  }
  return moves;
}

std::optional<TimelineEntry> MissionTimeline::next(const Event& event, const State& state) {
  std::vector<std::string> moves = moves_to(state);
  std::optional<std::string> what = std::visit(What{}, event.what);
  if (!what && moves.empty()) return std::nullopt;
  return TimelineEntry{event.seq,
                       event.at_ms,
                       std::string(to_name(state.phase)),
                       type_of(event.what),
                       who(event.what, state),
                       what.value_or(""),
                       std::move(moves)};
}

}  // namespace orchestrator::runtime
