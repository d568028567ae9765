#include "os/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "os/posix_fd.h"

namespace orchestrator::os {
namespace {

class FlockLock final : public DirectoryLock {
 public:
  FlockLock(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  [[nodiscard]] bool is_seen() const override {
    struct stat held {};
    struct stat named {};
    return ::fstat(fd_.get(), &held) == 0 && ::stat(path_.c_str(), &named) == 0 &&
           held.st_dev == named.st_dev && held.st_ino == named.st_ino;
  }

 private:
  Descriptor fd_;
  std::string path_;
};

/// The holder writes its process id into the file, for people; the lock itself is the kernel's.
std::string holder_of(int fd, const std::string& path) {
  std::string text;
  const auto done = read_descriptor(fd, path, [&](std::string_view part) {
    text.append(part.substr(0, 32));
    return text.size() < 32;
  });
  while (!text.empty() && (text.back() < '0' || text.back() > '9')) text.pop_back();
  return done && !text.empty() ? "process " + text : "another process";
}

}  // namespace

base::Result<std::unique_ptr<DirectoryLock>> DirectoryLock::acquire(const std::string& path) {
  Descriptor fd = open_descriptor(path, O_RDWR | O_CREAT, 0600);
  if (!fd.valid()) return errno_error("cannot open the lock file", path);
  if (retry_interrupted([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
    if (errno != EWOULDBLOCK) return errno_error("cannot lock", path);
    return base::Error{"is in use by " + holder_of(fd.get(), path), path,
                       "end that program, or work in another directory"};
  }
  const std::string note = std::to_string(::getpid()) + "\n";
  // The process id is only for people: the lock holds even if it could not be written.
  if (::ftruncate(fd.get(), 0) == 0) {
    [[maybe_unused]] const ssize_t count = ::write(fd.get(), note.data(), note.size());
  }
  return std::unique_ptr<DirectoryLock>(std::make_unique<FlockLock>(std::move(fd), path));
}

}  // namespace orchestrator::os
