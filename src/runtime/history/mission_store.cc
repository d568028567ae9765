#include "runtime/history/mission_store.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <functional>

#include "codec/message.h"
#include "orchestrator/step.h"
#include "os/content_hash.h"
#include "store/wal_format.h"

namespace orchestrator::runtime {
namespace {

using base::Error;
using base::Result;

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string event_name(std::uint64_t seq) { return "event " + std::to_string(seq); }

/// `20261121T131926Z`
std::string utc_time(std::uint64_t now_ms) {
  const auto seconds = static_cast<std::time_t>(now_ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts);
  return {text.data(), length};
}

}  // namespace

MissionStore::MissionStore(os::FileSystem& fs, std::string root, LogLimits limits)
    : fs_(fs), root_(std::move(root)), paths_(root_), limits_(limits) {}

Result<void> MissionStore::lock() {
  if (lock_) return {};
  auto lock = fs_.lock(paths_.lock);
  if (!lock.ok()) return lock.error();
  lock_ = std::move(lock).value();
  return {};
}

Result<void> MissionStore::make_directory() {
  if (auto made = os::create_durable_directories(fs_, root_, paths_.directory); !made.ok())
    return made;
  if (fs_.exists(paths_.ignore)) return {};
  return os::atomic_replace(fs_, paths_.ignore, "*\n");
}

// ---- load ---------------------------------------------------------------------------------------

Result<MissionStore::Loaded> MissionStore::load(State& state, std::uint64_t now_ms) {
  // Without the lock first: a directory without a mission is not even given a lock file.
  const auto stamp = stamp_of(paths_.snapshot);
  auto snapshot = read_snapshot(fs_, paths_.snapshot);
  if (!snapshot.ok()) return snapshot.error();
  const std::optional<State>& stored = snapshot.value().state;
  state = stored.value_or(State{});
  Loaded loaded;
  if (!stored || !is_active(stored->phase)) {
    auto first = recover_mission(fs_, paths_, snapshot.value());
    if (!first.ok()) return first.error();
    state = first.value().state;
    loaded.found = first.value().found;
    if (!first.value().needs_repair()) return loaded;
  }
  if (auto made = make_directory(); !made.ok()) return made.error();
  if (auto locked = lock(); !locked.ok()) return locked.error();
  // The process that held the lock until now may have continued the mission meanwhile.
  auto second = stamp && stamp == stamp_of(paths_.snapshot)
                    ? recover_mission(fs_, paths_, std::move(snapshot).value())
                    : recover_mission(fs_, paths_);
  if (!second.ok()) {
    close();
    return second.error();
  }
  Recovery& recovery = second.value();
  loaded.found = recovery.found;
  state = recovery.state;
  if (auto repaired = repair(recovery, now_ms, loaded); !repaired.ok()) {
    close();
    return repaired.error();
  }
  if (!log_) lock_.reset();
  return loaded;
}

Result<void> MissionStore::repair(const Recovery& recovery, std::uint64_t now_ms, Loaded& loaded) {
  remove_temporaries();
  mission_ = recovery.state.mission;
  if (auto repaired = repair_snapshot(recovery, now_ms, loaded); !repaired.ok()) return repaired;
  if (!recovery.found || !is_active(recovery.state.phase)) return {};
  if (auto repaired = repair_log(recovery, now_ms, loaded); !repaired.ok()) return repaired;
  if (recovery.divergence) {
    loaded.notices.push_back(name_of(recovery.divergence->path) + ", byte " +
                             std::to_string(recovery.divergence->offset) + ": " +
                             recovery.divergence->what +
                             "; the mission goes on with what replay gives");
  }
  durable_seq_ = recovery.state.last_seq;
  durable_bytes_ = log_->size_bytes();
  bytes_since_mark_ = 0;
  marked_seq_ = durable_seq_;
  todo_.clear();
  remember(wal_path());
  remember(paths_.snapshot);
  // A person may have changed the file while no engine ran: it is not judged here.
  left_.erase(paths_.todo);
  return {};
}

Result<void> MissionStore::repair_snapshot(const Recovery& recovery, std::uint64_t now_ms,
                                           Loaded& loaded) {
  const bool other = recovery.snapshot && recovery.snapshot->mission != recovery.state.mission;
  if (recovery.snapshot_fault.empty() && !recovery.snapshot_missing && !other) return {};
  std::string notice = name_of(paths_.snapshot);
  if (!recovery.snapshot_fault.empty()) {
    auto aside = set_aside(paths_.snapshot, now_ms);
    if (!aside.ok()) return aside.error();
    notice +=
        " could not be used (" + recovery.snapshot_fault + "); it is kept as " + aside.value();
  } else if (other) {
    notice += " was still that of mission " + recovery.snapshot->mission.value;
  } else {
    notice += " was gone";
  }
  if (!recovery.found) {
    loaded.notices.push_back(notice + ", and no log holds a mission");
    return {};
  }
  loaded.notices.push_back(notice + "; it is rewritten from the log of mission " +
                           recovery.state.mission.value + ", " +
                           event_name(recovery.state.last_seq));
  return write_snapshot(recovery.state);
}

Result<void> MissionStore::repair_log(const Recovery& recovery, std::uint64_t now_ms,
                                      Loaded& loaded) {
  const State& state = recovery.state;
  const std::string path = wal_path();
  if (recovery.log_goes_on()) {
    const store::WalScan& scan = recovery.log->scan;
    auto writer = store::WalWriter::resume(fs_, path, scan, state.last_seq + 1);
    if (!writer.ok()) return writer.error();
    log_ = std::move(writer).value();
    segment_first_seq_ = recovery.log->checkpoint_seq != 0 ? recovery.log->checkpoint_seq + 1
                                                           : recovery.log->first_event_seq;
    return {};
  }
  // The state is safe before anything of the log is moved.
  if (auto written = write_snapshot(state); !written.ok()) return written;
  const std::string going_on =
      "; the mission goes on from " + event_name(state.last_seq) + ", the last that is sound";
  if (!recovery.log) {
    // Between the two renames of a rotation that is no damage: the archived one holds everything.
    if (recovery.log_reaches < state.last_seq)
      loaded.notices.push_back(name_of(path) + " was gone" + going_on);
    return start_segment(state);
  }
  SegmentEnd log = *recovery.log;
  const bool holds_state = std::max(log.last_event_seq, log.checkpoint_seq) >= state.last_seq;
  if (log.kind == SegmentEnd::Kind::whole && log.scan.torn_bytes > 0 && !holds_state) {
    // What looks like a torn write was acknowledged: the snapshot, or a segment before it, says so.
    log.kind = SegmentEnd::Kind::damaged;
    log.damage = store::WalDamage{log.scan.end_offset, "there is no sound record", {}};
  }
  if (log.kind == SegmentEnd::Kind::damaged) {
    if (auto kept = keep_sound_part(log); !kept.ok()) return kept;
    auto aside = set_aside(path, now_ms);
    if (!aside.ok()) return aside.error();
    loaded.notices.push_back(name_of(path) + " is damaged at byte " +
                             std::to_string(log.damage->offset) + " (" + log.damage->reason +
                             "); it is kept as " + aside.value() + going_on +
                             "; what was logged behind it may be lost");
    return start_segment(state);
  }
  if (log.kind == SegmentEnd::Kind::gap || !holds_state) {
    loaded.notices.push_back(name_of(path) + " does not hold " + event_name(state.last_seq) +
                             ", which the snapshot has" + going_on);
  }
  if (auto moved = archive_log(log.first_event_seq, now_ms); !moved.ok()) return moved;
  return start_segment(state);
}

/// So that it stays in the timeline.
Result<void> MissionStore::keep_sound_part(const SegmentEnd& log) {
  if (log.last_event_seq == 0) return {};
  const std::string archived =
      archived_log_path(paths_.directory, mission_.value, log.first_event_seq);
  if (fs_.exists(archived)) return {};
  const auto bytes = fs_.read(wal_path(), store::kWalFileBytesMax);
  if (!bytes.ok()) return bytes.error();
  return os::atomic_replace(fs_, archived,
                            std::string_view(bytes.value()).substr(0, log.damage->offset));
}

void MissionStore::remove_temporaries() {
  const auto sweep = [&](const std::string& directory, std::string_view prefix) {
    const auto entries = fs_.list(directory);
    if (!entries.ok()) return;
    for (const os::DirectoryEntry& entry : entries.value()) {
      if (entry.kind != os::FileInfo::Kind::file || !entry.name.starts_with(prefix) ||
          entry.name.find(".tmp-") == std::string::npos) {
        continue;
      }
      (void)fs_.remove(directory + "/" + entry.name).ok();
    }
  };
  sweep(paths_.directory, "");
  sweep(paths_.opencode, name_of(paths_.snapshot) + ".tmp-");
  sweep(paths_.opencode, name_of(paths_.todo) + ".tmp-");
}

// ---- going on -----------------------------------------------------------------------------------

Result<void> MissionStore::begin(const MissionId& mission) {
  if (auto made = make_directory(); !made.ok()) return made;
  if (auto locked = lock(); !locked.ok()) return locked.error();
  auto writer =
      store::WalWriter::create(fs_, runtime::log_path(paths_.directory, mission.value), 1);
  if (!writer.ok()) {
    lock_.reset();
    return writer.error();
  }
  mission_ = mission;
  log_ = std::move(writer).value();
  broken_.reset();
  segment_first_seq_ = 1;
  durable_seq_ = marked_seq_ = bytes_since_mark_ = state_bytes_ = 0;
  durable_bytes_ = log_->size_bytes();
  todo_.clear();
  left_.clear();
  remember(wal_path());
  return {};
}

void MissionStore::close() {
  log_.reset();
  lock_.reset();
  left_.clear();
  broken_.reset();
}

Result<Effects> MissionStore::apply(State& state, const Event& event) {
  std::string record = codec::encode_event_record(event);
  if (record.size() > store::kWalPayloadBytesMax) {
    return Error{"an event of " + std::to_string(record.size()) + " bytes cannot be kept", "",
                 "send less at once"};
  }
  const Phase before = state.phase;
  Effects effects = step(state, event);
  codec::set_witness(record, step_digest(state, effects));
  bytes_since_mark_ += record.size() + store::kWalRecordHeaderBytes;
  // What the log refuses now, sync() will tell: nothing of this is let out before it.
  if (const auto kept = log_->append(record); !kept.ok() && !broken_) broken_ = kept.error();
  const bool due =
      event.seq - marked_seq_ >= limits_.mark_events && bytes_since_mark_ >= state_bytes_;
  if (due || state.phase != before) mark(state);
  return effects;
}

void MissionStore::mark(const State& state) {
  const std::string bytes = codec::encode_state(state);
  state_bytes_ = bytes.size();
  marked_seq_ = state.last_seq;
  bytes_since_mark_ = 0;
  const codec::StateMark mark{ORCH_VERSION, os::content_hash(bytes)};
  if (const auto kept = log_->append_mark(codec::encode_mark(mark)); !kept.ok() && !broken_)
    broken_ = kept.error();
}

Result<void> MissionStore::sync() {
  if (!log_) return {};
  if (broken_) return *broken_;
  if (log_->pending_bytes() == 0) return {};
  if (auto done = log_->sync(); !done.ok()) {
    broken_ = done.error();
    return done;
  }
  durable_seq_ = log_->next_seq() - 1;
  durable_bytes_ = log_->size_bytes();
  remember(wal_path());
  return {};
}

Result<void> MissionStore::save(const State& state) {
  if (auto written = write_snapshot(state); !written.ok()) return written;
  if (auto written = write_todo(state); !written.ok()) return written;
  return rotate(state);
}

Result<void> MissionStore::write_snapshot(const State& state) {
  const std::string text = snapshot_text(state);
  if (auto written = os::atomic_replace(fs_, paths_.snapshot, text); !written.ok()) return written;
  snapshot_hash_ = std::hash<std::string>{}(text);
  remember(paths_.snapshot);
  return {};
}

Result<void> MissionStore::write_todo(const State& state) {
  std::string todo = todo_markdown(state);
  if ((todo == todo_ && !todo_taken_) || state.tasks.empty()) return {};
  // Another writer has just changed it: that change is read first, while the mission runs.
  if (is_active(state.phase) && !is_as_left(paths_.todo)) return {};
  if (auto written = os::atomic_replace(fs_, paths_.todo, todo); !written.ok()) return written;
  todo_ = std::move(todo);
  todo_taken_ = false;
  remember(paths_.todo);
  return {};
}

// ---- segments -----------------------------------------------------------------------------------

// The snapshot is saved every 100 ms, and does not begin a new segment each time: that would make
// thousands of small files, each with a whole state in it. A segment begins where the log has grown
// by more than a recovery should have to read.
Result<void> MissionStore::rotate(const State& state) {
  if (!log_ || broken_ || log_->pending_bytes() > 0 || state.last_seq + 1 != log_->next_seq())
    return {};
  const std::uint64_t events = log_->next_seq() - segment_first_seq_;
  if (events < limits_.segment_events && log_->size_bytes() < limits_.segment_bytes) return {};
  // A state that fills a record could not be a segment's beginning; and one that is larger than
  // what was logged since would make the log grow faster than the mission.
  if (log_->size_bytes() < state_bytes_) return {};
  const std::string archived =
      archived_log_path(paths_.directory, mission_.value, segment_first_seq_);
  if (fs_.exists(archived)) return Error{"is in the way of a new segment", archived, ""};
  if (codec::encode_state(state).size() > store::kWalPayloadBytesMax) return {};
  const std::string path = wal_path();
  if (auto moved = fs_.rename(path, archived); !moved.ok()) return moved;
  // Durable before the next name is: else a crash could leave the new segment and not the old one.
  auto done = fs_.sync_directory(paths_.directory);
  if (done.ok()) {
    auto writer = std::move(log_);
    done = start_segment(state);
    if (done.ok()) return {};
    log_ = std::move(writer);
  }
  // It goes on under its old name; the file is the same one.
  if (auto back = fs_.rename(archived, path); !back.ok() && !broken_) broken_ = back.error();
  (void)fs_.sync_directory(paths_.directory).ok();
  remember(path);
  return done;
}

Result<void> MissionStore::start_segment(const State& state) {
  const std::string checkpoint = codec::encode_state(state);
  std::optional<std::string_view> first;
  if (checkpoint.size() <= store::kWalPayloadBytesMax) {
    first = checkpoint;
  } else if (auto written = write_snapshot(state); !written.ok()) {
    return written;  // the only thing that this segment could go on from
  }
  auto writer = store::WalWriter::create(fs_, wal_path(), state.last_seq + 1, first);
  if (!writer.ok()) return writer.error();
  log_ = std::move(writer).value();
  segment_first_seq_ = state.last_seq + 1;
  durable_seq_ = marked_seq_ = state.last_seq;
  durable_bytes_ = log_->size_bytes();
  bytes_since_mark_ = 0;
  state_bytes_ = checkpoint.size();
  remember(wal_path());
  return {};
}

Result<void> MissionStore::archive_log(std::uint64_t first_seq, std::uint64_t now_ms) {
  const std::string path = wal_path();
  if (first_seq == 0) {
    // It holds nothing.
    if (auto gone = fs_.remove(path); !gone.ok()) return gone;
    return fs_.sync_directory(paths_.directory);
  }
  const std::string archived = archived_log_path(paths_.directory, mission_.value, first_seq);
  if (fs_.exists(archived)) {
    const auto aside = set_aside(path, now_ms);
    if (!aside.ok()) return aside.error();
    return {};
  }
  if (auto moved = fs_.rename(path, archived); !moved.ok()) return moved;
  return fs_.sync_directory(paths_.directory);
}

Result<std::string> MissionStore::set_aside(const std::string& path, std::uint64_t now_ms) {
  const std::string stem = path + ".damaged-" + utc_time(now_ms);
  std::string aside = stem;
  for (int i = 2; fs_.exists(aside); ++i) aside = stem + "-" + std::to_string(i);
  if (auto moved = fs_.rename(path, aside); !moved.ok()) return moved.error();
  if (auto synced = fs_.sync_directory(os::parent_directory(path)); !synced.ok())
    return synced.error();
  return name_of(aside);
}

// ---- a disk that fails --------------------------------------------------------------------------

Result<MissionStore::Back> MissionStore::fall_back(State& state) {
  log_.reset();
  const std::string path = wal_path();
  if (durable_seq_ == 0) {
    (void)fs_.remove(path).ok();
    close();
    state = State{};
    return Back::no_mission;
  }
  // What was written and not synced must not come back as if it had happened. It may well fail
  // now; then go_on() does it, before anything is written behind it.
  const auto info = fs_.stat(path);
  tail_remains_ = !info.ok() || (info.value().size_bytes > durable_bytes_ &&
                                 !fs_.truncate(path, durable_bytes_).ok());
  auto recovery = recover_until(fs_, paths_, mission_, durable_seq_);
  if (!recovery.ok()) return recovery.error();
  state = std::move(recovery.value().state);
  return state.last_seq == durable_seq_ ? Back::durable : Back::differs;
}

Result<void> MissionStore::go_on(const State& state, std::uint64_t now_ms) {
  if (auto made = make_directory(); !made.ok()) return made;
  if (auto locked = lock(); !locked.ok()) return locked;
  const std::string path = wal_path();
  if (auto saved = write_snapshot(state); !saved.ok()) return saved;
  // Never behind a failed sync in the same file: the kernel may call pages clean that it has lost.
  if (const auto info = fs_.stat(path); info.ok()) {
    if (info.value().size_bytes > durable_bytes_) {
      if (auto cut = fs_.truncate(path, durable_bytes_); !cut.ok()) return cut;
    }
    const bool holds_events = segment_first_seq_ <= durable_seq_;
    if (auto moved = archive_log(holds_events ? segment_first_seq_ : 0, now_ms); !moved.ok())
      return moved;
  }
  broken_.reset();
  tail_remains_ = false;
  return start_segment(state);
}

// ---- self-healing -------------------------------------------------------------------------------

std::optional<MissionStore::Stamp> MissionStore::stamp_of(const std::string& path) const {
  const auto info = fs_.stat(path);
  if (!info.ok()) return std::nullopt;
  return Stamp{info.value().file_id, info.value().size_bytes, info.value().modified_ns};
}

void MissionStore::remember(const std::string& path) { left_[path] = stamp_of(path); }

bool MissionStore::is_as_left(const std::string& path) const {
  const auto left = left_.find(path);
  if (left == left_.end() || !left->second) return true;
  const auto now = stamp_of(path);
  // A file that cannot be examined does not count as changed.
  return now ? now == left->second : fs_.exists(path);
}

Result<MissionStore::Healed> MissionStore::heal(const State& state, std::uint64_t now_ms) {
  Healed healed;
  if (!log_ || broken_) return healed;
  if (auto mine = heal_directory(healed); !mine.ok()) return mine.error();
  if (!is_as_left(wal_path())) heal_log(state, now_ms, healed);
  if (!is_as_left(paths_.snapshot)) heal_snapshot(now_ms, healed);
  if (!is_as_left(paths_.todo)) heal_todo(now_ms, healed);
  return healed;
}

Result<void> MissionStore::heal_directory(Healed& healed) {
  if (lock_is_seen()) return {};
  if (auto made = make_directory(); !made.ok()) {
    broken_ = made.error();
    return {};
  }
  auto lock = fs_.lock(paths_.lock);
  if (!lock.ok()) return lock.error();
  lock_ = std::move(lock).value();
  healed.notices.push_back("the lock file was removed; the directory is locked anew");
  return {};
}

bool MissionStore::is_our_log_still() const {
  const auto left = left_.find(wal_path());
  const auto now = stamp_of(wal_path());
  if (!now || left == left_.end() || !left->second) return false;
  if (now->file_id != left->second->file_id || now->size_bytes != left->second->size_bytes)
    return false;
  const auto scan =
      store::scan_wal(fs_, wal_path(), [](const store::WalRecord&) { return true; }, {});
  return scan.ok() && !scan.value().damage && scan.value().torn_bytes == 0 &&
         scan.value().end_offset == durable_bytes_;
}

void MissionStore::heal_log(const State& state, std::uint64_t now_ms, Healed& healed) {
  if (is_our_log_still()) return remember(wal_path());
  const std::string path = wal_path();
  std::string notice = name_of(path);
  if (fs_.exists(path)) {
    const auto aside = set_aside(path, now_ms);
    if (!aside.ok()) {
      broken_ = aside.error();
      return;
    }
    notice += " was changed by another program; it is kept as " + aside.value();
  } else {
    notice += " was removed";
  }
  // What this batch has brought stands in the state, and with it in the new segment's checkpoint.
  auto old = std::move(log_);
  if (const auto started = start_segment(state); !started.ok()) {
    log_ = std::move(old);
    broken_ = started.error();
    return;
  }
  healed.save_due = true;
  healed.notices.push_back(notice + "; a new one begins with the whole state after " +
                           event_name(state.last_seq));
}

void MissionStore::heal_snapshot(std::uint64_t now_ms, Healed& healed) {
  const auto text = fs_.exists(paths_.snapshot)
                        ? fs_.read(paths_.snapshot, kSnapshotBytesMax)
                        : Result<std::string>(Error{"is gone", paths_.snapshot, ""});
  if (text.ok() && snapshot_hash_ == std::hash<std::string>{}(text.value()))
    return remember(paths_.snapshot);
  std::string notice = name_of(paths_.snapshot);
  if (fs_.exists(paths_.snapshot)) {
    const auto aside = set_aside(paths_.snapshot, now_ms);
    notice += " was changed by another program";
    if (aside.ok()) notice += "; it is kept as " + aside.value();
  } else {
    notice += " was removed";
  }
  healed.save_due = true;
  healed.notices.push_back(notice + "; it is written again");
  left_.erase(paths_.snapshot);
}

void MissionStore::heal_todo(std::uint64_t now_ms, Healed& healed) {
  constexpr std::uint64_t kTodoBytesMax = 4U << 20U;
  // Editors empty a file before they write it.
  constexpr std::uint64_t kSettledMs = 150;
  if (!fs_.exists(paths_.todo)) {
    todo_.clear();
    healed.save_due = true;
    healed.notices.push_back(name_of(paths_.todo) + " was removed; it is written again");
    left_.erase(paths_.todo);
    return;
  }
  const auto seen = stamp_of(paths_.todo);
  if (seen != todo_seen_) {
    todo_seen_ = seen;
    todo_seen_ms_ = now_ms;
  }
  if (now_ms - todo_seen_ms_ < kSettledMs) {
    healed.look_again = true;
    return;
  }
  remember(paths_.todo);
  auto text = fs_.read(paths_.todo, kTodoBytesMax);
  // What cannot be read is as good as damaged: an empty text.
  std::string now = text.ok() ? std::move(text).value() : "";
  if (now != todo_) healed.todo = std::move(now);
}

Result<std::string> MissionStore::refuse_todo(std::uint64_t now_ms) {
  todo_.clear();
  left_.erase(paths_.todo);
  return set_aside(paths_.todo, now_ms);
}

}  // namespace orchestrator::runtime
