#include "syntax/rewrite.h"

#include <algorithm>
#include <utility>

#include "syntax/check.h"

namespace orchestrator::syntax {
namespace {

constexpr std::size_t kResultBytesMax = std::size_t{16} << 20U;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// The white space with which the line of a byte begins.
std::string_view indent_at(std::string_view text, std::size_t at) {
  const std::size_t line = text.substr(0, at).rfind('\n');
  const std::size_t begin = line == std::string_view::npos ? 0 : line + 1;
  std::size_t end = begin;
  while (end < at && is_blank(text[end])) ++end;
  return text.substr(begin, end - begin);
}

/// Adds lines, those after the first moved from one indentation to another. A line that does not
/// have the old one (inside a multi-line string, say) keeps its indentation.
void add_moved(std::string& out, std::string_view lines, std::string_view from,
               std::string_view to) {
  if (from == to) {
    out += lines;
    return;
  }
  for (std::size_t begin = 0;;) {
    const std::size_t end = lines.find('\n', begin);
    if (end == std::string_view::npos) {
      out += lines.substr(begin);
      return;
    }
    out += lines.substr(begin, end + 1 - begin);
    begin = end + 1;
    const std::string_view rest = lines.substr(begin);
    const bool empty = rest.empty() || rest.front() == '\n' || rest.front() == '\r';
    if (!empty && rest.starts_with(from)) {
      out += to;
      begin += from.size();
    }
  }
}

}  // namespace

base::Result<Rewrite> Rewrite::compile(const Pattern& pattern, std::string_view rewrite) {
  if (rewrite.size() > kPatternBytesMax) {
    return base::Error{"it has more than " + std::to_string(kPatternBytesMax) + " bytes", "rewrite",
                       "replace in smaller steps"};
  }
  if (rewrite.find('\0') != std::string_view::npos)
    return base::Error{"it holds a zero byte", "rewrite", ""};
  Rewrite out;
  std::size_t done = 0;
  std::string unknown;
  for (const Variable& variable : variables_in(rewrite)) {
    const bool known = std::ranges::find(pattern.names, variable.name) != pattern.names.end();
    if (!known) {
      unknown += (unknown.empty() ? "" : ", ");
      unknown += rewrite.substr(variable.begin, variable.end - variable.begin);
      continue;
    }
    Piece piece;
    piece.text = rewrite.substr(done, variable.begin - done);
    piece.name = variable.name;
    piece.indent = indent_at(rewrite, variable.begin).size();
    out.pieces_.push_back(std::move(piece));
    done = variable.end;
  }
  if (!unknown.empty()) {
    std::string has;
    for (const std::string& name : pattern.names) has += (has.empty() ? "$" : ", $") + name;
    return base::Error{"the pattern has no " + unknown, "rewrite",
                       has.empty() ? "it has no named metavariable" : "it has " + has};
  }
  out.pieces_.push_back({std::string(rewrite.substr(done)), "", 0});
  return out;
}

std::string Rewrite::expand(std::string_view text, const Found& found) const {
  const std::string_view here = indent_at(text, found.span.begin);
  std::string out;
  for (const Piece& piece : pieces_) {
    add_moved(out, piece.text, "", here);
    if (piece.name.empty() || out.size() > kResultBytesMax) continue;
    const auto capture = std::ranges::find(found.captures, piece.name, &Found::Capture::name);
    if (capture == found.captures.end()) continue;
    const Span span = capture->span;
    const std::string to = std::string(here) + std::string(piece.indent, ' ');
    add_moved(out, text.substr(span.begin, span.end - span.begin), indent_at(text, span.begin), to);
  }
  return out;
}

Rewrite::Result Rewrite::apply(std::string_view text, const std::vector<Found>& found) const {
  Result result;
  std::size_t done = 0;
  for (const Found& match : found) {
    if (match.span.begin < done) {
      ++result.nested;
      continue;
    }
    if (result.text.size() > kResultBytesMax) break;
    result.text += text.substr(done, match.span.begin - done);
    result.edits.push_back({match.span.begin, match.own_end, expand(text, match)});
    result.text += result.edits.back().text;
    done = match.own_end;
  }
  result.text += text.substr(done);
  return result;
}

Verdict judge_rewrite(Language language, std::string_view before, std::string_view after,
                      const Limits& limits) {
  Verdict verdict;
  verdict.before = check_syntax(language, before, limits);
  const ParseReport now = check_syntax(language, after, limits);
  const auto unknown = [&](const char* what, Skipped skipped) {
    verdict.why_not = std::string(what) + " cannot be checked: " + std::string(to_string(skipped));
    return verdict;
  };
  if (verdict.before.skipped != Skipped::no) return unknown("the file", verdict.before.skipped);
  if (now.skipped != Skipped::no) return unknown("the result", now.skipped);
  const std::vector<SyntaxError> fresh = new_errors(verdict.before, now);
  if (fresh.empty()) return verdict;
  verdict.why_not = "the result would not parse: " + to_string(fresh.front());
  if (fresh.size() > 1) verdict.why_not += " (and " + std::to_string(fresh.size() - 1) + " more)";
  return verdict;
}

}  // namespace orchestrator::syntax
