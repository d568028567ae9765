#include "os/content_hash.h"

#include <blake2.h>
#include <fcntl.h>

#include <array>

#include "os/posix_fd.h"

namespace orchestrator::os {
namespace {

constexpr size_t digest_bytes = 32;

class Blake2b {
 public:
  Blake2b() { blake2b_init(&state_, digest_bytes); }
  void update(std::string_view bytes) {
    blake2b_update(&state_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  }
  std::string hex() {
    std::array<uint8_t, digest_bytes> digest{};
    blake2b_final(&state_, digest.data(), digest.size());
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * digest.size());
    for (const uint8_t byte : digest) {
      text.push_back(digits[byte >> 4U]);
      text.push_back(digits[byte & 15U]);
    }
    return text;
  }

 private:
  blake2b_state state_{};
};

}  // namespace

std::string content_hash(std::string_view bytes) {
  Blake2b hash;
  hash.update(bytes);
  return hash.hex();
}

base::Result<std::string> content_hash_of_file(const std::string& path) {
  const Descriptor fd = open_descriptor(path, O_RDONLY);
  if (!fd.valid()) return errno_error("cannot open for reading", path);
  Blake2b hash;
  auto done = read_descriptor(fd.get(), path, [&](std::string_view part) {
    hash.update(part);
    return true;
  });
  if (!done) return done.error();
  return hash.hex();
}

}  // namespace orchestrator::os
