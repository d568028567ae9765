#include "base/nearest.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace orchestrator::base {
namespace {

constexpr std::size_t kPrefixMin = 3;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_prefix(std::string_view a, std::string_view b) {
  const std::size_t length = std::min(a.size(), b.size());
  if (length < kPrefixMin) return false;
  for (std::size_t i = 0; i < length; ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

bool too_long(std::string_view word) { return word.size() > kNearestLengthMax; }

struct Scored {
  std::size_t distance;
  std::string_view word;
};

std::vector<Scored> score(std::string_view word, std::span<const std::string_view> candidates) {
  std::vector<Scored> scored;
  if (too_long(word)) return scored;
  scored.reserve(candidates.size());
  for (std::string_view candidate : candidates) {
    if (!too_long(candidate)) scored.push_back({edit_distance(word, candidate), candidate});
  }
  return scored;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the table are enough: a swap looks back two.
  std::vector<std::size_t> before(b.size() + 1), previous(b.size() + 1), row(b.size() + 1);
  std::iota(previous.begin(), previous.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const char x = lower(a[i - 1]);
      const char y = lower(b[j - 1]);
      row[j] = std::min({previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (x == y ? 0U : 1U)});
      if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, previous);
    std::swap(previous, row);
  }
  return previous[b.size()];
}

std::optional<std::string> nearest(std::string_view word,
                                   std::span<const std::string_view> candidates) {
  const Scored* best = nullptr;
  const std::vector<Scored> scored = score(word, candidates);
  for (const Scored& entry : scored) {
    const std::size_t longer = std::max(word.size(), entry.word.size());
    const std::size_t allowed = std::max<std::size_t>(1, longer / 3);
    const bool close =
        (entry.distance <= allowed && entry.distance < longer) || is_prefix(word, entry.word);
    if (close && (best == nullptr || entry.distance < best->distance)) best = &entry;
  }
  if (best == nullptr) return std::nullopt;
  return std::string(best->word);
}

std::vector<std::string> nearest_n(std::string_view word,
                                   std::span<const std::string_view> candidates,
                                   std::size_t count) {
  std::vector<Scored> scored = score(word, candidates);
  std::stable_sort(scored.begin(), scored.end(),
                   [](const Scored& a, const Scored& b) { return a.distance < b.distance; });
  if (scored.size() > count) scored.resize(count);
  std::vector<std::string> words;
  words.reserve(scored.size());
  for (const Scored& entry : scored) words.emplace_back(entry.word);
  return words;
}

}  // namespace orchestrator::base
