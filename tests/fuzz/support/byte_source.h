#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace orchestrator::fuzz {

/// Turns a fuzzer's bytes into decisions, front to back. Behind the end everything is 0, so that
/// every input means something and a longer one begins like a shorter one.
class ByteSource {
 public:
  ByteSource(const std::uint8_t* data, std::size_t size)
      : bytes_(reinterpret_cast<const char*>(data), size) {}

  [[nodiscard]] bool empty() const { return bytes_.empty(); }

  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return value;
  }

  /// 0 … below - 1.
  std::uint32_t pick(std::uint32_t below) { return below == 0 ? 0 : byte() % below; }
  bool flag() { return pick(2) == 1; }

  std::uint64_t number(int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value = value << 8U | byte();
    return value;
  }

  /// A length byte and so many bytes.
  std::string_view text() {
    const std::size_t length = byte();
    const std::string_view taken = bytes_.substr(0, length);
    bytes_.remove_prefix(taken.size());
    return taken;
  }

  /// The same as UTF-8: a byte becomes the character of that number.
  std::string utf8() {
    std::string out;
    for (const char c : text()) {
      const auto code = static_cast<unsigned char>(c);
      if (code < 0x80) {
        out += c;
      } else {
        out += static_cast<char>(0xC0U | code >> 6U);
        out += static_cast<char>(0x80U | (code & 0x3FU));
      }
    }
    return out;
  }

  /// Whatever is left.
  std::string_view rest() {
    const std::string_view taken = bytes_;
    bytes_ = {};
    return taken;
  }

 private:
  std::string_view bytes_;
};

}  // namespace orchestrator::fuzz
