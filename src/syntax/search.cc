#include "syntax/search.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "syntax/grammar.h"
#include "syntax/match.h"
#include "syntax/parse.h"
#include "syntax/pieces.h"
#include "syntax/prefilter.h"
#include "syntax/query.h"

namespace orchestrator::syntax {
namespace {

constexpr std::uint32_t kStepsPerClock = 1024;

/// The places of a literal in a text; a range of them is found by binary search.
class Hits {
 public:
  Hits(std::string_view text, const Literal& literal) {
    for (std::size_t at = find_literal(text, literal); at != std::string_view::npos;
         at = find_literal(text, literal, at + 1)) {
      places_.push_back(static_cast<std::uint32_t>(at));
    }
  }

  [[nodiscard]] std::size_t size() const { return places_.size(); }

  [[nodiscard]] bool any_in(std::uint32_t begin, std::uint32_t end) const {
    const auto first = std::ranges::lower_bound(places_, begin);
    return first != places_.end() && *first < end;
  }

  [[nodiscard]] const std::vector<std::uint32_t>& places() const { return places_; }

 private:
  std::vector<std::uint32_t> places_;
};

/// One run of a pattern over one text.
class Run {
 public:
  Run(const Pattern& pattern, std::string_view text, const SearchLimits& limits,
      SearchResult& result)
      : pattern_(pattern),
        text_(text),
        limits_(limits),
        result_(result),
        source_(text, limits.parse) {}

  void go() {
    const bool parts = limits_.prefilter && can_split(pattern_.language) &&
                       !pattern_.matches_comments && !pattern_.literals.empty();
    if (limits_.prefilter) {
      for (const Literal& literal : pattern_.literals) hits_.emplace_back(text_, literal);
      std::ranges::stable_sort(hits_, {}, &Hits::size);
    }
    if (parts && in_parts()) return;
    result_.found.clear();
    result_.more = false;
    (void)search({0, static_cast<std::uint32_t>(text_.size()), 0, -1, -1}, true);
  }

 private:
  /// False: the whole text must be parsed after all.
  bool in_parts() {
    // A match that begins with a literal lies in the innermost statement around that literal.
    const bool leads = pattern_.leading.has_value();
    const Hits anchor = leads ? Hits(text_, *pattern_.leading) : hits_.front();
    const std::optional<Pieces> parts = split(pattern_.language, text_, anchor.places());
    if (!parts || parts->pieces.size() < 2) return false;
    std::vector<bool> wanted(parts->pieces.size(), false);
    for (const std::int32_t of_place : parts->of_place) {
      if (of_place < 0) continue;
      const auto inner = static_cast<std::size_t>(of_place);
      const std::size_t id = leads ? inner : static_cast<std::size_t>(parts->pieces[inner].top);
      wanted[id] = wanted[id] || holds_all_of(parts->pieces[id]);
    }
    Piece run;  // neighbours are parsed together
    bool open = false;
    std::uint32_t covered = 0;
    for (std::size_t id = 0; id < wanted.size(); ++id) {
      const Piece& piece = parts->pieces[id];
      if (!wanted[id] || piece.begin < covered) continue;  // the one around it is parsed
      if (open && run.end == piece.begin && run.parent == piece.parent) {
        covered = run.end = piece.end;
        continue;
      }
      if (open) {
        open = false;
        if (!search_up(run, parts->pieces)) return false;
        covered = run.end;
        if (piece.begin < covered) continue;
      }
      run = piece;
      covered = run.end;
      open = true;
    }
    return !open || search_up(run, parts->pieces);
  }

  [[nodiscard]] bool holds_all_of(const Piece& piece) const {
    return std::ranges::all_of(
        hits_, [&](const Hits& hits) { return hits.any_in(piece.begin, piece.end); });
  }

  /// Searches the run, or the first piece around it that is code by itself; `run` becomes that.
  bool search_up(Piece& run, const std::vector<Piece>& pieces) {
    if (result_.more || source_.stopped() != Skipped::no) return true;
    while (!search(run, false)) {
      if (run.parent < 0) return false;
      run = pieces[static_cast<std::size_t>(run.parent)];
      while (!result_.found.empty() && result_.found.back().span.begin >= run.begin)
        result_.found.pop_back();
    }
    return true;
  }

  /// False if the part is no code by itself.
  bool search(const Piece& part, bool whole) {
    const std::string_view code = text_.substr(part.begin, part.end - part.begin);
    source_.read_next(code);
    const TreePtr tree = parse(pattern_.language, source_);
    result_.parsed_bytes += code.size();
    if (tree == nullptr) {
      stopped();
      return true;
    }
    const TSNode root = ts_tree_root_node(tree.get());
    if (!whole && ts_node_has_error(root)) return false;
    Matcher matcher(pattern_, code, source_);
    TSTreeCursor cursor = ts_tree_cursor_new(root);
    walk(&cursor, part, matcher);
    ts_tree_cursor_delete(&cursor);
    if (source_.stopped() != Skipped::no) stopped();
    return true;
  }

  void stopped() {
    result_.skipped = source_.stopped() == Skipped::no ? Skipped::time_limit : source_.stopped();
    result_.found.clear();
  }

  void walk(TSTreeCursor* cursor, const Piece& part, Matcher& matcher) {
    const std::uint16_t symbol = pattern_.nodes.front().symbol;
    for (std::uint32_t steps = 1;; ++steps) {
      if (steps % kStepsPerClock == 0 && source_.check_limits()) return;
      const TSNode node = ts_tree_cursor_current_node(cursor);
      const bool wanted =
          hits_.empty() || hits_.front().any_in(part.begin + ts_node_start_byte(node),
                                                part.begin + ts_node_end_byte(node));
      if (wanted) {
        if (ts_node_symbol(node) == symbol && matcher.matches(node) && !add(node, part, matcher))
          return;
        if (ts_tree_cursor_goto_first_child(cursor)) continue;
      }
      while (!ts_tree_cursor_goto_next_sibling(cursor)) {
        if (!ts_tree_cursor_goto_parent(cursor)) return;
      }
    }
  }

  bool add(TSNode node, const Piece& part, const Matcher& matcher) {
    if (result_.found.size() >= limits_.found_max) {
      result_.more = true;
      return false;
    }
    Found found;
    found.span = {part.begin + ts_node_start_byte(node), part.begin + ts_node_end_byte(node)};
    found.own_end = std::max(part.begin + matcher.end(), found.span.begin);
    found.line = part.line + ts_node_start_point(node).row + 1;
    found.column = ts_node_start_point(node).column + 1;
    found.end_line = part.line + ts_node_end_point(node).row + 1;
    for (std::size_t i = 0; i < pattern_.names.size(); ++i) {
      const Bound bound = matcher.bound(i);
      const bool nothing = bound.begin == bound.end;
      found.captures.push_back(
          {pattern_.names[i],
           nothing ? Span{} : Span{part.begin + bound.begin, part.begin + bound.end}});
    }
    result_.found.push_back(std::move(found));
    return true;
  }

  const Pattern& pattern_;
  std::string_view text_;
  const SearchLimits& limits_;
  SearchResult& result_;
  Source source_;
  std::vector<Hits> hits_;  // of each literal, the rarest first
};

void move_by(SearchResult& result, std::uint32_t bytes) {
  for (Found& found : result.found) {
    found.span.begin += bytes;
    found.span.end += bytes;
    found.own_end += bytes;
    for (Found::Capture& capture : found.captures) {
      if (capture.span.begin == capture.span.end) continue;
      capture.span.begin += bytes;
      capture.span.end += bytes;
    }
  }
}

}  // namespace

base::Result<Search> Search::for_pattern(Language language, std::string_view pattern) {
  auto compiled = compile_pattern(language, pattern);
  if (!compiled.ok()) return compiled.error();
  Search search;
  search.pattern_ = std::move(compiled).value();
  return search;
}

base::Result<Search> Search::for_query(Language language, std::string_view query) {
  auto compiled = CompiledQuery::compile(language, query);
  if (!compiled.ok()) return compiled.error();
  Search search;
  search.pattern_.language = language;
  search.query_ = std::move(compiled).value();
  return search;
}

SearchResult Search::run(std::string_view text, const SearchLimits& limits) const {
  SearchResult result;
  if (limits.prefilter && !query_ && !holds_all(text, pattern_.literals)) return result;
  result.skipped = unfit(text, limits.parse);
  if (result.skipped != Skipped::no) return result;
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  const bool marked = text.starts_with(kMark);
  if (marked) text.remove_prefix(kMark.size());
  if (query_) {
    Source source(text, limits.parse);
    const TreePtr tree = parse(pattern_.language, source);
    result.parsed_bytes = text.size();
    if (tree != nullptr)
      query_->run(ts_tree_root_node(tree.get()), text, source, limits.found_max, result);
    if (tree == nullptr || source.stopped() != Skipped::no) {
      result.skipped = source.stopped() == Skipped::no ? Skipped::time_limit : source.stopped();
      result.found.clear();
    }
  } else {
    Run(pattern_, text, limits, result).go();
  }
  if (marked) move_by(result, static_cast<std::uint32_t>(kMark.size()));
  return result;
}

}  // namespace orchestrator::syntax
