// `opencode-orchestrator replay`: a mission's story from its log, its state at any event, and the
// proof that replay gives what was logged. Reads only. Exit codes: 0 done, 1 a check failed, 2
// usage, 3 no such file.

#include "runtime/history/replay.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"
#include "codec/message.h"
#include "orchestrator/step.h"
#include "os/file_system.h"
#include "runtime/history/mission_recovery.h"
#include "runtime/history/mission_timeline.h"

namespace orchestrator::tools {
namespace {

using runtime::printable;
using runtime::Replay;
using runtime::SegmentEnd;

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kNothing = 3;

struct Arguments {
  std::string wal;
  std::optional<std::uint64_t> until;
  bool check = false;
  bool json = false;
};

/// The result of `--check`.
struct Proof {
  bool ok = true;
  std::string mission;
  std::uint64_t segments = 0;
  std::uint64_t events = 0;
  std::uint64_t witnesses = 0;
  std::uint64_t marks = 0;
  std::uint64_t last_seq = 0;
  std::string last_hash;
  std::uint64_t snapshot_seq = 0;  ///< of the snapshot that was compared; 0: none
  std::uint64_t torn_bytes = 0;
  std::string file;  ///< of the first fault
  std::uint64_t offset = 0;
  std::uint64_t seq = 0;
  std::string fault;
  std::uint64_t receipts = 0;  ///< links of the chain of receipts

  ORCH_FIELDS(ok, mission, segments, events, witnesses, marks, last_seq, last_hash, snapshot_seq,
              torn_bytes, file, offset, seq, fault, receipts);

  void fail(const std::string& in, std::uint64_t at, std::uint64_t event, const std::string& why) {
    if (!ok) return;
    ok = false;
    file = in;
    offset = at;
    seq = event;
    fault = why;
  }
};

std::string usage_fault(const std::string& what) {
  return what + "\nusage: opencode-orchestrator replay <wal> [--until N] [--check] [--json]\n";
}

std::optional<std::uint64_t> number_of(const std::string& text) {
  std::uint64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

/// Empty: they are in order.
std::string read_arguments(const std::vector<std::string>& words, Arguments& arguments) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--check") {
      arguments.check = true;
    } else if (word == "--json") {
      arguments.json = true;
    } else if (word == "--until" || word.starts_with("--until=")) {
      const bool apart = word == "--until";
      const std::string text = !apart ? word.substr(8) : i + 1 < words.size() ? words[++i] : "";
      arguments.until = number_of(text);
      if (!arguments.until)
        return usage_fault("--until must be the number of an event, not \"" + printable(text) +
                           "\"");
    } else if (word.starts_with("--")) {
      return usage_fault("unknown option " + printable(word));
    } else if (!arguments.wal.empty()) {
      return usage_fault("one log, not two: " + printable(word));
    } else {
      arguments.wal = word;
    }
  }
  if (arguments.wal.empty())
    return usage_fault("the log's path is missing, e.g. .opencode/orchestrator/m-….wal");
  return "";
}

/// The segments of the log's mission; only the file itself if it is none of them (a renamed copy).
std::vector<runtime::LogFile> files_of(os::FileSystem& fs, const std::string& wal) {
  const std::string directory = os::parent_directory(wal);
  const std::string name = wal.substr(wal.rfind('/') + 1);
  const std::string mission = runtime::mission_of_log(name);
  if (!mission.empty()) {
    auto files = runtime::log_files(fs, directory, mission);
    if (!files.empty()) return files;
  }
  return {runtime::LogFile{wal, 0, true}};
}

std::string clock_time(TimeMs at_ms, const char* format) {
  const auto seconds = static_cast<std::time_t>(at_ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), format, &parts);
  return {text.data(), length};
}

void print_entry(const runtime::TimelineEntry& entry) {
  std::array<char, 64> head{};
  std::snprintf(head.data(), head.size(), "%7llu  %s.%03d  %-11s ",
                static_cast<unsigned long long>(entry.seq),
                clock_time(entry.at_ms, "%H:%M:%S").c_str(), static_cast<int>(entry.at_ms % 1000),
                entry.phase.c_str());
  std::string line = head.data() + entry.event;
  if (!entry.who.empty()) line += " by " + printable(entry.who);
  if (!entry.what.empty()) line += ": " + printable(entry.what);
  for (const std::string& move : entry.moves) line += "\n" + std::string(36, ' ') + printable(move);
  std::cout << line << "\n";
}

class Story {
 public:
  Story(os::FileSystem& fs, const Arguments& arguments) : fs_(fs), arguments_(arguments) {
    if (arguments_.until) replay_.stop_after(*arguments_.until);
    if (arguments_.check) replay_.check_receipts();
  }

  int run() {
    const auto files = files_of(fs_, arguments_.wal);
    read_stored_state();
    replay_.watch([this](const codec::LoggedEvent& logged, const Effects&) {
      meet(logged.event);
      return true;
    });
    for (const runtime::LogFile& file : files) read(file.path);
    proof_.mission = replay_.state().mission.value;
    if (!replay_.known()) {
      proof_.fail(arguments_.wal, 0, 0, "no event of a mission can be read");
    }
    if (arguments_.check) return conclude();
    if (arguments_.until) {
      show_state();
    } else if (arguments_.json) {
      std::cout << (entries_ == 0 ? "[]\n" : "\n]\n");
    }
    if (proof_.ok) return kDone;
    std::cerr << fault_text() << "\n";
    return kFailed;
  }

 private:
  /// The snapshot beside the log, read before the log.
  void read_stored_state() {
    if (!arguments_.check || arguments_.until) return;
    const std::string opencode = os::parent_directory(os::parent_directory(arguments_.wal));
    auto snapshot = runtime::read_snapshot(fs_, opencode + "/mission_loop.json");
    if (!snapshot.ok() || !snapshot.value().state) return;
    const std::string name = arguments_.wal.substr(arguments_.wal.rfind('/') + 1);
    if (snapshot.value().state->mission.value == runtime::mission_of_log(name))
      stored_ = std::move(snapshot.value().state);
  }

  void read(const std::string& path) {
    const std::uint64_t skipped = replay_.skipped();
    const SegmentEnd end = replay_.read(fs_, path);
    ++proof_.segments;
    const std::uint64_t last = replay_.state().last_seq;
    proof_.torn_bytes += end.scan.torn_bytes;
    switch (end.kind) {
      case SegmentEnd::Kind::whole:
      case SegmentEnd::Kind::stopped:
        break;
      case SegmentEnd::Kind::gap:
        proof_.fail(path, 0, last, "events are missing after event " + std::to_string(last));
        break;
      case SegmentEnd::Kind::damaged:
        proof_.fail(path, end.damage->offset, last, end.damage->reason);
        break;
      case SegmentEnd::Kind::newer:
      case SegmentEnd::Kind::unreadable:
        proof_.fail(path, 0, last, end.error.what);
        break;
    }
    if (replay_.skipped() != skipped) {
      const std::string lost = std::to_string(replay_.skipped() - skipped) +
                               " events before the checkpoint of event " +
                               std::to_string(end.checkpoint_seq) + " are in no log";
      if (torn_.path.empty()) {
        proof_.fail(path, 0, end.checkpoint_seq, lost);
      } else {
        // Damage, not a torn write: the mission went on behind it.
        proof_.fail(torn_.path, torn_.offset, torn_.seq, "there is no sound record, and " + lost);
      }
    }
    torn_ = end.scan.torn_bytes == 0 ? Torn{}
                                     : Torn{path, end.scan.end_offset, replay_.state().last_seq};
    if (const auto& differs = replay_.divergence()) {
      const std::string by =
          differs->engine.empty() || differs->engine == ORCH_VERSION
              ? ""
              : " (logged by version " + differs->engine + ", replayed by " ORCH_VERSION ")";
      proof_.fail(differs->path, differs->offset, differs->seq, differs->what + by);
    }
  }

  void meet(const Event& event) {
    const State& state = replay_.state();
    if (stored_ && event.seq == stored_->last_seq) {
      proof_.snapshot_seq = event.seq;
      if (!is_stored(state))
        proof_.fail("mission_loop.json", 0, event.seq, "the snapshot is not the replayed state");
    }
    auto entry = timeline_.next(event, state);
    if (!entry || arguments_.check || arguments_.until) return;
    if (arguments_.json) {
      std::cout << (entries_++ == 0 ? "[\n" : ",\n") << codec::dump(*entry);
      return;
    }
    if (entries_++ == 0) {
      std::cout << "mission " << printable(state.mission.value) << ", "
                << clock_time(event.at_ms, "%Y-%m-%d, times in UTC") << "\n";
    }
    print_entry(*entry);
  }

  /// A log of this version is compared byte by byte. An older version had fewer fields: then only
  /// the outcome is compared.
  [[nodiscard]] bool is_stored(const State& state) const {
    if (replay_.engine() == ORCH_VERSION)
      return codec::encode_state(*stored_) == codec::encode_state(state);
    const auto outcome = [](const Task& task) { return std::pair(task.id, task.status); };
    return state.phase == stored_->phase && state.iteration == stored_->iteration &&
           std::ranges::equal(state.tasks, stored_->tasks, {}, outcome, outcome);
  }

  void show_state() const {
    const State& state = replay_.state();
    if (arguments_.json) {
      std::cout << codec::dump_state(state);
      return;
    }
    std::cout << "after event " << state.last_seq << ", "
              << clock_time(state.updated_at, "%Y-%m-%d %H:%M:%S UTC") << "\n"
              << runtime::printable_lines(status_text(state)) << "\n";
    if (!state.tasks.empty()) std::cout << "\n" << runtime::printable_lines(todo_markdown(state));
    if (!state.sessions.empty()) std::cout << "\nSessions:\n";
    for (const Session& session : state.sessions) {
      std::cout << "- " << printable(session.id.value) << " " << to_name(session.role) << " "
                << printable(session.task.value) << (session.task.empty() ? "" : " ")
                << to_name(session.state) << "\n";
    }
  }

  int conclude() {
    const State& state = replay_.state();
    if (stored_ && proof_.snapshot_seq == 0) {
      proof_.fail("mission_loop.json", 0, stored_->last_seq,
                  "the snapshot holds event " + std::to_string(stored_->last_seq) +
                      ", and the log does not");
    }
    proof_.events = replay_.events();
    proof_.witnesses = replay_.witnesses();
    proof_.marks = replay_.marks();
    proof_.receipts = replay_.receipts();
    proof_.last_seq = state.last_seq;
    proof_.last_hash = runtime::state_hash(state);
    if (arguments_.json) {
      std::cout << codec::dump(proof_, 2) << "\n";
    } else if (proof_.ok) {
      std::cout << "replay gives what was logged: " << proof_.events << " events in "
                << proof_.segments << (proof_.segments == 1 ? " segment, " : " segments, ")
                << proof_.witnesses << " witnesses and " << proof_.marks
                << " hashes of the state agree"
                << (proof_.receipts != 0
                        ? ", " + std::to_string(proof_.receipts) + " receipts are a chain"
                        : "")
                << (proof_.snapshot_seq != 0 ? ", and so does mission_loop.json" : "") << "\n"
                << "mission " << printable(proof_.mission) << " is " << to_name(state.phase)
                << " after event " << proof_.last_seq << ", state " << proof_.last_hash << "\n";
      if (proof_.torn_bytes > 0)
        std::cout << proof_.torn_bytes
                  << " bytes at the end are a torn write, and were never acknowledged\n";
    } else {
      std::cerr << fault_text() << "\n";
    }
    return proof_.ok ? kDone : kFailed;
  }

  [[nodiscard]] std::string fault_text() const {
    return printable(proof_.file + ", byte " + std::to_string(proof_.offset) + ", event " +
                     std::to_string(proof_.seq) + ": " + proof_.fault);
  }

  /// The end of the segment before, if it ends in bytes that are no record.
  struct Torn {
    std::string path;
    std::uint64_t offset = 0;
    std::uint64_t seq = 0;
  };

  os::FileSystem& fs_;
  const Arguments& arguments_;
  Torn torn_;
  Replay replay_;
  runtime::MissionTimeline timeline_;
  std::optional<State> stored_;
  std::uint64_t entries_ = 0;
  Proof proof_;
};

int run(const std::vector<std::string>& words) {
  Arguments arguments;
  if (const std::string fault = read_arguments(words, arguments); !fault.empty()) {
    std::cerr << fault;
    return kUsage;
  }
  os::FileSystem& fs = os::posix_file_system();
  const auto info = fs.stat(arguments.wal);
  if (!info.ok() || info.value().kind == os::FileInfo::Kind::directory) {
    std::cerr << "there is no log " << printable(arguments.wal) << "\n";
    return kNothing;
  }
  if (auto whole = fs.canonical(arguments.wal); whole.ok())
    arguments.wal = std::move(whole).value();
  return Story(fs, arguments).run();
}

}  // namespace
}  // namespace orchestrator::tools

int main(int argc, char** argv) {
  return orchestrator::tools::run(std::vector<std::string>(argv + 1, argv + argc));
}
