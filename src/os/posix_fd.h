#pragma once

#include <cerrno>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace orchestrator::os {

/// A file descriptor that closes itself. Private to src/os.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();

  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_ = -1;
};

/// open(2) with O_CLOEXEC, again after EINTR. Invalid on failure, errno set.
Descriptor open_descriptor(const std::string& path, int flags, unsigned mode = 0);

/// Feeds the content to `take` in parts until it answers false. True: the end was reached.
base::Result<bool> read_descriptor(int fd, const std::string& path,
                                   const std::function<bool(std::string_view)>& take);

/// An Error from errno: "<action>: <errno's text>", at `path`, with a fix for the common causes.
base::Error errno_error(const std::string& action, const std::string& path);

/// Calls again as long as the call says EINTR.
template <class Call>
auto retry_interrupted(Call call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace orchestrator::os
