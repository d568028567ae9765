#include "core/state/path_claims.h"

#include <algorithm>
#include <string_view>

namespace orchestrator::core {
namespace {

constexpr std::size_t kGlobBytesMax = 1024;
constexpr std::size_t kChoicesMax = 64;
constexpr const char* kWildcards = "*?{[";

bool has_wildcard(const std::string& glob) {
  return glob.find_first_of(kWildcards) != std::string::npos;
}

/// The part of a glob before its first wildcard.
std::string_view literal_prefix(const std::string& glob) {
  return std::string_view(glob).substr(0, glob.find_first_of(kWildcards));
}

// ---- choices ------------------------------------------------------------------------------------

/// The brace that closes the one at `open`, or npos.
std::size_t closing_brace(const std::string& glob, std::size_t open) {
  std::size_t depth = 0;
  for (std::size_t i = open; i < glob.size(); ++i) {
    if (glob[i] == '{') ++depth;
    if (glob[i] == '}' && --depth == 0) return i;
  }
  return std::string::npos;
}

/// `a{b,c}d` -> `abd`, `acd`. False when there are too many.
bool expand_choices(const std::string& glob, std::vector<std::string>& out) {
  std::size_t open = glob.find('{');
  std::size_t close = std::string::npos;
  while (open != std::string::npos) {
    close = closing_brace(glob, open);
    if (close != std::string::npos) break;
    open = glob.find('{', open + 1);  // an unclosed brace is an ordinary character
  }
  if (open == std::string::npos) {
    out.push_back(glob);
    return out.size() <= kChoicesMax;
  }
  std::size_t depth = 0;
  std::size_t start = open + 1;
  for (std::size_t i = start; i <= close; ++i) {
    if (i == close || (glob[i] == ',' && depth == 0)) {
      const std::string one =
          glob.substr(0, open) + glob.substr(start, i - start) + glob.substr(close + 1);
      if (!expand_choices(one, out)) return false;
      start = i + 1;
    } else if (glob[i] == '{') {
      ++depth;
    } else if (glob[i] == '}') {
      --depth;
    }
  }
  return true;
}

// ---- matching -----------------------------------------------------------------------------------

/// Whether the class at `glob[i]`, e.g. `[a-z]`, contains `c`; moves `i` behind the class. A class
/// without an end is a plain `[`.
bool class_matches(std::string_view glob, std::size_t& i, char c) {
  std::size_t at = i + 1;
  const bool negated = at < glob.size() && (glob[at] == '!' || glob[at] == '^');
  if (negated) ++at;
  const std::size_t end = glob.find(']', at + 1);
  if (end == std::string_view::npos) {
    ++i;
    return c == '[';
  }
  bool found = false;
  for (; at < end; ++at) {
    if (at + 2 < end && glob[at + 1] == '-') {
      found = found || (glob[at] <= c && c <= glob[at + 2]);
      at += 2;
    } else {
      found = found || glob[at] == c;
    }
  }
  i = end + 1;
  return found != negated && c != '/';
}

/// Positions of the path up to which a glob's beginning can match. All are followed at once, so
/// matching takes no backtracking.
using Reached = std::vector<bool>;

Reached after_star(const Reached& before, std::string_view path, bool over_parts) {
  Reached after = before;
  for (std::size_t p = 0; p < path.size(); ++p) {
    if (after[p] && (over_parts || path[p] != '/')) after[p + 1] = true;
  }
  return after;
}

/// `**/`: here, or after any `/` to the right of here.
Reached after_any_parts(const Reached& before, std::string_view path) {
  Reached after = before;
  bool passed = false;
  for (std::size_t p = 0; p < path.size(); ++p) {
    passed = passed || before[p];
    if (passed && path[p] == '/') after[p + 1] = true;
  }
  return after;
}

bool one_matches(std::string_view glob, std::string_view path) {
  Reached reached(path.size() + 1, false);
  reached[0] = true;
  for (std::size_t i = 0; i < glob.size();) {
    if (glob.substr(i, 3) == "**/" && (i == 0 || glob[i - 1] == '/')) {
      reached = after_any_parts(reached, path);
      i += 3;
    } else if (glob[i] == '*') {
      const bool over_parts = glob.substr(i, 2) == "**";
      reached = after_star(reached, path, over_parts);
      i += over_parts ? 2 : 1;
    } else {
      Reached next(path.size() + 1, false);
      std::size_t after = i + 1;
      for (std::size_t p = 0; p < path.size(); ++p) {
        if (!reached[p]) continue;
        after = i + 1;
        if (glob[i] == '[') {
          after = i;
          next[p + 1] = class_matches(glob, after, path[p]);
        } else {
          next[p + 1] = glob[i] == path[p] || (glob[i] == '?' && path[p] != '/');
        }
      }
      if (std::ranges::find(next, true) == next.end()) return false;
      reached = std::move(next);
      i = after;
    }
  }
  return reached[path.size()];
}

// ---- overlaps -----------------------------------------------------------------------------------

bool is_below(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.starts_with(directory) &&
         path[directory.size()] == '/';
}

std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    parts.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

/// Whether a glob without choices can name something below a directory.
bool reaches_below(std::string_view glob, std::string_view directory) {
  const auto pattern = parts_of(glob);
  const auto parts = parts_of(directory);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i >= pattern.size()) return false;
    if (pattern[i].find("**") != std::string_view::npos) return true;
    if (!one_matches(pattern[i], parts[i])) return false;
  }
  return pattern.size() > parts.size();
}

bool glob_meets_path(const std::string& glob, const std::string& path) {
  if (is_below(literal_prefix(glob), path)) return true;
  std::vector<std::string> choices;
  if (glob.size() > kGlobBytesMax || !expand_choices(glob, choices)) {
    return path.starts_with(literal_prefix(glob));
  }
  // A last component without a dot may be a directory.
  const bool may_be_directory = path.find('.', path.rfind('/') + 1) == std::string::npos;
  return std::ranges::any_of(choices, [&](const std::string& one) {
    return one_matches(one, path) || (may_be_directory && reaches_below(one, path));
  });
}

bool globs_overlap(const std::string& a, const std::string& b) {
  if (a == b || is_below(a, b) || is_below(b, a)) return true;
  const bool wild_a = has_wildcard(a);
  const bool wild_b = has_wildcard(b);
  if (wild_a && wild_b) {
    return literal_prefix(a).starts_with(literal_prefix(b)) ||
           literal_prefix(b).starts_with(literal_prefix(a));
  }
  return (wild_a && glob_meets_path(a, b)) || (wild_b && glob_meets_path(b, a));
}

}  // namespace

bool is_reserved_path(const std::string& path) {
  const auto is_or_holds = [&](std::string_view reserved) {
    return path == reserved || (path.starts_with(reserved) && path.size() > reserved.size() &&
                                (path[reserved.size()] == '/' || path[reserved.size()] == '.'));
  };
  return path == ".git" || path.starts_with(".git/") || path == ".opencode/orchestrator" ||
         path.starts_with(".opencode/orchestrator/") || is_or_holds(".opencode/todo.md") ||
         is_or_holds(".opencode/mission_loop.json");
}

bool glob_matches(const std::string& glob, const std::string& path) {
  if (glob == path) return true;
  if (!has_wildcard(glob) || glob.size() > kGlobBytesMax) return false;
  std::vector<std::string> choices;
  if (!expand_choices(glob, choices)) return false;
  return std::ranges::any_of(choices,
                             [&](const std::string& one) { return one_matches(one, path); });
}

bool claims_overlap(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::ranges::any_of(a, [&](const std::string& x) {
    return std::ranges::any_of(b, [&](const std::string& y) { return globs_overlap(x, y); });
  });
}

bool claims_overlap(const Task& a, const Task& b) {
  return claims_overlap(a.files, b.files) || claims_overlap(a.files, b.progress.touched) ||
         claims_overlap(a.progress.touched, b.files) ||
         claims_overlap(a.progress.touched, b.progress.touched);
}

bool claims(const Task& task, const std::string& path) {
  const auto names = [&](const std::string& glob) { return globs_overlap(glob, path); };
  return std::ranges::any_of(task.files, names) ||
         std::ranges::any_of(task.progress.touched, names);
}

}  // namespace orchestrator::core
