#include "syntax/query.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "syntax/memory.h"
#include "syntax/query_shape.h"

namespace orchestrator::syntax {
namespace {

constexpr std::size_t kQueryBytesMax = 16'384;
constexpr std::uint32_t kOpenMatchesMax = 4096;  // of tree-sitter; beyond it drops the oldest

std::string_view what_is(TSQueryError error) {
  switch (error) {
    case TSQueryErrorNone:
      return "";
    case TSQueryErrorSyntax:
      return "it is no query";
    case TSQueryErrorNodeType:
      return "the language has no such node";
    case TSQueryErrorField:
      return "the language has no such field";
    case TSQueryErrorCapture:
      return "no capture has this name";
    case TSQueryErrorStructure:
      return "the grammar never nests these nodes this way";
    case TSQueryErrorLanguage:
      return "the grammar cannot be used";
  }
  return "";
}

std::string line_at(std::string_view text, std::size_t at) {
  at = std::min(at, text.size());
  std::size_t end = std::min(text.find('\n', at), at + 40);
  end = std::min(end, text.size());
  while (end < text.size() && is_continuation(text[end])) ++end;
  return std::string(text.substr(at, end - at));
}

constexpr std::string_view kKnown =
    "use #eq?, #match?, #any-of? or #not-eq?, #not-match?, "
    "#not-any-of?";

}  // namespace

base::Result<std::shared_ptr<const CompiledQuery>> CompiledQuery::compile(Language language,
                                                                          std::string_view text) {
  if (text.size() > kQueryBytesMax) {
    return base::Error{"it has more than " + std::to_string(kQueryBytesMax) + " bytes", "query",
                       "look for less at once"};
  }
  if (text.find('\0') != std::string_view::npos || !base::is_utf8(text))
    return base::Error{"it is not UTF-8 text", "query", ""};
  if (auto shape = check_query_shape(text); !shape.ok()) return shape.error();
  count_allocations();
  std::uint32_t offset = 0;
  TSQueryError error = TSQueryErrorNone;
  auto compiled = std::make_shared<CompiledQuery>();
  compiled->query_.reset(ts_query_new(grammar_of(language), text.data(),
                                      static_cast<std::uint32_t>(text.size()), &offset, &error));
  if (compiled->query_ == nullptr) {
    return base::Error{std::string(what_is(error)) + ": \"" + line_at(text, offset) + "\" (" +
                           std::string(language_name(language)) + ")",
                       "query, byte " + std::to_string(offset + 1),
                       "ast_outline and a look at the grammar's node names help; a code pattern is "
                       "simpler"};
  }
  const TSQuery* query = compiled->query_.get();
  if (ts_query_pattern_count(query) == 0)
    return base::Error{"it is empty", "query", "such as (call_expression) @call"};
  if (ts_query_capture_count(query) == 0)
    return base::Error{"it captures nothing", "query", "put @name after the node to be reported"};
  for (std::uint32_t i = 0; i < ts_query_pattern_count(query); ++i) {
    if (auto read = compiled->read_predicates(i); !read.ok()) return read.error();
  }
  return std::shared_ptr<const CompiledQuery>(std::move(compiled));
}

std::string CompiledQuery::string_of(const TSQueryPredicateStep& step) const {
  std::uint32_t length = 0;
  const char* text = step.type == TSQueryPredicateStepTypeCapture
                         ? ts_query_capture_name_for_id(query_.get(), step.value_id, &length)
                         : ts_query_string_value_for_id(query_.get(), step.value_id, &length);
  return {text, length};
}

base::Result<void> CompiledQuery::read_predicates(std::uint32_t pattern) {
  predicates_.emplace_back();
  std::uint32_t count = 0;
  const TSQueryPredicateStep* steps =
      ts_query_predicates_for_pattern(query_.get(), pattern, &count);
  std::vector<TSQueryPredicateStep> one;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (steps[i].type != TSQueryPredicateStepTypeDone) {
      one.push_back(steps[i]);
      continue;
    }
    auto predicate = predicate_of(one);
    if (!predicate.ok()) return predicate.error();
    predicates_.back().push_back(std::move(predicate).value());
    one.clear();
  }
  return {};
}

base::Result<CompiledQuery::Predicate> CompiledQuery::predicate_of(
    const std::vector<TSQueryPredicateStep>& steps) const {
  const bool named = !steps.empty() && steps[0].type == TSQueryPredicateStepTypeString;
  std::string name = named ? string_of(steps[0]) : "";
  const auto fault = [&](std::string what) {
    return base::Error{std::move(what), "query, predicate #" + name, std::string(kKnown)};
  };
  Predicate predicate;
  std::string test = name;
  if (test.starts_with("not-")) {
    predicate.negated = true;
    test = test.substr(4);
  }
  if (test == "eq?") {
    predicate.test = Predicate::Test::equal;
  } else if (test == "match?") {
    predicate.test = Predicate::Test::match;
  } else if (test == "any-of?") {
    predicate.test = Predicate::Test::any_of;
  } else {
    return fault("it is not known");
  }
  if (steps.size() < 3 || steps[1].type != TSQueryPredicateStepTypeCapture)
    return fault("it wants a capture and something to compare it with");
  predicate.capture = steps[1].value_id;
  if (predicate.test != Predicate::Test::any_of && steps.size() != 3)
    return fault("it wants two arguments");
  for (std::size_t i = 2; i < steps.size(); ++i) {
    if (steps[i].type == TSQueryPredicateStepTypeCapture) {
      if (predicate.test != Predicate::Test::equal) return fault("it compares with texts only");
      predicate.other = steps[i].value_id;
    } else {
      predicate.texts.push_back(string_of(steps[i]));
    }
  }
  if (predicate.test == Predicate::Test::match) {
    auto compiled = base::TextPattern::compile(predicate.texts.front());
    if (!compiled.ok()) return compiled.error();
    predicate.pattern = std::move(compiled).value();
  }
  return predicate;
}

/// A capture may hold several nodes: all of them must pass.
bool CompiledQuery::holds(const TSQueryMatch& match, std::string_view text) const {
  const auto text_of = [text](TSNode node) {
    const std::uint32_t begin = ts_node_start_byte(node);
    return text.substr(begin, ts_node_end_byte(node) - begin);
  };
  const auto texts_of = [&](std::uint32_t capture) {
    std::vector<std::string_view> out;
    for (std::uint16_t i = 0; i < match.capture_count; ++i) {
      if (match.captures[i].index == capture) out.push_back(text_of(match.captures[i].node));
    }
    return out;
  };
  return std::ranges::all_of(predicates_[match.pattern_index], [&](const Predicate& predicate) {
    const auto passes = [&](std::string_view one) {
      switch (predicate.test) {
        case Predicate::Test::match:
          return predicate.pattern->found_in(one);
        case Predicate::Test::equal:
          if (predicate.other) {
            const auto others = texts_of(*predicate.other);
            return std::ranges::all_of(others, [&](std::string_view two) { return two == one; });
          }
          return one == predicate.texts.front();
        case Predicate::Test::any_of:
          return std::ranges::find(predicate.texts, one) != predicate.texts.end();
      }
      return false;
    };
    return std::ranges::all_of(texts_of(predicate.capture), [&](std::string_view one) {
      return passes(one) != predicate.negated;
    });
  });
}

void CompiledQuery::run(TSNode root, std::string_view text, Source& source, std::size_t found_max,
                        SearchResult& result) const {
  struct CursorDeleter {
    void operator()(TSQueryCursor* cursor) const { ts_query_cursor_delete(cursor); }
  };
  const std::unique_ptr<TSQueryCursor, CursorDeleter> cursor(ts_query_cursor_new());
  ts_query_cursor_set_match_limit(cursor.get(), kOpenMatchesMax);
  const TSQueryCursorOptions options{&source, [](TSQueryCursorState* state) {
                                       return static_cast<Source*>(state->payload)->check_limits();
                                     }};
  ts_query_cursor_exec_with_options(cursor.get(), query_.get(), root, &options);
  TSQueryMatch match;
  while (ts_query_cursor_next_match(cursor.get(), &match)) {
    if (source.check_limits()) return;
    if (match.capture_count == 0 || !holds(match, text)) continue;
    if (result.found.size() >= found_max) {
      result.more = true;
      return;
    }
    Found found;
    const TSNode first = match.captures[0].node;
    found.span = {ts_node_start_byte(first), ts_node_end_byte(first)};
    found.own_end = found.span.end;
    found.line = ts_node_start_point(first).row + 1;
    found.column = ts_node_start_point(first).column + 1;
    found.end_line = ts_node_end_point(first).row + 1;
    for (std::uint16_t i = 0; i < match.capture_count; ++i) {
      std::uint32_t length = 0;
      const char* name =
          ts_query_capture_name_for_id(query_.get(), match.captures[i].index, &length);
      const TSNode node = match.captures[i].node;
      found.captures.push_back(
          {std::string(name, length), {ts_node_start_byte(node), ts_node_end_byte(node)}});
    }
    result.found.push_back(std::move(found));
  }
  const auto place = [](const Found& f) { return std::pair(f.span.begin, ~f.span.end); };
  std::ranges::stable_sort(result.found, {}, place);
}

}  // namespace orchestrator::syntax
