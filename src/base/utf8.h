#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// UTF-8 as in RFC 3629: shortest forms only, no surrogates, nothing above U+10FFFF.
namespace orchestrator::base {

/// U+FFFD, which replaces invalid bytes.
inline constexpr std::string_view kUtf8Replacement = "\xEF\xBF\xBD";

/// Length in bytes of the sequence that begins at `at` (inside of the text); 0: invalid.
[[nodiscard]] std::size_t utf8_length(std::string_view text, std::size_t at);
[[nodiscard]] bool is_utf8(std::string_view text);
/// The text with each invalid byte replaced by U+FFFD.
[[nodiscard]] std::string as_utf8(std::string_view bytes);

}  // namespace orchestrator::base
