#include "runtime/mission_store.h"

#include "codec/message.h"
#include "orchestrator/step.h"
#include "store/wal_reader.h"

namespace orchestrator::runtime {
namespace {

constexpr std::uint64_t kSnapshotBytesMax = 64U << 20U;
constexpr std::uint32_t kSchema = 1;

std::string snapshot_path(const std::string& root) { return root + "/.opencode/mission_loop.json"; }

}  // namespace

MissionStore::MissionStore(os::FileSystem& fs, std::string root)
    : fs_(fs), root_(std::move(root)), directory_(root_ + "/.opencode/orchestrator") {}

std::string MissionStore::wal_path(const MissionId& mission) const {
  return directory_ + "/" + mission.value + ".wal";
}

base::Result<void> MissionStore::lock() {
  if (lock_) return {};
  auto lock = fs_.lock(directory_ + "/lock");
  if (!lock.ok()) return lock.error();
  lock_ = std::move(lock).value();
  return {};
}

base::Result<bool> MissionStore::load(State& state) {
  const std::string path = snapshot_path(root_);
  if (!fs_.exists(path)) return false;
  const auto text = fs_.read(path, kSnapshotBytesMax);
  if (!text.ok()) return text.error();
  State loaded;
  codec::Problems problems;
  if (!codec::parse_state(text.value(), loaded, problems)) {
    return base::Error{"the snapshot cannot be read: " + codec::to_string(problems.front()), path,
                       "mend the file, or move it away to start anew"};
  }
  if (loaded.schema > kSchema) {
    return base::Error{"the snapshot's schema " + std::to_string(loaded.schema) +
                           " is newer than this program's " + std::to_string(kSchema),
                       path, "update the plugin"};
  }
  if (!is_active(loaded.phase) || !fs_.exists(wal_path(loaded.mission))) {
    state = std::move(loaded);
    return true;
  }
  state = loaded;
  if (auto locked = lock(); !locked.ok()) return locked.error();
  if (auto replayed = replay(loaded); !replayed.ok()) {
    lock_.reset();
    return replayed.error();
  }
  state = std::move(loaded);
  return true;
}

void MissionStore::close() {
  log_.reset();
  lock_.reset();
}

base::Result<void> MissionStore::replay(State& state) {
  const std::string path = wal_path(state.mission);
  std::string bad_record;
  const auto take = [&](std::uint64_t seq, std::string_view payload) {
    if (seq <= state.last_seq) return true;
    Event event;
    if (!codec::decode_event(payload, event, &bad_record)) return false;
    (void)step(state, event);  // its effects were let out when it happened
    return true;
  };
  const auto scan = store::scan_wal(fs_, path, take, [](const store::WalDamage&) {});
  if (!scan.ok()) return scan.error();
  if (!bad_record.empty())
    return base::Error{"a record cannot be read: " + bad_record, path, "move the file away"};
  if (scan.value().damage) {
    return base::Error{"the log is damaged at byte " + std::to_string(scan.value().damage->offset) +
                           ": " + scan.value().damage->reason,
                       path, "move the file away; the snapshot beside it stays"};
  }
  auto writer = store::WalWriter::resume(fs_, path, scan.value(), state.last_seq + 1);
  if (!writer.ok()) return writer.error();
  log_ = std::move(writer).value();
  return {};
}

base::Result<void> MissionStore::begin(const MissionId& mission) {
  if (auto made = fs_.create_directories(directory_); !made.ok()) return made.error();
  if (auto locked = lock(); !locked.ok()) return locked.error();
  const std::string ignore = directory_ + "/.gitignore";
  if (!fs_.exists(ignore)) {
    if (auto written = os::atomic_replace(fs_, ignore, "*\n"); !written.ok())
      return written.error();
  }
  auto writer = store::WalWriter::create(fs_, wal_path(mission), 1);
  if (!writer.ok()) return writer.error();
  log_ = std::move(writer).value();
  return {};
}

base::Result<void> MissionStore::append(const Event& event) {
  const auto seq = log_->append(codec::encode_event(event));
  if (!seq.ok()) return seq.error();
  return {};
}

base::Result<void> MissionStore::sync() {
  if (!log_) return {};
  return log_->sync();
}

base::Result<void> MissionStore::save(const State& state) {
  if (auto written = os::atomic_replace(fs_, snapshot_path(root_), codec::dump_state(state));
      !written.ok()) {
    return written;
  }
  std::string todo = todo_markdown(state);
  if (todo == todo_ || state.tasks.empty()) return {};
  if (auto written = os::atomic_replace(fs_, root_ + "/.opencode/todo.md", todo); !written.ok())
    return written;
  todo_ = std::move(todo);
  return {};
}

}  // namespace orchestrator::runtime
