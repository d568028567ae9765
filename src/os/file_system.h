#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "os/directory_lock.h"

namespace orchestrator::os {

/// An open file that only grows. One thread at a time. Closes when destroyed, without syncing.
class AppendFile {
 public:
  virtual ~AppendFile() = default;
  /// Adds all bytes at the end or fails; after a failure any prefix of them may have been written.
  virtual base::Result<void> append(std::string_view bytes) = 0;
  /// Returns when everything appended, and the length, is on the medium (fdatasync). After a
  /// failure nothing may be assumed about what was appended since the last success: close the file
  /// and read it again.
  virtual base::Result<void> sync() = 0;
};

struct FileInfo {
  enum class Kind { file, directory, link, other };
  Kind kind = Kind::other;
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;  ///< since the Unix epoch
  std::uint64_t file_id = 0;     ///< identity of the file behind the name (inode)
};

struct DirectoryEntry {
  std::string name;  ///< without the directory
  FileInfo::Kind kind = FileInfo::Kind::other;
};

/// Everything the project does to disks, so that tests can put a simulated, failing one in its
/// place. Paths are native bytes. Functions are thread-safe unless they share an AppendFile. Errors
/// carry the path and errno's text; exists() tells whether a file is missing.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  /// Opens for appending. `create`: a new, empty file if there is none.
  virtual base::Result<std::unique_ptr<AppendFile>> open_append(const std::string& path,
                                                                bool create) = 0;
  /// The whole content. Refuses files over `bytes_max`.
  virtual base::Result<std::string> read(const std::string& path, std::uint64_t bytes_max) = 0;
  /// Feeds the content to `take` in parts, so that a large file needs no memory.
  virtual base::Result<void> read_parts(const std::string& path,
                                        const std::function<void(std::string_view)>& take) = 0;
  /// Cuts the file to `size_bytes` and syncs it.
  virtual base::Result<void> truncate(const std::string& path, std::uint64_t size_bytes) = 0;
  /// Replaces `to` if it exists, atomically, on one file system. Durable after sync_directory().
  virtual base::Result<void> rename(const std::string& from, const std::string& to) = 0;
  /// Copies the permissions of one file to another. Does nothing where there are none.
  virtual base::Result<void> copy_mode(const std::string& /*from*/, const std::string& /*to*/) {
    return {};
  }
  /// Makes created, renamed and removed names of this directory durable.
  virtual base::Result<void> sync_directory(const std::string& path) = 0;
  /// Removes a file or an empty directory. A name that is not there is success.
  virtual base::Result<void> remove(const std::string& path) = 0;
  /// Makes the directory and its parents. One that exists is success.
  virtual base::Result<void> create_directories(const std::string& path) = 0;
  /// Names in a directory, sorted by byte, without `.` and `..`.
  virtual base::Result<std::vector<DirectoryEntry>> list(const std::string& path) = 0;
  /// Facts about the entry itself; links are not followed.
  virtual base::Result<FileInfo> stat(const std::string& path) = 0;
  /// Whether the name exists; links are not followed. False also where that cannot be determined.
  virtual bool exists(const std::string& path) = 0;
  /// The absolute path without links, `.` and `..`. The path must exist.
  virtual base::Result<std::string> canonical(const std::string& path) = 0;
  /// DirectoryLock::acquire() of this file system: gone with the object or with the process.
  virtual base::Result<std::unique_ptr<DirectoryLock>> lock(const std::string& path) = 0;
  /// A name beside `path` that no other writer uses, in whichever process or thread it is.
  virtual std::string temporary_name(const std::string& path) = 0;
};

/// The machine's own file system. Lives as long as the process.
FileSystem& posix_file_system();

enum class Mode {
  ours,  ///< only for the user, as a new file of open_append()
  keep,  ///< the permissions of the file that is replaced
};

/// Puts `bytes` at `path` so that after a crash at any point either the old or the new content is
/// there, never a mix: temporary file beside it, sync, rename, sync of the directory. When it
/// returns success the new content is durable.
base::Result<void> atomic_replace(FileSystem& fs, const std::string& path, std::string_view bytes,
                                  Mode mode = Mode::ours);

/// Makes the directory `path` and the missing directories between it and its existing ancestor
/// `root`. On success all their names are durable, also those that another process made and did not
/// sync: otherwise a power cut would remove the directory with all that was synced in it.
base::Result<void> create_durable_directories(FileSystem& fs, const std::string& root,
                                              const std::string& path);

/// The part of a path before its last `/`, or `.`.
std::string parent_directory(std::string_view path);

}  // namespace orchestrator::os
