#include "os/posix_fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <system_error>

namespace orchestrator::os {

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Descriptor open_descriptor(const std::string& path, int flags, unsigned mode) {
  return Descriptor(
      retry_interrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); }));
}

base::Result<bool> read_descriptor(int fd, const std::string& path,
                                   const std::function<bool(std::string_view)>& take) {
  std::array<char, 64 * 1024> part;
  for (;;) {
    const ssize_t count = retry_interrupted([&] { return ::read(fd, part.data(), part.size()); });
    if (count < 0) return errno_error("cannot read", path);
    if (count == 0) return true;
    if (!take({part.data(), static_cast<std::size_t>(count)})) return false;
  }
}

base::Error errno_error(const std::string& action, const std::string& path) {
  const int code = errno;
  base::Error error{action + ": " + std::generic_category().message(code), path, ""};
  if (code == ENOSPC || code == EDQUOT) error.fix = "free some space on this disk";
  if (code == EACCES || code == EPERM) error.fix = "check the owner and the permissions";
  if (code == EROFS) error.fix = "the disk is mounted read-only";
  return error;
}

}  // namespace orchestrator::os
