#include "runtime/history/mission_recovery.h"

#include <algorithm>
#include <limits>

#include "store/wal_format.h"

namespace orchestrator::runtime {
namespace {

using base::Error;
using base::Result;

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

struct Walk {
  Replay replay;
  std::optional<SegmentEnd> last;  ///< of the file that was read last
  bool last_is_growing = false;
};

bool refuses(const SegmentEnd& end) {
  return end.kind == SegmentEnd::Kind::newer || end.kind == SegmentEnd::Kind::unreadable;
}

/// Reads the files from `begin` on. A damaged or missing stretch is passed by the next checkpoint.
Result<Walk> walk(os::FileSystem& fs, const std::vector<LogFile>& files, std::size_t begin,
                  Replay replay) {
  Walk result;
  result.replay = std::move(replay);
  for (std::size_t i = begin; i < files.size(); ++i) {
    SegmentEnd end = result.replay.read(fs, files[i].path);
    if (refuses(end)) return end.error;
    result.last_is_growing = files[i].growing;
    result.last = std::move(end);
  }
  return result;
}

/// The file from which on a state of event `seq` can be led further.
std::size_t file_after(const std::vector<LogFile>& files, std::uint64_t seq) {
  std::size_t begin = files.empty() ? 0 : files.size() - 1;
  while (begin > 0 && (files[begin].growing || files[begin].first_seq > seq + 1)) --begin;
  return begin;
}

Replay start_of(const std::optional<State>& snapshot, std::uint64_t until) {
  Replay replay = snapshot ? Replay(*snapshot) : Replay();
  replay.stop_after(until);
  return replay;
}

/// Mostly the growing file alone is enough; where it is not, older ones are read before it.
Result<Walk> best_walk(os::FileSystem& fs, const std::vector<LogFile>& files,
                       const std::optional<State>& snapshot, std::uint64_t until) {
  if (files.empty()) return walk(fs, files, 0, start_of(snapshot, until));
  const std::size_t newest = files.size() - 1;
  auto first = walk(fs, files, newest, start_of(snapshot, until));
  if (!first.ok() || newest == 0) return first;
  if (snapshot) {
    // Whole, or damaged behind what the snapshot holds: the older files know no more.
    const SegmentEnd& end = *first.value().last;
    const bool attached = end.kind != SegmentEnd::Kind::gap && end.scan.first_seq != 0;
    if (attached && files[newest].growing) return first;
    return walk(fs, files, file_after(files, snapshot->last_seq), start_of(snapshot, until));
  }
  std::size_t begin = newest;
  while (!first.value().replay.known() && begin > 0) {
    first = walk(fs, files, --begin, start_of(snapshot, until));
    if (!first.ok()) return first;
  }
  return first;
}

Result<Recovery> recover_from(os::FileSystem& fs, const MissionPaths& paths,
                              const std::string& mission, Snapshot snapshot, std::uint64_t until) {
  Recovery recovery;
  recovery.snapshot_fault = snapshot.fault;
  recovery.snapshot_missing = snapshot.missing;
  recovery.snapshot = std::move(snapshot.state);
  const auto files = log_files(fs, paths.directory, mission);
  auto walked = best_walk(fs, files, recovery.snapshot, until);
  if (!walked.ok()) return walked.error();
  Walk& found = walked.value();
  recovery.found = found.replay.known();
  recovery.divergence = found.replay.divergence();
  recovery.state = found.replay.take_state();
  if (found.last) recovery.log_reaches = found.last->last_event_seq;
  if (found.last_is_growing) recovery.log = std::move(found.last);
  return recovery;
}

/// A mission that is over, as its snapshot says. Its log may hold more: it stays open while the
/// mission's worktrees are removed, and what it took in meanwhile was acknowledged. A log that
/// cannot be read costs those events and nothing else.
Recovery recover_ended(os::FileSystem& fs, const MissionPaths& paths, const State& ended) {
  const std::string& mission = ended.mission.value;
  Recovery recovery;
  recovery.found = true;
  recovery.snapshot = ended;
  auto walked = best_walk(fs, log_files(fs, paths.directory, mission), ended, kNoLimit);
  const bool goes_further = walked.ok() && !walked.value().replay.divergence() &&
                            walked.value().replay.state().last_seq > ended.last_seq;
  recovery.state = goes_further ? walked.value().replay.take_state() : ended;
  return recovery;
}

/// Missions other than this one whose growing log was written to at `since_ns` or later, the newest
/// first.
std::vector<std::string> other_missions(os::FileSystem& fs, const MissionPaths& paths,
                                        const std::string& own, std::int64_t since_ns) {
  constexpr std::size_t kLooksMax = 8;
  std::vector<std::pair<std::int64_t, std::string>> found;
  const auto entries = fs.list(paths.directory);
  if (!entries.ok()) return {};
  for (const os::DirectoryEntry& entry : entries.value()) {
    const std::string mission = mission_of_log(entry.name);
    if (entry.kind != os::FileInfo::Kind::file || mission.empty() || mission == own) continue;
    const auto info = fs.stat(paths.directory + "/" + entry.name);
    if (info.ok() && info.value().modified_ns >= since_ns)
      found.emplace_back(-info.value().modified_ns, mission);
  }
  std::ranges::sort(found);
  std::vector<std::string> missions;
  for (auto& [age, mission] : found) {
    if (missions.size() < kLooksMax && std::ranges::find(missions, mission) == missions.end())
      missions.push_back(std::move(mission));
  }
  return missions;
}

std::int64_t modified_ns(os::FileSystem& fs, const std::string& path) {
  const auto info = fs.stat(path);
  return info.ok() ? info.value().modified_ns : 0;
}

}  // namespace

bool Recovery::log_goes_on() const {
  return log && log->kind == SegmentEnd::Kind::whole && log->scan.version == store::kWalVersion &&
         log->scan.records > 0 && log->scan.last_seq == state.last_seq;
}

bool Recovery::needs_repair() const {
  if (!snapshot_fault.empty()) return true;
  if (!found || !is_active(state.phase))
    return found && snapshot && state.mission != snapshot->mission;
  return true;
}

Result<Recovery> recover_mission(os::FileSystem& fs, const MissionPaths& paths) {
  auto snapshot = read_snapshot(fs, paths.snapshot);
  if (!snapshot.ok()) return snapshot.error();
  return recover_mission(fs, paths, std::move(snapshot).value());
}

Result<Recovery> recover_mission(os::FileSystem& fs, const MissionPaths& paths, Snapshot read) {
  Result<Snapshot> snapshot = std::move(read);
  const bool has_snapshot = snapshot.value().state.has_value();
  std::string own;
  Recovery recovery;
  if (has_snapshot) {
    own = snapshot.value().state->mission.value;
    if (is_active(snapshot.value().state->phase)) {
      auto found = recover_from(fs, paths, own, std::move(snapshot).value(), kNoLimit);
      if (!found.ok() || is_active(found.value().state.phase)) return found;
      recovery = std::move(found).value();
    } else {
      recovery = recover_ended(fs, paths, *snapshot.value().state);
    }
  } else {
    recovery.snapshot_fault = snapshot.value().fault;
    recovery.snapshot_missing = snapshot.value().missing;
  }
  // One that has begun since, and whose snapshot could not be written yet.
  const std::int64_t since =
      own.empty() ? std::numeric_limits<std::int64_t>::min()
                  : std::max(modified_ns(fs, log_path(paths.directory, own)), std::int64_t{0});
  for (const std::string& mission : other_missions(fs, paths, own, since)) {
    Snapshot none;
    none.missing = recovery.snapshot_missing;
    none.fault = recovery.snapshot_fault;
    auto later = recover_from(fs, paths, mission, std::move(none), kNoLimit);
    if (!later.ok()) return later.error();
    const State& begun = later.value().state;
    if (!later.value().found) continue;
    if (recovery.found &&
        (!is_active(begun.phase) || begun.started_at < recovery.state.updated_at)) {
      continue;
    }
    later.value().snapshot = std::move(recovery.snapshot);
    return later;
  }
  return recovery;
}

Result<Recovery> recover_until(os::FileSystem& fs, const MissionPaths& paths,
                               const MissionId& mission, std::uint64_t until) {
  auto snapshot = read_snapshot(fs, paths.snapshot);
  if (!snapshot.ok()) return snapshot.error();
  const auto& state = snapshot.value().state;
  const bool usable = state && state->mission == mission && state->last_seq <= until;
  if (!usable) snapshot.value().state.reset();
  return recover_from(fs, paths, mission.value, std::move(snapshot).value(), until);
}

}  // namespace orchestrator::runtime
