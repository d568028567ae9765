#include "lsp/compare.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace orchestrator::lsp {
namespace {

using codec::ServerDiagnostic;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    lines.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return lines;
}

std::string_view line_of(const std::vector<std::string_view>& lines,
                         const ServerDiagnostic& found) {
  if (found.line >= lines.size()) return "";
  std::string_view line = lines[found.line];
  const std::size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
  const std::size_t end = line.find_last_not_of(" \t\r");
  return end == std::string_view::npos ? "" : line.substr(begin, end + 1 - begin);
}

using Key = std::pair<std::string_view, std::string_view>;  // code, message

}  // namespace

Diagnostics new_errors(const Diagnostics& now, std::string_view text, const Diagnostics& before,
                       std::string_view text_before) {
  const auto lines_before = lines_of(text_before);
  std::map<Key, std::vector<std::string_view>> old_places;
  for (const ServerDiagnostic& found : before) {
    if (found.severity == ServerDiagnostic::Severity::error)
      old_places[{found.code, found.message}].push_back(line_of(lines_before, found));
  }
  const auto lines = lines_of(text);
  std::vector<const ServerDiagnostic*> unmatched;
  for (const ServerDiagnostic& found : now) {
    if (found.severity != ServerDiagnostic::Severity::error) continue;
    auto& places = old_places[{found.code, found.message}];
    const auto same = std::ranges::find(places, line_of(lines, found));
    if (same == places.end()) {
      unmatched.push_back(&found);
    } else {
      places.erase(same);
    }
  }
  // An old error in a rewritten line is not new.
  Diagnostics added;
  for (const ServerDiagnostic* found : unmatched) {
    auto& places = old_places[{found->code, found->message}];
    if (places.empty()) {
      added.push_back(*found);
    } else {
      places.pop_back();
    }
  }
  return added;
}

}  // namespace orchestrator::lsp
