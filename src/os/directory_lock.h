#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace orchestrator::os {

/// Keeps every other holder, in this process or another, out of a directory's state. It is flock(2)
/// on a file, so the kernel releases it when the process dies, however it dies. Not for network
/// file systems without lock support.
class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;

  /// False: the lock file was removed or replaced, so that others do not see this lock any more.
  [[nodiscard]] virtual bool is_seen() const { return true; }

  /// Takes the lock file `path` (made if missing, never removed) without waiting. The error of a
  /// held lock names the holder's process id where it is known. Any thread; released when the
  /// object dies.
  static base::Result<std::unique_ptr<DirectoryLock>> acquire(const std::string& path);
};

}  // namespace orchestrator::os
