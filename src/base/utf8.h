#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// UTF-8 as RFC 3629 has it: shortest forms only, no surrogates, nothing above U+10FFFF.
namespace orchestrator::base {

/// U+FFFD, for what is none.
inline constexpr std::string_view kUtf8Replacement = "\xEF\xBF\xBD";

/// Bytes of the sequence that begins at `at`, which is inside of the text; 0: none does.
[[nodiscard]] std::size_t utf8_length(std::string_view text, std::size_t at);
[[nodiscard]] bool is_utf8(std::string_view text);
/// The text with each byte that is no part of a sequence replaced by U+FFFD.
[[nodiscard]] std::string as_utf8(std::string_view bytes);

}  // namespace orchestrator::base
