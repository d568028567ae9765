#include "syntax/pattern.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "syntax/grammar.h"
#include "syntax/parse.h"
#include "syntax/spelling.h"

namespace orchestrator::syntax {
namespace {

constexpr std::size_t kDepthMax = 200;     // a matcher recurses over a pattern
constexpr std::size_t kSpellingsMax = 64;  // tried one by one before they are sought
constexpr std::size_t kWrittenMax = 32;    // metavariables that are written in one pattern
constexpr std::size_t kLiteralsMax = 8;
constexpr Limits kPatternLimits{kPatternBytesMax * 2, std::chrono::milliseconds{500},
                                std::size_t{64} << 20U, 1};

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<TSNode> children_of(TSNode node) {
  std::vector<TSNode> out;
  const std::uint32_t count = ts_node_child_count(node);
  for (std::uint32_t i = 0; i < count; ++i) {
    const TSNode child = ts_node_child(node, i);
    // What the grammar made up, or what has no text (an end of line that ends a statement).
    if (ts_node_is_missing(child) || ts_node_start_byte(child) == ts_node_end_byte(child)) continue;
    if (ts_node_is_extra(child)) continue;
    out.push_back(child);
  }
  return out;
}

struct Fault {
  std::size_t cost = 0;       // 0: parses
  bool only_missing = false;  // nothing is wrong but that tokens had to be made up
  std::uint32_t at = 0;
};

/// The cost of a spelled pattern: its distance from valid code. `depth` bounds the recursion;
/// deeper is a fault.
void weigh(TSNode node, std::size_t depth, Fault& fault) {
  if (!ts_node_has_error(node)) return;
  const auto note = [&](std::size_t cost, bool missing) {
    if (fault.cost == 0 || (fault.only_missing && !missing)) {
      fault.at = ts_node_start_byte(node);
      fault.only_missing = missing;
    }
    fault.cost += cost;
  };
  if (depth > kDepthMax) return note(1'000'000, false);
  if (ts_node_is_missing(node)) return note(1, true);
  if (ts_node_is_error(node)) {
    return note(1000 + (ts_node_end_byte(node) - ts_node_start_byte(node)), false);
  }
  const std::uint32_t count = ts_node_child_count(node);
  for (std::uint32_t i = 0; i < count; ++i) weigh(ts_node_child(node, i), depth + 1, fault);
}

struct Trial {
  Spelled spelled;
  TreePtr tree;
  Fault fault;
};

/// Tries spellings and surroundings until one parses.
class Speller {
 public:
  Speller(Language language, std::string_view pattern, const std::vector<Variable>& variables)
      : language_(language), pattern_(pattern), variables_(variables) {}

  /// The best trial in these surroundings. Its tree is null if even that took too long.
  Trial best_in(const Surroundings& around) {
    std::vector<std::size_t> choice(variables_.size(), 0);
    Trial best = attempt(choice, around);
    if (best.fault.cost == 0 || variables_.empty()) return best;
    return combinations() <= kSpellingsMax ? all(std::move(best), around)
                                           : descend(std::move(best), around);
  }

 private:
  [[nodiscard]] std::size_t forms(std::size_t i) const {
    return stand_ins_of(language_, variables_[i].kind).size();
  }

  [[nodiscard]] std::size_t combinations() const {
    std::size_t product = 1;
    for (std::size_t i = 0; i < variables_.size() && product <= kSpellingsMax; ++i)
      product *= forms(i);
    return product;
  }

  Trial attempt(const std::vector<std::size_t>& choice, const Surroundings& around) {
    Trial trial;
    trial.spelled = spell(language_, pattern_, variables_, choice, around);
    Source source(trial.spelled.text, kPatternLimits);
    trial.tree = parse(language_, source);
    if (trial.tree == nullptr) {
      trial.fault = {2'000'000, false, trial.spelled.begin};
    } else {
      weigh(ts_tree_root_node(trial.tree.get()), 0, trial.fault);
    }
    return trial;
  }

  Trial all(Trial best, const Surroundings& around) {
    std::vector<std::size_t> choice(variables_.size(), 0);
    while (best.fault.cost > 0) {
      std::size_t i = 0;
      while (i < choice.size() && ++choice[i] == forms(i)) choice[i++] = 0;
      if (i == choice.size()) break;
      Trial next = attempt(choice, around);
      if (next.fault.cost < best.fault.cost) best = std::move(next);
    }
    return best;
  }

  /// One metavariable after the other, each as it costs least.
  Trial descend(Trial best, const Surroundings& around) {
    std::vector<std::size_t> choice(variables_.size(), 0);
    for (std::size_t i = 0; i < choice.size() && best.fault.cost > 0; ++i) {
      const std::size_t kept = choice[i];
      std::size_t winner = kept;
      for (std::size_t form = 0; form < forms(i); ++form) {
        if (form == kept) continue;
        choice[i] = form;
        Trial next = attempt(choice, around);
        if (next.fault.cost >= best.fault.cost) continue;
        best = std::move(next);
        winner = form;
      }
      choice[i] = winner;
    }
    return best;
  }

  Language language_;
  std::string_view pattern_;
  const std::vector<Variable>& variables_;
};

/// The node that is exactly the pattern; null if the pattern is several nodes or a part of one.
TSNode root_of(const Trial& trial) {
  const std::uint32_t begin = trial.spelled.begin;
  const std::uint32_t end = trial.spelled.end;
  TSNode node = ts_tree_root_node(trial.tree.get());
  for (std::size_t depth = 0; depth < kDepthMax; ++depth) {
    const bool whole = ts_node_start_byte(node) == begin && ts_node_end_byte(node) == end;
    std::vector<TSNode> inside;
    for (const TSNode child : children_of(node)) {
      if (ts_node_end_byte(child) > begin && ts_node_start_byte(child) < end)
        inside.push_back(child);
    }
    if (inside.size() != 1) {
      const bool is_file = ts_node_parent(node).id == nullptr;
      return whole && !is_file ? node : TSNode{};
    }
    node = inside.front();
    if (ts_node_child_count(node) == 0) break;
  }
  return node;
}

class Builder {
 public:
  Builder(const Trial& trial, std::string_view pattern, Pattern& out)
      : spelled_(trial.spelled), pattern_(pattern), out_(out) {}

  /// False if it is too deep or has too many names.
  bool build(TSNode root) {
    out_.nodes.emplace_back();
    return fill(0, root, 0, 0);
  }

 private:
  const Variable* hole_at(TSNode node) const {
    const std::uint32_t begin = ts_node_start_byte(node);
    const std::uint32_t end = ts_node_end_byte(node);
    for (const Spelled::Hole& hole : spelled_.holes) {
      if (hole.begin == begin && hole.end == end) return hole.variable;
    }
    return nullptr;
  }

  std::optional<std::int32_t> index_of(const std::string& name) {
    if (name.empty()) return -1;
    const auto found = std::ranges::find(out_.names, name);
    if (found == out_.names.end()) {
      if (out_.names.size() == kVariablesMax) return std::nullopt;
      out_.names.push_back(name);
      return static_cast<std::int32_t>(out_.names.size() - 1);
    }
    return static_cast<std::int32_t>(found - out_.names.begin());
  }

  bool fill(std::size_t at, TSNode node, std::uint16_t field, std::size_t depth) {
    if (depth > kDepthMax) return false;
    PatternNode made;
    made.field = field;
    if (const Variable* variable = hole_at(node)) {
      const auto index = index_of(variable->name);
      if (!index) return false;
      const bool many = variable->kind == Variable::Kind::siblings;
      made.kind = many ? PatternNode::Kind::siblings : PatternNode::Kind::one;
      made.named = variable->kind == Variable::Kind::one;
      made.variable = *index;
      out_.nodes[at] = std::move(made);
      return true;
    }
    made.symbol = ts_node_symbol(node);
    made.named = ts_node_is_named(node);
    const std::vector<TSNode> children = children_of(node);
    if (children.empty()) {
      made.text = text_of(node);
      out_.nodes[at] = std::move(made);
      return true;
    }
    made.kind = PatternNode::Kind::inner;
    made.first_child = static_cast<std::uint32_t>(out_.nodes.size());
    made.children = static_cast<std::uint32_t>(children.size());
    const std::size_t first = made.first_child;
    out_.nodes[at] = std::move(made);
    out_.nodes.resize(first + children.size());
    for (std::size_t i = 0; i < children.size(); ++i) {
      if (!fill(first + i, children[i], field_of(node, children[i]), depth + 1)) return false;
    }
    return true;
  }

  static std::uint16_t field_of(TSNode parent, TSNode child) {
    std::uint16_t field = 0;
    TSTreeCursor cursor = ts_tree_cursor_new(parent);
    for (bool more = ts_tree_cursor_goto_first_child(&cursor); more;
         more = ts_tree_cursor_goto_next_sibling(&cursor)) {
      if (ts_node_eq(ts_tree_cursor_current_node(&cursor), child)) {
        field = ts_tree_cursor_current_field_id(&cursor);
        break;
      }
    }
    ts_tree_cursor_delete(&cursor);
    return field;
  }

  [[nodiscard]] std::string text_of(TSNode node) const {
    const std::size_t begin = original_offset(spelled_, ts_node_start_byte(node));
    const std::size_t end = original_offset(spelled_, ts_node_end_byte(node));
    return std::string(pattern_.substr(begin, end - std::min(begin, end)));
  }

  const Spelled& spelled_;
  std::string_view pattern_;
  Pattern& out_;
};

/// Whether a token that has this text in a pattern has it in every match. An anonymous token is
/// compared by its symbol alone, and a grammar may give several spellings one symbol.
bool is_sure(const PatternNode& node, Language language, std::string_view kind) {
  if (node.kind != PatternNode::Kind::leaf || node.text.size() < 2) return false;
  if (node.named) return true;
  if (language == Language::php || node.text != kind) return false;
  constexpr std::string_view kOperators = "=<>!&|+*-?:";
  const auto operates = [&](char c) { return kOperators.find(c) != std::string_view::npos; };
  return std::ranges::all_of(node.text, is_name_start) ||
         std::ranges::all_of(node.text, [](char c) { return c >= 'a' && c <= 'z'; }) ||
         std::ranges::all_of(node.text, operates);
}

std::optional<Literal> literal_of(const PatternNode& node, Language language) {
  if (node.kind != PatternNode::Kind::leaf) return std::nullopt;
  const std::string_view kind = ts_language_symbol_name(grammar_of(language), node.symbol);
  if (!is_sure(node, language, kind)) return std::nullopt;
  // Other tokens (a piece of a string) may have a letter beside the text.
  const bool word = std::ranges::all_of(node.text, is_word) &&
                    (!node.named || kind.find("identifier") != std::string_view::npos);
  return Literal{node.text, word};
}

void find_literals(Pattern& pattern) {
  for (const PatternNode& node : pattern.nodes) {
    const auto literal = literal_of(node, pattern.language);
    if (literal && std::ranges::find(pattern.literals, *literal) == pattern.literals.end())
      pattern.literals.push_back(*literal);
  }
  std::ranges::stable_sort(pattern.literals, [](const Literal& a, const Literal& b) {
    return a.text.size() > b.text.size();
  });
  if (pattern.literals.size() > kLiteralsMax) pattern.literals.resize(kLiteralsMax);
  const PatternNode* first = &pattern.nodes.front();
  while (first->kind == PatternNode::Kind::inner) first = &pattern.nodes[first->first_child];
  pattern.leading = literal_of(*first, pattern.language);
}

std::string_view without_end(std::string_view code) {
  while (code.ends_with(';') || (!code.empty() && is_space(code.back()))) code.remove_suffix(1);
  return code;
}

base::Error does_not_parse(Language language, std::string_view pattern, const Trial& trial) {
  const std::size_t at = original_offset(trial.spelled, trial.fault.at);
  std::size_t end = std::min(at + 30, pattern.size());
  while (end < pattern.size() && is_continuation(pattern[end])) ++end;
  std::size_t begin = std::min(at, pattern.size());
  while (begin > 0 && begin < pattern.size() && is_continuation(pattern[begin])) --begin;
  const std::string near(pattern.substr(begin, end - begin));
  return {"it does not parse as " + std::string(language_name(language)) +
              (near.empty() ? ", at its end" : ", near \"" + near + "\""),
          "pattern, byte " + std::to_string(at + 1),
          "write code that is whole by itself, such as a call, a statement or a declaration; "
          "metavariables are $UPPER_CASE"};
}

}  // namespace

base::Result<Pattern> compile_pattern(Language language, std::string_view text) {
  const std::string_view code = trimmed(text);
  if (code.empty()) return base::Error{"it is empty", "pattern", "write the code to look for"};
  if (code.size() > kPatternBytesMax) {
    return base::Error{"it has more than " + std::to_string(kPatternBytesMax) + " bytes", "pattern",
                       "leave out what need not be fixed: $$$ matches any number of nodes"};
  }
  if (code.find('\0') != std::string_view::npos || !base::is_utf8(code))
    return base::Error{"it is not UTF-8 text", "pattern", ""};
  const std::vector<Variable> variables = variables_in(code);
  if (variables.size() > kWrittenMax) {
    return base::Error{"it has more than " + std::to_string(kWrittenMax) + " metavariables",
                       "pattern", "use $$$ for siblings that need no name"};
  }
  Speller speller(language, code, variables);
  std::optional<Trial> best;
  std::optional<Trial> several;
  for (const Surroundings& around : surroundings_of(language)) {
    Trial trial = speller.best_in(around);
    const bool usable = trial.fault.cost == 0 || trial.fault.only_missing;
    if (usable && root_of(trial).id == nullptr) {
      // In C the semicolon behind a struct is a node of its own.
      const bool ended = trial.fault.cost == 0 && code.ends_with(';') && !several && !best;
      if (ended) return compile_pattern(language, without_end(code));
      if (!several) several = std::move(trial);
      continue;
    }
    if (!best || trial.fault.cost < best->fault.cost) best = std::move(trial);
    if (best->fault.cost == 0) break;
  }
  if (!best || !(best->fault.cost == 0 || best->fault.only_missing)) {
    if (several) {
      return base::Error{"it is several nodes beside one another, or only a part of one", "pattern",
                         "look for one statement or expression, or put them into { }"};
    }
    return does_not_parse(language, code, *best);
  }
  Pattern pattern;
  pattern.language = language;
  const TSNode root = root_of(*best);
  if (!Builder(*best, code, pattern).build(root)) {
    return base::Error{
        "it is nested too deeply, or has more than " + std::to_string(kVariablesMax) + " names",
        "pattern", "look for a smaller piece"};
  }
  const PatternNode::Kind kind = pattern.nodes.front().kind;
  if (kind == PatternNode::Kind::one || kind == PatternNode::Kind::siblings) {
    return base::Error{"a metavariable alone matches everything", "pattern",
                       "put code around it, such as foo($X)"};
  }
  pattern.matches_comments = ts_node_is_extra(root);
  find_literals(pattern);
  return pattern;
}

}  // namespace orchestrator::syntax
