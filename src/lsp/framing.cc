#include "lsp/framing.h"

#include <algorithm>
#include <charconv>

namespace orchestrator::lsp {
namespace {

bool same_word(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(left, right, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string frame(std::string_view body) {
  std::string bytes = "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  return bytes.append(body);
}

void FrameReader::push(std::string_view bytes) {
  if (!fault_.empty()) return;
  // Drop used bytes only when they are most of the buffer, so that each byte moves about once.
  if (begin_ > buffer_.size() / 2) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  buffer_.append(bytes);
}

std::optional<std::string> FrameReader::next() {
  if (!fault_.empty() || (!body_ && !read_header())) return std::nullopt;
  if (buffer_.size() - begin_ < *body_) return std::nullopt;
  std::string body = buffer_.substr(begin_, *body_);
  begin_ += *body_;
  body_.reset();
  return body;
}

/// Takes the whole header, if it is there, and leaves `begin_` at the body.
bool FrameReader::read_header() {
  const std::string_view rest = std::string_view(buffer_).substr(begin_);
  const std::size_t end = rest.find("\r\n\r\n");
  if (end == std::string_view::npos || end > kHeaderBytesMax) {
    if (rest.size() > kHeaderBytesMax) {
      fault_ = "no end of a header within " + std::to_string(kHeaderBytesMax) + " bytes";
    }
    return false;
  }
  for (std::size_t from = 0; from < end;) {
    const std::size_t stop = std::min(rest.find("\r\n", from), end);
    if (!read_line(rest.substr(from, stop - from))) return false;
    from = stop + 2;
  }
  if (!body_) {
    fault_ = "a header without Content-Length";
    return false;
  }
  begin_ += end + 4;
  return true;
}

bool FrameReader::read_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    fault_ = "a header line without a colon";
    return false;
  }
  if (!same_word(trimmed(line.substr(0, colon)), "Content-Length")) return true;
  const std::string_view digits = trimmed(line.substr(colon + 1));
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    fault_ = "a Content-Length that is no number";
  } else if (length > kBodyBytesMax) {
    fault_ = "a message of " + std::to_string(length) + " bytes, over the limit of " +
             std::to_string(kBodyBytesMax);
  }
  body_ = length;
  return fault_.empty();
}

}  // namespace orchestrator::lsp
