#include "os/file_system.h"

namespace orchestrator::os {
namespace {

base::Result<void> write_new(FileSystem& fs, const std::string& path, std::string_view bytes) {
  auto file = fs.open_append(path, true);
  if (!file) return file.error();
  if (auto done = file.value()->append(bytes); !done) return done;
  return file.value()->sync();
}

}  // namespace

std::string parent_directory(std::string_view path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

base::Result<void> create_durable_directories(FileSystem& fs, const std::string& root,
                                              const std::string& path) {
  if (auto made = fs.create_directories(path); !made) return made;
  for (std::string at = path; at.size() > root.size();) {
    at = parent_directory(at);
    if (auto synced = fs.sync_directory(at); !synced) return synced;
  }
  return {};
}

base::Result<void> atomic_replace(FileSystem& fs, const std::string& path, std::string_view bytes,
                                  Mode mode) {
  const std::string temporary = fs.temporary_name(path);
  base::Result<void> done = write_new(fs, temporary, bytes);
  if (done && mode == Mode::keep) done = fs.copy_mode(path, temporary);
  if (done) done = fs.rename(temporary, path);
  if (!done) {
    // Report the first fault; a temporary file that is left over is harmless.
    (void)fs.remove(temporary).ok();
    base::Error error = done.error();
    if (error.where == temporary) error.where = path;  // the file that the reader knows
    return error;
  }
  return fs.sync_directory(parent_directory(path));
}

}  // namespace orchestrator::os
