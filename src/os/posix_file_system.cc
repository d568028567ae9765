#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "os/file_system.h"
#include "os/posix_fd.h"

namespace orchestrator::os {
namespace {

using base::Error;
using base::Result;

Result<void> sync_descriptor(int fd, const char* action, const std::string& path, bool data_only) {
  const int code = retry_interrupted([&] { return data_only ? ::fdatasync(fd) : ::fsync(fd); });
  if (code != 0) return errno_error(action, path);
  return {};
}

class PosixAppendFile final : public AppendFile {
 public:
  PosixAppendFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<void> append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count =
          retry_interrupted([&] { return ::write(fd_.get(), bytes.data(), bytes.size()); });
      if (count < 0) return errno_error("cannot write", path_);
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
  }
  Result<void> sync() override { return sync_descriptor(fd_.get(), "cannot sync", path_, true); }

 private:
  Descriptor fd_;
  std::string path_;
};

FileInfo::Kind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return FileInfo::Kind::file;
  if (S_ISDIR(mode)) return FileInfo::Kind::directory;
  if (S_ISLNK(mode)) return FileInfo::Kind::link;
  return FileInfo::Kind::other;
}

FileInfo::Kind kind_of_entry(unsigned char type) {
  if (type == DT_REG) return FileInfo::Kind::file;
  if (type == DT_DIR) return FileInfo::Kind::directory;
  if (type == DT_LNK) return FileInfo::Kind::link;
  return FileInfo::Kind::other;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<AppendFile>> open_append(const std::string& path, bool create) override {
    Descriptor fd = open_descriptor(path, O_WRONLY | O_APPEND | (create ? O_CREAT : 0), 0600);
    if (!fd.valid()) return errno_error("cannot open for writing", path);
    return std::unique_ptr<AppendFile>(std::make_unique<PosixAppendFile>(std::move(fd), path));
  }

  Result<std::string> read(const std::string& path, std::uint64_t bytes_max) override {
    const Descriptor fd = open_descriptor(path, O_RDONLY);
    if (!fd.valid()) return errno_error("cannot open for reading", path);
    std::string bytes;
    auto done = read_descriptor(fd.get(), path, [&](std::string_view part) {
      if (bytes.size() + part.size() > bytes_max) return false;
      bytes.append(part);
      return true;
    });
    if (!done) return done.error();
    if (!done.value()) {
      return Error{"is larger than the limit of " + std::to_string(bytes_max) + " bytes", path, ""};
    }
    return bytes;
  }

  Result<void> read_parts(const std::string& path,
                          const std::function<void(std::string_view)>& take) override {
    const Descriptor fd = open_descriptor(path, O_RDONLY);
    if (!fd.valid()) return errno_error("cannot open for reading", path);
    auto done = read_descriptor(fd.get(), path, [&](std::string_view part) {
      take(part);
      return true;
    });
    if (!done) return done.error();
    return {};
  }

  Result<void> truncate(const std::string& path, std::uint64_t size_bytes) override {
    const Descriptor fd = open_descriptor(path, O_WRONLY);
    if (!fd.valid()) return errno_error("cannot open for writing", path);
    const auto size = static_cast<off_t>(size_bytes);
    if (retry_interrupted([&] { return ::ftruncate(fd.get(), size); }) != 0) {
      return errno_error("cannot cut", path);
    }
    return sync_descriptor(fd.get(), "cannot sync", path, false);
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return errno_error("cannot rename to " + to, from);
    return {};
  }

  Result<void> sync_directory(const std::string& path) override {
    const Descriptor fd = open_descriptor(path, O_RDONLY | O_DIRECTORY);
    if (!fd.valid()) return errno_error("cannot open the directory", path);
    return sync_descriptor(fd.get(), "cannot sync the directory", path, false);
  }

  Result<void> remove(const std::string& path) override {
    if (::remove(path.c_str()) != 0 && errno != ENOENT) return errno_error("cannot remove", path);
    return {};
  }

  Result<void> create_directories(const std::string& path) override {
    std::error_code code;
    std::filesystem::create_directories(path, code);
    if (code) return Error{"cannot create the directory: " + code.message(), path, ""};
    return {};
  }

  /// Not std::filesystem, which asks the disk about each entry once more.
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override {
    const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
    if (!directory) return errno_error("cannot list the directory", path);
    std::vector<DirectoryEntry> entries;
    while (true) {
      errno = 0;
      // The stream is this call's own.
      const dirent* entry = ::readdir(directory.get());  // NOLINT(concurrency-mt-unsafe)
      if (entry == nullptr) break;
      std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      FileInfo::Kind kind = kind_of_entry(entry->d_type);
      if (entry->d_type == DT_UNKNOWN) {
        const auto info = stat(std::string(path).append("/").append(name));
        if (!info) continue;  // a name that vanished between the two calls is not an entry
        kind = info.value().kind;
      }
      entries.push_back({std::move(name), kind});
    }
    if (errno != 0) return errno_error("cannot list the directory", path);
    std::sort(entries.begin(), entries.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    return entries;
  }

  Result<void> copy_mode(const std::string& from, const std::string& to) override {
    struct stat raw {};
    if (::stat(from.c_str(), &raw) != 0) return errno_error("cannot look at", from);
    if (::chmod(to.c_str(), raw.st_mode & 07777U) != 0)
      return errno_error("cannot set the permissions of", to);
    return {};
  }

  Result<FileInfo> stat(const std::string& path) override {
    struct stat raw {};
    if (::lstat(path.c_str(), &raw) != 0) return errno_error("cannot look at", path);
    FileInfo info;
    info.kind = kind_of(raw.st_mode);
    info.size_bytes = static_cast<std::uint64_t>(raw.st_size);
    info.modified_ns = std::int64_t{raw.st_mtim.tv_sec} * 1'000'000'000 + raw.st_mtim.tv_nsec;
    info.file_id = raw.st_ino;
    return info;
  }

  bool exists(const std::string& path) override {
    struct stat raw {};
    return ::lstat(path.c_str(), &raw) == 0;
  }

  Result<std::string> canonical(const std::string& path) override {
    char* const resolved = ::realpath(path.c_str(), nullptr);
    if (resolved == nullptr) return errno_error("cannot resolve", path);
    std::string result(resolved);
    ::free(resolved);
    return result;
  }

  Result<std::unique_ptr<DirectoryLock>> lock(const std::string& path) override {
    return DirectoryLock::acquire(path);
  }

  std::string temporary_name(const std::string& path) override {
    static std::atomic<std::uint64_t> counter{0};
    return path + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter.fetch_add(1));
  }
};

}  // namespace

FileSystem& posix_file_system() {
  static PosixFileSystem* const fs = new PosixFileSystem;  // leaked: threads may outlive statics
  return *fs;
}

}  // namespace orchestrator::os
