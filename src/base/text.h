// Texts for people and models: cut, joined, listed. UTF-8 throughout; no function allocates more
// than its result.

#ifndef ORCHESTRATOR_BASE_TEXT_H_
#define ORCHESTRATOR_BASE_TEXT_H_

#include <cstddef>
#include <string>
#include <vector>

namespace orchestrator::base {

/// `text` without spaces, tabs and line ends at both ends.
[[nodiscard]] std::string trimmed(const std::string& text);
/// At most `bytes_max` bytes, cut at the edge of a character, with "…" where something was cut.
[[nodiscard]] std::string clip(const std::string& text, std::size_t bytes_max);
/// The first line of `text`, clipped to `bytes_max` bytes.
[[nodiscard]] std::string first_line(const std::string& text, std::size_t bytes_max);
/// `text` in one line: control characters become spaces, and the ends are trimmed.
[[nodiscard]] std::string one_line(std::string text);
/// "a, b, c"
[[nodiscard]] std::string joined(const std::vector<std::string>& items);
/// `head`, then "\n- item" for each item.
[[nodiscard]] std::string listed(std::string head, const std::vector<std::string>& items);
/// Moves all of `more` to the end of `items`.
void append(std::vector<std::string>& items, std::vector<std::string> more);

}  // namespace orchestrator::base

#endif  // ORCHESTRATOR_BASE_TEXT_H_
