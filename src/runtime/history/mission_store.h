#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "orchestrator/effect.h"
#include "orchestrator/event.h"
#include "orchestrator/mission.h"
#include "os/directory_lock.h"
#include "os/file_system.h"
#include "runtime/history/mission_recovery.h"
#include "store/wal_writer.h"

namespace orchestrator::runtime {

/// The length of a log segment, and how often the state's hash is written to it.
struct LogLimits {
  std::uint64_t segment_events = 8192;
  std::uint64_t segment_bytes = 4U << 20U;
  /// At least so many events lie between two marks, and at least as many bytes as the state has:
  /// hashing costs no more than logging, however large the state is.
  std::uint64_t mark_events = 64;
};

/// A mission on disk: the log and the snapshot are the truth, `todo.md` is derived. Whatever is
/// damaged or missing is repaired from what is left; each repair is reported in a sentence, and the
/// damaged file is kept aside. Engine thread.
class MissionStore {
 public:
  /// `root` is the canonical project directory. Touches nothing.
  MissionStore(os::FileSystem& fs, std::string root, LogLimits limits = {});

  struct Loaded {
    bool found = false;
    std::vector<std::string> notices;  ///< each fault and its repair
  };
  /// Reads the directory's mission (see mission_recovery.h). An active one's directory is locked,
  /// damage is repaired, and its log is open for appending. A lock that another process holds
  /// and files of a newer version are errors, nothing is touched, and `state` is then the
  /// snapshot's: to be shown, not to be gone on with.
  base::Result<Loaded> load(State& state, std::uint64_t now_ms);

  /// Prepares a new mission: directories, lock, an empty log. A failure leaves nothing behind
  /// except perhaps empty directories.
  base::Result<void> begin(const MissionId& mission);

  /// The mission is over and saved: the directory is free for others.
  void close();

  /// A log is open: events are kept.
  [[nodiscard]] bool is_open() const { return log_ != nullptr; }
  /// Whether the lock file is still in its place.
  [[nodiscard]] bool lock_is_seen() const { return lock_ && lock_->is_seen(); }
  /// The number that the next event will have.
  [[nodiscard]] std::uint64_t next_seq() const { return log_ ? log_->next_seq() : 1; }

  /// Steps the state and buffers the event; `sync` makes it durable. An Error: the event is too
  /// large to be kept, and nothing has happened.
  base::Result<Effects> apply(State& state, const Event& event);
  /// A failure is for good: what reached the disk is unknown. See `fall_back`.
  base::Result<void> sync();
  /// Replaces `mission_loop.json` and `todo.md`, each atomically, and begins a new segment of the
  /// log where this one has become long. Everything in `state` must be durable.
  base::Result<void> save(const State& state);

  struct Healed {
    std::vector<std::string> notices;
    bool save_due = false;  ///< what is derived has to be written again
    std::optional<std::string>
        todo;                 ///< the text of a `todo.md` that another program or a person changed
    bool look_again = false;  ///< it was changed just now and may change again
  };
  /// Checks with a few calls of stat whether another program or a person removed or changed our
  /// files, and repairs the log at once from `state`. An Error: another process owns the directory.
  base::Result<Healed> heal(const State& state, std::uint64_t now_ms);

  /// `todo.md` as the engine last wrote it; a changed one is compared with this.
  [[nodiscard]] const std::string& todo_text() const { return todo_; }
  /// What stands there is in the state now, as far as it can be: the next `save` writes it anew.
  void take_todo() { todo_taken_ = true; }
  /// What stands there is no todo list: it is kept under the name that is answered, and the next
  /// `save` writes one.
  base::Result<std::string> refuse_todo(std::uint64_t now_ms);

  enum class Back {
    durable,     ///< `state` is what was durable
    no_mission,  ///< not even the mission's first event was; `state` is empty
    differs,     ///< the files hold less than was durable (they were damaged): `state` is that
  };
  /// After a failed `sync`: what was not durable has not happened, and `state` becomes what it was
  /// before. An Error: that cannot be read now either; try again.
  base::Result<Back> fall_back(State& state);
  /// `fall_back` could not cut off what had been written without a sync: if the process ends before
  /// `go_on` has succeeded, the next one may find it in the log, as if it had happened.
  [[nodiscard]] bool tail_remains() const { return tail_remains_; }
  /// Ends the failure: a log that can be written, from `state` on. An Error: it still cannot.
  base::Result<void> go_on(const State& state, std::uint64_t now_ms);

  [[nodiscard]] const std::string& lock_path() const { return paths_.lock; }
  [[nodiscard]] std::string log_path() const { return paths_.directory + "/engine.log"; }

 private:
  /// A file as we have left it.
  struct Stamp {
    std::uint64_t file_id = 0;
    std::uint64_t size_bytes = 0;
    std::int64_t modified_ns = 0;
    bool operator==(const Stamp&) const = default;
  };

  base::Result<void> lock();
  base::Result<void> make_directory();
  void remove_temporaries();
  base::Result<void> repair(const Recovery& recovery, std::uint64_t now_ms, Loaded& loaded);
  base::Result<void> repair_snapshot(const Recovery& recovery, std::uint64_t now_ms,
                                     Loaded& loaded);
  base::Result<void> repair_log(const Recovery& recovery, std::uint64_t now_ms, Loaded& loaded);
  base::Result<void> keep_sound_part(const SegmentEnd& log);

  base::Result<void> write_snapshot(const State& state);
  base::Result<void> write_todo(const State& state);
  /// A new segment at the log's place, which must be free, for what comes after `state`.
  base::Result<void> start_segment(const State& state);
  /// Gives the log's name free: what stands there becomes an archived segment.
  base::Result<void> archive_log(std::uint64_t first_seq, std::uint64_t now_ms);
  base::Result<void> rotate(const State& state);
  /// Renames to a name that says what it is; answers that name without its directory.
  base::Result<std::string> set_aside(const std::string& path, std::uint64_t now_ms);
  void mark(const State& state);

  [[nodiscard]] std::optional<Stamp> stamp_of(const std::string& path) const;
  void remember(const std::string& path);
  [[nodiscard]] bool is_as_left(const std::string& path) const;
  base::Result<void> heal_directory(Healed& healed);
  void heal_log(const State& state, std::uint64_t now_ms, Healed& healed);
  void heal_snapshot(std::uint64_t now_ms, Healed& healed);
  void heal_todo(std::uint64_t now_ms, Healed& healed);
  [[nodiscard]] bool is_our_log_still() const;
  [[nodiscard]] std::string wal_path() const {
    return runtime::log_path(paths_.directory, mission_.value);
  }

  os::FileSystem& fs_;
  const std::string root_;
  const MissionPaths paths_;
  const LogLimits limits_;
  std::unique_ptr<os::DirectoryLock> lock_;
  std::unique_ptr<store::WalWriter> log_;
  MissionId mission_;
  std::uint64_t segment_first_seq_ = 1;
  std::uint64_t durable_seq_ = 0;
  std::uint64_t durable_bytes_ = 0;  ///< of the growing log; 0: nothing of it counts
  bool tail_remains_ = false;
  std::optional<base::Error> broken_;
  std::uint64_t marked_seq_ = 0;
  std::uint64_t bytes_since_mark_ = 0;
  std::uint64_t state_bytes_ = 0;   ///< of the state, when it was hashed last
  std::string todo_;                ///< as it was last written
  bool todo_taken_ = false;         ///< the file is another writer's, and was handled
  std::optional<Stamp> todo_seen_;  ///< of another writer's file, when it was first seen
  std::uint64_t todo_seen_ms_ = 0;
  std::optional<std::size_t> snapshot_hash_;  ///< of the snapshot as this process last wrote it
  std::map<std::string, std::optional<Stamp>> left_;
};

}  // namespace orchestrator::runtime
