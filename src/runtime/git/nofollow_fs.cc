#include "runtime/git/nofollow_fs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace orchestrator::runtime {
namespace {

namespace files = std::filesystem;
using base::Error;
using base::Result;

}  // namespace

bool FileStamp::is_directory() const { return exists && S_ISDIR(mode); }

FileStamp stamp_at(int directory, const std::string& name) {
  struct stat info {};
  if (fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return {};
  return {true,         info.st_mode,
          info.st_dev,  info.st_ino,
          info.st_size, std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

Descriptor::Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

Descriptor Descriptor::enter(const std::string& name, bool make) const {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int fd = openat(fd_, name.c_str(), kFlags);
  if (fd < 0 && errno == ENOENT && make && mkdirat(fd_, name.c_str(), 0777) == 0)
    fd = openat(fd_, name.c_str(), kFlags);
  return Descriptor(fd);
}

Descriptor parent_of(const std::string& root, const std::string& path, bool make,
                     std::string& leaf) {
  Descriptor at(open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::size_t from = 0;
  for (std::size_t slash = path.find('/'); at.ok() && slash != std::string::npos;
       slash = path.find('/', from)) {
    at = at.enter(path.substr(from, slash - from), make);
    from = slash + 1;
  }
  leaf = path.substr(from);
  return at;
}

bool is_real_directory(const std::string& path) {
  std::error_code error;
  return files::symlink_status(path, error).type() == files::file_type::directory;
}

std::string take_away(const std::string& root, std::string path, const FileStamp& before) {
  std::string leaf;
  const Descriptor parent = parent_of(root, path, false, leaf);
  if (!parent.ok()) return errno == ENOENT ? "" : "a part of its path is no directory any more";
  if (stamp_at(parent.get(), leaf) != before) return "it has just been changed";
  if (unlinkat(parent.get(), leaf.c_str(), 0) != 0 && errno != ENOENT)
    return std::generic_category().message(errno);
  for (std::size_t slash = path.rfind('/'); slash != std::string::npos; slash = path.rfind('/')) {
    path.resize(slash);
    const Descriptor above = parent_of(root, path, false, leaf);
    if (!above.ok() || unlinkat(above.get(), leaf.c_str(), AT_REMOVEDIR) != 0) break;
  }
  return "";
}

std::string put(const std::string& staged, const std::string& root, const std::string& path,
                const FileStamp& before, bool executable) {
  struct stat fresh {};
  if (lstat(staged.c_str(), &fresh) != 0) return "git did not write it";
  std::string leaf;
  const Descriptor parent = parent_of(root, path, true, leaf);
  if (!parent.ok()) {
    return errno == ELOOP || errno == ENOTDIR ? "a part of its path is no directory"
                                              : std::generic_category().message(errno);
  }
  const FileStamp now = stamp_at(parent.get(), leaf);
  if (now.is_directory()) {
    if (unlinkat(parent.get(), leaf.c_str(), AT_REMOVEDIR) != 0)
      return "a directory with other files is there";
  } else if (before.is_directory() ? now.exists : now != before) {
    return "it has just been changed";
  }
  if (S_ISREG(fresh.st_mode) && before.exists && S_ISREG(before.mode)) {
    mode_t mode = before.mode & 0666U;
    if (executable) mode |= (mode & 0444U) >> 2U;
    if (chmod(staged.c_str(), mode) != 0) return std::generic_category().message(errno);
  }
  if (renameat(AT_FDCWD, staged.c_str(), parent.get(), leaf.c_str()) != 0)
    return std::generic_category().message(errno);
  return "";
}

Result<void> remove_tree(const std::string& path) {
  std::error_code error;
  for (int attempt = 0; attempt < 3; ++attempt) {
    files::remove_all(path, error);
    if (!error) return {};
    if (!is_real_directory(path)) break;
    using Options = files::directory_options;
    std::error_code ignored;
    files::permissions(path, files::perms::owner_all, files::perm_options::add, ignored);
    files::recursive_directory_iterator it(path, Options::skip_permission_denied, ignored);
    for (int steps = 0; !ignored && it != files::recursive_directory_iterator(); ++steps) {
      std::error_code of_entry;
      if (it->symlink_status(of_entry).type() == files::file_type::directory)
        files::permissions(it->path(), files::perms::owner_all, files::perm_options::add, of_entry);
      it.increment(ignored);
    }
  }
  return Error{error.message(), path, "remove it by hand"};
}

}  // namespace orchestrator::runtime
