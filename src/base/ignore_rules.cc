#include "base/ignore_rules.h"

#include <algorithm>
#include <utility>

namespace orchestrator::base {
namespace {

constexpr std::size_t kRulesMax = 10'000;
constexpr std::size_t kPatternMax = 1'000;

/// Reads one element of a pattern at `at` and moves `at` behind it. True if the element matches
/// `c`.
bool element_takes(std::string_view pattern, std::size_t& at, char c) {
  const char p = pattern[at];
  if (p == '?') {
    ++at;
    return c != '/';
  }
  if (p == '\\' && at + 1 < pattern.size()) {
    at += 2;
    return pattern[at - 1] == c;
  }
  if (p == '[') {
    std::size_t i = at + 1;
    const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
    if (negated) ++i;
    const std::size_t first = i;
    bool found = false;
    for (; i < pattern.size() && (pattern[i] != ']' || i == first); ++i) {
      if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
      if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
        found = found || (pattern[i] <= c && c <= pattern[i + 2]);
        i += 2;
      } else {
        found = found || pattern[i] == c;
      }
    }
    if (i < pattern.size()) {
      at = i + 1;
      return found != negated && c != '/';
    }
  }
  ++at;
  return p == c;
}

}  // namespace

/// Two places to go back to, the last `*` and the last `**`: a star takes one byte more when what
/// follows it does not match. Going back to an earlier star of the same kind is never needed.
bool wildcard_matches(std::string_view pattern, std::string_view path) {
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t p = 0;
  std::size_t at = 0;
  std::size_t star = kNone, star_at = 0;    // behind the last `*`, and what it took so far
  std::size_t stars = kNone, stars_at = 0;  // the same for `**`
  bool by_parts = false;                    // `**/`: it takes whole parts
  while (true) {
    if (p < pattern.size() && pattern.substr(p, 2) == "**") {
      const bool first = p == 0 || pattern[p - 1] == '/';
      p += 2;
      while (p < pattern.size() && pattern[p] == '*') ++p;
      by_parts = first && p < pattern.size() && pattern[p] == '/';
      if (by_parts) ++p;
      stars = p;
      stars_at = at;
      star = kNone;
      continue;
    }
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_at = at;
      continue;
    }
    if (at == path.size() && p == pattern.size()) return true;
    if (at < path.size() && p < pattern.size()) {
      std::size_t next = p;
      if (element_takes(pattern, next, path[at])) {
        p = next;
        ++at;
        continue;
      }
    }
    if (star != kNone && star_at < path.size() && path[star_at] != '/') {
      at = ++star_at;
      p = star;
      continue;
    }
    if (stars == kNone || stars_at >= path.size()) return false;
    if (by_parts) {
      const std::size_t slash = path.find('/', stars_at);
      if (slash == kNone) return false;
      stars_at = slash + 1;
    } else {
      ++stars_at;
    }
    at = stars_at;
    p = stars;
    star = kNone;
  }
}

std::shared_ptr<const IgnoreRules> IgnoreRules::read(std::string_view text, std::string directory,
                                                     std::shared_ptr<const IgnoreRules> outer) {
  auto made = std::make_shared<IgnoreRules>();
  made->directory_ = std::move(directory);
  made->outer_ = std::move(outer);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty() && made->rules_.size() < kRulesMax) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    while (line.ends_with(' ') && !line.ends_with("\\ ")) line.remove_suffix(1);
    if (line.empty() || line.front() == '#' || line.size() > kPatternMax) continue;
    Rule rule;
    rule.negated = line.front() == '!';
    if (rule.negated) line.remove_prefix(1);
    rule.directories_only = line.ends_with('/');
    if (rule.directories_only) line.remove_suffix(1);
    rule.whole_path = line.find('/') != std::string_view::npos;
    if (line.starts_with('/')) line.remove_prefix(1);
    if (line.empty()) continue;
    rule.pattern = line;
    made->rules_.push_back(std::move(rule));
  }
  return made;
}

bool IgnoreRules::ignores(std::string_view path, bool is_directory) const {
  for (const IgnoreRules* rules = this; rules != nullptr; rules = rules->outer_.get()) {
    const std::string_view inside = path.substr(std::min(rules->directory_.size(), path.size()));
    const std::string_view name = path.substr(path.rfind('/') + 1);
    for (auto rule = rules->rules_.rbegin(); rule != rules->rules_.rend(); ++rule) {
      if (rule->directories_only && !is_directory) continue;
      if (wildcard_matches(rule->pattern, rule->whole_path ? inside : name)) return !rule->negated;
    }
  }
  return false;
}

}  // namespace orchestrator::base
