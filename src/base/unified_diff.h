#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace orchestrator::base {

/// A replaced part of a text.
struct Edit {
  std::size_t begin = 0;  ///< bytes of the old text
  std::size_t end = 0;
  std::string text;  ///< the new text of the range
};

/// The unified diff of a text and its edits (in order, not touching one another), with three lines
/// around each change: no search for what changed, since that is known. Empty without a change. A
/// last line without an end is marked as usual.
[[nodiscard]] std::string unified_diff(std::string_view path, std::string_view before,
                                       const std::vector<Edit>& edits);

}  // namespace orchestrator::base
