#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// How messages lie in a server's output: `Content-Length: N`, CR LF, an empty line, N bytes.
namespace orchestrator::lsp {

/// The bytes of one message to a server.
[[nodiscard]] std::string frame(std::string_view body);

/// Cuts a stream of bytes, in whatever pieces it comes, into messages. After the first fault
/// nothing more comes out of it: where a length cannot be trusted, no later byte means anything.
class FrameReader {
 public:
  static constexpr std::size_t kBodyBytesMax = std::size_t{16} << 20U;
  static constexpr std::size_t kHeaderBytesMax = 4096;

  void push(std::string_view bytes);
  /// The body of the next whole message, or nothing yet.
  [[nodiscard]] std::optional<std::string> next();
  /// What is wrong with the stream; empty: nothing so far.
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
