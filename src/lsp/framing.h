#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// The framing of messages: `Content-Length: N`, CR LF, an empty line, N bytes.
namespace orchestrator::lsp {

/// The bytes of one message to a server.
[[nodiscard]] std::string frame(std::string_view body);

/// Splits a stream of bytes into messages. After the first fault it returns nothing more: without a
/// trusted length no later byte has a meaning.
class FrameReader {
 public:
  static constexpr std::size_t kBodyBytesMax = std::size_t{16} << 20U;
  static constexpr std::size_t kHeaderBytesMax = 4096;

  void push(std::string_view bytes);
  /// The body of the next whole message, or nothing yet.
  [[nodiscard]] std::optional<std::string> next();
  /// The fault in the stream; empty: none so far.
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  bool read_header();
  bool read_line(std::string_view line);

  std::string buffer_;
  std::size_t begin_ = 0;            // what lies before it in the buffer is used up
  std::optional<std::size_t> body_;  // the length of the body that begins at `begin_`
  std::string fault_;
};

}  // namespace orchestrator::lsp
