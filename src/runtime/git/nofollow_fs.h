#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/result.h"

/// Files of a directory that is not trusted: no part of a path leads through a link.
namespace orchestrator::runtime {

/// The identity and version of what a name stands for, without its content.
struct FileStamp {
  bool exists = false;
  mode_t mode = 0;
  dev_t device = 0;
  ino_t file = 0;
  off_t size = 0;
  std::int64_t modified_ns = 0;
  bool operator==(const FileStamp&) const = default;
  [[nodiscard]] bool is_directory() const;
};
[[nodiscard]] FileStamp stamp_at(int directory, const std::string& name);

/// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool ok() const { return fd_ >= 0; }

  /// A directory in this one that is no link; where `make`, one that is not there is made.
  [[nodiscard]] Descriptor enter(const std::string& name, bool make) const;

 private:
  int fd_;
};

/// The directory of a path below `root`; invalid, with errno, where there is none. `leaf` is the
/// path's last part.
[[nodiscard]] Descriptor parent_of(const std::string& root, const std::string& path, bool make,
                                   std::string& leaf);

/// A directory, and no link to one.
[[nodiscard]] bool is_real_directory(const std::string& path);

/// Removes a file below `root` that is still as it was, and the directories that it leaves empty.
/// The answer: why not; empty: done.
[[nodiscard]] std::string take_away(const std::string& root, std::string path,
                                    const FileStamp& before);

/// Moves a staged file, or link, to its place below `root`, where all is still as it was; a file
/// keeps the permissions of the one before, but for being executable. The answer: why not; empty:
/// done.
[[nodiscard]] std::string put(const std::string& staged, const std::string& root,
                              const std::string& path, const FileStamp& before, bool executable);

/// Removes a directory with all that is in it, also where it may not be written to.
base::Result<void> remove_tree(const std::string& path);

}  // namespace orchestrator::runtime
