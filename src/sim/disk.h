#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "os/file_system.h"
#include "sim/faults.h"

namespace orchestrator::sim {

/// The project's directory.
inline constexpr const char* kRoot = "/p";

/// The simulated process dies here. Not a std::exception: nothing may take it for a fault of its
/// own.
struct ProcessDied {};

/// A disk in memory that knows what of it would survive a power cut. Bytes become durable with a
/// sync of their file, names with a sync of their directory; what was not synced is lost, kept or
/// torn when the power goes. A failed sync may drop what it was to write: it can still be read,
/// until the process's machine goes down. One directory, no links.
class Disk final : public os::FileSystem {
 public:
  explicit Disk(Faults& faults);

  // ---- the file system of the process that lives
  base::Result<std::unique_ptr<os::AppendFile>> open_append(const std::string& path,
                                                            bool create) override;
  base::Result<std::string> read(const std::string& path, std::uint64_t bytes_max) override;
  base::Result<void> read_parts(const std::string& path,
                                const std::function<void(std::string_view)>& take) override;
  base::Result<void> truncate(const std::string& path, std::uint64_t size_bytes) override;
  base::Result<void> rename(const std::string& from, const std::string& to) override;
  base::Result<void> sync_directory(const std::string& path) override;
  base::Result<void> remove(const std::string& path) override;
  base::Result<void> create_directories(const std::string& path) override;
  base::Result<std::vector<os::DirectoryEntry>> list(const std::string& path) override;
  base::Result<os::FileInfo> stat(const std::string& path) override;
  bool exists(const std::string& path) override;
  base::Result<std::string> canonical(const std::string& path) override;
  base::Result<std::unique_ptr<os::DirectoryLock>> lock(const std::string& path) override;
  std::string temporary_name(const std::string& path) override;

  // ---- the simulation's own hand
  /// Puts a user's file there, durable. Its directories come with it.
  void put(const std::string& path, std::string bytes);
  /// What stands there now; null: nothing.
  [[nodiscard]] const std::string* look(const std::string& path) const;
  /// Another program removes a file.
  void lose(const std::string& path);
  /// A directory of the user's goes, with all that is in it.
  void take_away(const std::string& directory);
  /// A bit of it is not what it was.
  void rot(const std::string& path, Random random);
  /// Names of all files, in order.
  [[nodiscard]] std::vector<std::string> files() const;

  /// The process is dead: its open files and locks are gone, calls of it that still come fail. With
  /// the power, what was not durable goes too.
  void die(bool power_cut, Random random);
  /// A new process.
  void start();
  [[nodiscard]] bool is_dead() const { return dead_; }
  /// Deaths in a destructor cannot be thrown: the process is just dead from there on.
  void set_quiet(bool quiet) { quiet_ = quiet; }
  /// The virtual time, for what lasts a while.
  void set_now(std::uint64_t now_ms) { now_ms_ = now_ms; }
  void end_faults() { full_until_ms_ = 0; }

  /// Syncs of logs that succeeded.
  [[nodiscard]] std::uint64_t log_syncs() const { return log_syncs_; }
  /// The newest of them after which all bytes of this mission's logs were durable; 0: there is
  /// none.
  [[nodiscard]] std::uint64_t whole_sync(const std::string& mission) const;
  /// Whether what stands at `path` was put there whole, by a rename or by `put`.
  [[nodiscard]] bool is_whole(const std::string& path) const;
  [[nodiscard]] std::uint64_t calls() const { return calls_; }
  [[nodiscard]] std::uint64_t bytes_written() const { return bytes_written_; }
  /// The log of this mission was taken away or spoiled, and no new one stands in its place yet:
  /// what was acknowledged since the last snapshot may be gone. (A snapshot or a todo.md that is
  /// gone costs nothing, since the log has everything.)
  [[nodiscard]] bool is_damaged(const std::string& mission) const;
  /// Bytes that stand on it, all files together.
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  class File;
  class Lock;
  /// A file, or a directory.
  struct Node {
    bool directory = false;
    bool is_log = false;
    std::string bytes;
    std::size_t synced = 0;  ///< so many of the bytes are durable
    std::int64_t modified_ns = 0;
    /// Ranges that a failed sync has dropped: [first, last).
    std::vector<std::pair<std::size_t, std::size_t>> dropped;
  };
  using NodePtr = std::shared_ptr<Node>;
  /// A change of names in one directory that is not durable yet.
  struct NameChange {
    std::string directory;
    std::vector<std::pair<std::string, NodePtr>> names;  ///< null: the name goes
  };

  /// Every call begins and ends here: the places where a process dies.
  std::optional<base::Error> begin(const std::string& path, std::optional<Fault> error,
                                   const char* action);
  void maybe_die();
  void touch(Node& node);
  [[nodiscard]] bool is_full();
  void change_names(const std::string& directory,
                    std::vector<std::pair<std::string, NodePtr>> names);
  void make_durable(const NameChange& change);
  base::Result<void> append_to(Node& node, const std::string& path, std::string_view bytes);
  base::Result<void> sync_node(Node& node, const std::string& path);
  [[nodiscard]] NodePtr find(const std::string& path) const;
  [[nodiscard]] bool log_is_dirty(const std::string& mission) const;
  [[nodiscard]] static bool is_ours(const std::string& path);
  void cut_power(Random random);
  static void tear(Node& node, Random& random);

  Faults& faults_;
  std::map<std::string, NodePtr> names_;
  std::map<std::string, NodePtr> durable_;
  std::vector<NameChange> journal_;
  std::set<std::string> locks_;
  std::map<std::string, std::deque<std::size_t>> whole_;  ///< hashes of what was put there whole
  std::uint64_t life_ = 0;
  std::uint64_t temporaries_ = 0;
  std::uint64_t calls_ = 0;
  std::int64_t changes_ = 0;  ///< of files; keeps two in one millisecond apart
  std::uint64_t bytes_written_ = 0;
  std::uint64_t log_syncs_ = 0;
  std::map<std::string, std::uint64_t> whole_syncs_;  ///< by mission
  std::uint64_t now_ms_ = 0;
  std::uint64_t full_until_ms_ = 0;
  std::set<NodePtr> rotten_;  ///< files that `rot` has changed
  bool dead_ = false;
  bool quiet_ = false;
  std::map<std::string, NodePtr> damaged_;  ///< logs; null: taken away
};

}  // namespace orchestrator::sim
