#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "engine/directory.h"
#include "orchestrator/event.h"
#include "os/file_system.h"

namespace orchestrator::runtime {

/// Finds the files of a project that have changed though no tool asked for leave to write them: by
/// size, time and identity of each file that `.gitignore` does not name, on the pool, whenever a
/// command of a mission session has ended. What a writing tool does meanwhile is known by its path.
/// Engine thread.
class ChangeDetector {
 public:
  /// `found` is called for changes; `blind`, once, where the tree cannot be compared, with a
  /// sentence why.
  ChangeDetector(os::FileSystem& fs, std::string root,
                 std::function<void(FilesChanged, engine::Outbox&)> found,
                 std::function<void(const std::string& why)> blind);

  /// Remembers the tree as it is now; earlier changes are not reported.
  void begin(engine::Outbox& outbox);
  /// Nothing is looked for any more.
  void end();

  void wrote(const std::string& path, std::uint64_t now_ms);
  void command_began(const SessionId& session, const std::string& call);
  void command_ended(const SessionId& session, const std::string& call, engine::Outbox& outbox);

 private:
  struct Version {
    std::uint64_t size_bytes = 0;
    std::int64_t modified_ns = 0;
    std::uint64_t file_id = 0;
    bool operator==(const Version&) const = default;
  };
  struct Look {
    std::map<std::string, Version> files;
    std::string blind;  ///< why it says nothing
  };

  void look(engine::Outbox& outbox);
  void compare(const Look& now, const std::set<SessionId>& ran, engine::Outbox& outbox);
  static void read_versions(os::FileSystem& fs, const std::string& root, Look& look);

  os::FileSystem& fs_;
  const std::string root_;
  const std::function<void(FilesChanged, engine::Outbox&)> found_;
  const std::function<void(const std::string&)> blind_;
  std::optional<std::map<std::string, Version>> before_;
  std::map<std::string, std::uint64_t> wrote_;  ///< path -> when a tool was last let write it
  std::set<std::pair<SessionId, std::string>> running_;
  std::set<SessionId> ran_;      ///< since the newest look began
  std::uint64_t watch_ = 0;      ///< looks of an older one are dropped
  std::uint64_t looked_ms_ = 0;  ///< when the newest look that is done began
  bool active_ = false;
  bool looking_ = false;
  bool again_ = false;
};

}  // namespace orchestrator::runtime
