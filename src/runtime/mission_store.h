#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "orchestrator/event.h"
#include "orchestrator/mission.h"
#include "os/directory_lock.h"
#include "os/file_system.h"
#include "store/wal_writer.h"

namespace orchestrator::runtime {

/// A mission on disk: the log and the snapshot are the truth, `todo.md` is derived. Engine thread.
class MissionStore {
 public:
  /// `root` is the canonical project directory. Touches nothing.
  MissionStore(os::FileSystem& fs, std::string root);

  /// Reads the directory's mission: the snapshot, then the log's records after it. False: there is
  /// none. An active mission's directory is locked and its log opened for going on; a lock that
  /// another process holds, and a log that is damaged or too new, are errors, and `state` is then
  /// the snapshot's: to be shown, not to be gone on with.
  base::Result<bool> load(State& state);

  /// Makes room for a new mission: directories, lock, an empty log. On failure nothing stands that
  /// was not there before, but perhaps empty directories.
  base::Result<void> begin(const MissionId& mission);

  /// The mission is over and saved: the directory is free for others.
  void close();

  /// A log is open: events are kept.
  [[nodiscard]] bool is_open() const { return log_ != nullptr; }
  /// The number that the next event will have.
  [[nodiscard]] std::uint64_t next_seq() const { return log_ ? log_->next_seq() : 1; }
  /// Buffers the event; `sync` makes it durable.
  base::Result<void> append(const Event& event);
  base::Result<void> sync();
  /// Replaces `mission_loop.json` and `todo.md`, each atomically.
  base::Result<void> save(const State& state);

  [[nodiscard]] std::string log_path() const { return directory_ + "/engine.log"; }

 private:
  base::Result<void> lock();
  base::Result<void> replay(State& state);
  [[nodiscard]] std::string wal_path(const MissionId& mission) const;

  os::FileSystem& fs_;
  std::string root_;
  std::string directory_;  ///< .opencode/orchestrator
  std::unique_ptr<os::DirectoryLock> lock_;
  std::unique_ptr<store::WalWriter> log_;
  std::string todo_;  ///< as it was last written
};

}  // namespace orchestrator::runtime
