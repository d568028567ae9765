#include "os/content_hash.h"

#include <blake2.h>

#include <array>

namespace orchestrator::os {
namespace {

constexpr std::size_t kDigestBytes = 32;

class Blake2b {
 public:
  Blake2b() { blake2b_init(&state_, kDigestBytes); }
  void update(std::string_view bytes) {
    blake2b_update(&state_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
  std::string hex() {
    std::array<std::uint8_t, kDigestBytes> digest{};
    blake2b_final(&state_, digest.data(), digest.size());
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * digest.size());
    for (const std::uint8_t byte : digest) {
      text.push_back(kDigits[byte >> 4U]);
      text.push_back(kDigits[byte & 15U]);
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

base::Result<std::string> content_hash_of_file(FileSystem& fs, const std::string& path) {
  Blake2b hash;
  const auto done = fs.read_parts(path, [&](std::string_view part) { hash.update(part); });
  if (!done) return done.error();
  return hash.hex();
}

}  // namespace orchestrator::os
