// "Did you mean …?": the candidates closest to a word that does not exist.

#ifndef ORCHESTRATOR_BASE_NEAREST_H_
#define ORCHESTRATOR_BASE_NEAREST_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orchestrator::base {

/// Words longer than this are never compared (the cost is quadratic and the word may be hostile).
inline constexpr std::size_t kNearestLengthMax = 128;

/// Levenshtein distance in bytes: insertions, deletions, substitutions and swaps of neighbours
/// count one each. Letter case (ASCII) is ignored.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The closest candidate, if one is close enough to be a likely slip: at most a third of the longer
/// word differs, or one of both is a prefix (3 characters or more) of the other. Ties: the first.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 std::span<const std::string_view> candidates);

/// At most `count` candidates, closest first, however far they are; ties keep their order. For
/// lists of ids, where even a poor match helps. Empty for a word that is too long.
[[nodiscard]] std::vector<std::string> nearest_n(std::string_view word,
                                                 std::span<const std::string_view> candidates,
                                                 std::size_t count);

}  // namespace orchestrator::base

#endif  // ORCHESTRATOR_BASE_NEAREST_H_
