#include "syntax/errors.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace orchestrator::syntax {
namespace {

constexpr std::size_t kLineMax = 120;  // bytes of a line that a report repeats
constexpr std::uint32_t kStepsPerClock = 4096;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// The line around a byte, without outer white space; of a long line the part around that byte.
std::string line_around(std::string_view text, std::size_t at) {
  at = std::min(at, text.size());
  std::size_t begin = at;
  while (begin > 0 && at - begin < kLineMax && text[begin - 1] != '\n') --begin;
  const bool far = begin > 0 && text[begin - 1] != '\n';
  if (far) begin = at - kLineMax / 2;
  while (begin < text.size() && is_continuation(text[begin])) ++begin;
  std::size_t end = begin;
  while (end < text.size() && text[end] != '\n' && end - begin < 2 * kLineMax) ++end;
  while (begin < end && is_space(text[begin])) ++begin;
  end = std::min(end, begin + kLineMax);
  while (end > begin && end < text.size() && is_continuation(text[end])) --end;
  while (end > begin && is_space(text[end - 1])) --end;
  return std::string(text.substr(begin, end - begin));
}

char closer_of(std::string_view token) {
  if (token == "(") return ')';
  if (token == "[") return ']';
  if (token == "{") return '}';
  return '\0';
}

struct Suspect {
  TSNode node;
  bool unclosed;
};

/// The place in an ERROR node that a report should name. The node begins where the parser last
/// understood something, often far above the mistake: its last unclosed bracket is better, or, if
/// the node has several lines, the token at its end.
Suspect suspect_of(TSNode error) {
  std::vector<std::pair<TSNode, char>> open;
  TSNode last = error;
  TSTreeCursor cursor = ts_tree_cursor_new(error);
  bool more = ts_tree_cursor_goto_first_child(&cursor);
  while (more) {
    last = ts_tree_cursor_current_node(&cursor);
    const std::string_view type = ts_node_is_named(last) ? "" : ts_node_type(last);
    if (const char closer = closer_of(type)) {
      open.emplace_back(last, closer);
    } else if (!open.empty() && type.size() == 1 && type[0] == open.back().second) {
      open.pop_back();
    }
    more = ts_tree_cursor_goto_next_sibling(&cursor);
  }
  ts_tree_cursor_delete(&cursor);
  if (!open.empty()) return {open.back().first, true};
  const bool lines = ts_node_start_point(error).row != ts_node_end_point(error).row;
  return {lines && !ts_node_is_named(last) ? last : error, false};
}

/// Walks the parts of a tree that hold errors. No recursion: trees of hostile texts are deep.
class Collector {
 public:
  Collector(Source& source, const Limits& limits) : source_(source), limits_(limits) {}

  /// False if a limit was reached.
  bool run(TSNode root) {
    if (!ts_node_has_error(root)) return true;
    TSTreeCursor cursor = ts_tree_cursor_new(root);
    const bool finished = walk(&cursor);
    ts_tree_cursor_delete(&cursor);
    return finished;
  }

  void finish(ParseReport& report) {
    const auto place = [](const SyntaxError& e) { return std::tuple(e.line, e.column, e.kind); };
    std::stable_sort(
        errors_.begin(), errors_.end(),
        [&](const SyntaxError& a, const SyntaxError& b) { return place(a) < place(b); });
    const auto twice = std::unique(
        errors_.begin(), errors_.end(),
        [&](const SyntaxError& a, const SyntaxError& b) { return place(a) == place(b); });
    total_ -= static_cast<std::size_t>(errors_.end() - twice);
    errors_.erase(twice, errors_.end());
    report.errors = std::move(errors_);
    report.total = total_;
  }

 private:
  bool walk(TSTreeCursor* cursor) {
    std::vector<std::size_t> totals;  // for each open node, the errors found before it
    for (std::uint32_t steps = 1;; ++steps) {
      if (steps % kStepsPerClock == 0 && source_.check_limits()) return false;
      const TSNode node = ts_tree_cursor_current_node(cursor);
      const bool holds_error = ts_node_has_error(node) && !ts_node_is_missing(node);
      if (holds_error && ts_tree_cursor_goto_first_child(cursor)) {
        totals.push_back(total_);
        continue;
      }
      leave(node, total_);
      while (!ts_tree_cursor_goto_next_sibling(cursor)) {
        if (totals.empty()) return true;
        ts_tree_cursor_goto_parent(cursor);
        leave(ts_tree_cursor_current_node(cursor), totals.back());
        totals.pop_back();
      }
    }
  }

  void leave(TSNode node, std::size_t total_before) {
    if (ts_node_is_missing(node)) {
      add_missing(node);
    } else if (ts_node_is_error(node)) {
      add_error(node);
    } else if (ts_node_has_error(node) && total_ == total_before) {
      // What is missing is a token without a name (the end of a Python block): all that is known is
      // where.
      add(ErrorKind::missing, ts_node_end_byte(node), ts_node_end_point(node), "");
    }
  }

  /// A missing end at the end of the file is reported at the beginning of its construct.
  void add_missing(TSNode node) {
    TSNode place = node;
    if (!full() && line_around(source_.text(), ts_node_start_byte(node)).empty()) {
      const TSNode parent = ts_node_parent(node);
      if (!ts_node_is_null(parent)) place = parent;
    }
    add(ErrorKind::missing, ts_node_start_byte(place), ts_node_start_point(place),
        ts_node_type(node));
  }

  void add_error(TSNode node) {
    const Suspect suspect = full() ? Suspect{node, false} : suspect_of(node);
    add(ErrorKind::error, ts_node_start_byte(suspect.node), ts_node_start_point(suspect.node),
        suspect.unclosed ? ts_node_type(suspect.node) : "");
  }

  [[nodiscard]] bool full() const { return errors_.size() >= limits_.errors_max; }

  void add(ErrorKind kind, std::size_t byte, TSPoint point, std::string_view what) {
    ++total_;
    if (full()) return;
    errors_.push_back({point.row + 1, point.column + 1, kind, std::string(what.substr(0, kLineMax)),
                       line_around(source_.text(), byte)});
  }

  Source& source_;
  const Limits& limits_;
  std::vector<SyntaxError> errors_;
  std::size_t total_ = 0;
};

}  // namespace

ParseReport report_of(const TSTree* tree, Source& source, const Limits& limits) {
  ParseReport report;
  Collector collector(source, limits);
  if (tree == nullptr || !collector.run(ts_tree_root_node(tree))) {
    // Without a tree nothing was checked, whatever the reason: never "clean".
    report.skipped = source.stopped() == Skipped::no ? Skipped::time_limit : source.stopped();
    return report;
  }
  collector.finish(report);
  return report;
}

}  // namespace orchestrator::syntax
