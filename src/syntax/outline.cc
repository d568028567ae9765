#include "syntax/outline.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "syntax/grammar.h"
#include "syntax/parse.h"

namespace orchestrator::syntax {
namespace {

constexpr std::size_t kNameMax = 100;
constexpr std::uint32_t kStepsPerClock = 64;  // a step may have to look for a node's parents
constexpr int kDeclaratorsMax = 20;

enum class Inside {
  no,     // its content is not listed (a function's body)
  parts,  // a class: its members are symbols as well
};

struct Rule {
  std::string_view node;
  std::string_view kind;
  Inside inside = Inside::no;
  std::string_view name =
      "name";  // the field that holds the name; "": all of the node's first line
};

constexpr Rule kScript[] = {
    {"function_declaration", "function"},
    {"generator_function_declaration", "function"},
    {"function_signature", "function"},
    {"class_declaration", "class", Inside::parts},
    {"abstract_class_declaration", "class", Inside::parts},
    {"interface_declaration", "interface", Inside::parts},
    {"type_alias_declaration", "type"},
    {"enum_declaration", "enum"},
    {"internal_module", "namespace", Inside::parts},
    {"module", "module", Inside::parts},
    {"method_definition", "method"},
    {"method_signature", "method"},
    {"abstract_method_signature", "method"},
    {"public_field_definition", "field"},
    {"field_definition", "field", Inside::no, "property"},
    {"property_signature", "field"},
    {"variable_declarator", "variable"},
};
constexpr Rule kPython[] = {
    {"function_definition", "function"},
    {"class_definition", "class", Inside::parts},
    {"assignment", "variable", Inside::no, "left"},
};
constexpr Rule kC[] = {
    {"function_definition", "function", Inside::no, "declarator"},
    {"struct_specifier", "struct", Inside::parts},
    {"union_specifier", "union", Inside::parts},
    {"enum_specifier", "enum"},
    {"class_specifier", "class", Inside::parts},
    {"namespace_definition", "namespace", Inside::parts},
    {"concept_definition", "concept"},
    {"alias_declaration", "type"},
    {"type_definition", "type", Inside::parts, "declarator"},
    {"preproc_def", "macro"},
    {"preproc_function_def", "macro"},
    {"declaration", "declaration", Inside::no, "declarator"},
    {"field_declaration", "field", Inside::no, "declarator"},
};
constexpr Rule kRust[] = {
    {"function_item", "function"},
    {"function_signature_item", "function"},
    {"struct_item", "struct"},
    {"union_item", "union"},
    {"enum_item", "enum"},
    {"trait_item", "trait", Inside::parts},
    {"impl_item", "impl", Inside::parts, "type"},
    {"mod_item", "module", Inside::parts},
    {"type_item", "type"},
    {"const_item", "constant"},
    {"static_item", "static"},
    {"macro_definition", "macro"},
};
constexpr Rule kGo[] = {
    {"function_declaration", "function"},
    {"method_declaration", "method"},
    {"type_spec", "type"},
    {"type_alias", "type"},
    {"const_spec", "constant"},
    {"var_spec", "variable"},
};
constexpr Rule kJava[] = {
    {"class_declaration", "class", Inside::parts},
    {"interface_declaration", "interface", Inside::parts},
    {"enum_declaration", "enum", Inside::parts},
    {"record_declaration", "record", Inside::parts},
    {"annotation_type_declaration", "annotation"},
    {"method_declaration", "method"},
    {"constructor_declaration", "constructor"},
    {"field_declaration", "field", Inside::no, "declarator"},
    {"enum_constant", "constant"},
};
constexpr Rule kCSharp[] = {
    {"namespace_declaration", "namespace", Inside::parts},
    {"file_scoped_namespace_declaration", "namespace", Inside::parts},
    {"class_declaration", "class", Inside::parts},
    {"interface_declaration", "interface", Inside::parts},
    {"struct_declaration", "struct", Inside::parts},
    {"record_declaration", "record", Inside::parts},
    {"enum_declaration", "enum"},
    {"delegate_declaration", "delegate"},
    {"method_declaration", "method"},
    {"constructor_declaration", "constructor"},
    {"property_declaration", "property"},
    {"local_function_statement", "function"},
    {"variable_declarator", "field"},
};
constexpr Rule kJson[] = {{"pair", "key", Inside::no, "key"}};
constexpr Rule kBash[] = {{"function_definition", "function"}, {"variable_assignment", "variable"}};
constexpr Rule kRuby[] = {
    {"module", "module", Inside::parts},
    {"class", "class", Inside::parts},
    {"method", "method"},
    {"singleton_method", "method"},
    {"assignment", "constant", Inside::no, "left"},
};
constexpr Rule kPhp[] = {
    {"namespace_definition", "namespace", Inside::parts},
    {"class_declaration", "class", Inside::parts},
    {"interface_declaration", "interface", Inside::parts},
    {"trait_declaration", "trait", Inside::parts},
    {"enum_declaration", "enum", Inside::parts},
    {"function_definition", "function"},
    {"method_declaration", "method"},
    {"property_element", "property"},
    {"const_element", "constant", Inside::no, ""},
};

std::span<const Rule> rules_of(Language language) {
  switch (language) {
    case Language::javascript:
    case Language::typescript:
    case Language::tsx:
      return kScript;
    case Language::python:
      return kPython;
    case Language::c:
    case Language::cpp:
      return kC;
    case Language::rust:
      return kRust;
    case Language::go:
      return kGo;
    case Language::java:
      return kJava;
    case Language::json:
      return kJson;
    case Language::bash:
      return kBash;
    case Language::ruby:
      return kRuby;
    case Language::php:
      return kPhp;
    case Language::c_sharp:
      return kCSharp;
  }
  return {};
}

/// Nodes that hold statements or values: names in them belong to their surroundings.
bool is_private(TSNode node, Language language) {
  constexpr std::string_view kBodies[] = {
      "compound_statement", "arrow_function",     "lambda",           "function_expression",
      "do_block",           "closure_expression", "method_invocation"};
  const std::string_view type = ts_node_type(node);
  if (language == Language::python || language == Language::bash) return false;
  if (language == Language::php) return type == "anonymous_function" || type == "arrow_function";
  if (type == "statement_block") {
    const std::string_view around = ts_node_type(ts_node_parent(node));
    return around != "internal_module" && around != "module";
  }
  return std::ranges::find(kBodies, type) != std::end(kBodies);
}

class Outliner {
 public:
  Outliner(Language language, std::string_view text, std::size_t symbols_max, Source& source,
           Outline& out)
      : language_(language),
        text_(text),
        rules_(rules_of(language)),
        symbols_max_(symbols_max),
        source_(source),
        out_(out) {}

  void run(TSNode root) {
    TSTreeCursor cursor = ts_tree_cursor_new(root);
    walk(&cursor);
    ts_tree_cursor_delete(&cursor);
  }

 private:
  /// No recursion: trees of hostile texts are deep.
  void walk(TSTreeCursor* cursor) {
    std::vector<std::uint32_t> depths(1, 0);
    for (std::uint32_t steps = 1;; ++steps) {
      if (steps % kStepsPerClock == 0 && source_.check_limits()) return;
      const TSNode node = ts_tree_cursor_current_node(cursor);
      std::uint32_t depth = depths.back();
      if (enter(node, depth) && ts_tree_cursor_goto_first_child(cursor)) {
        depths.push_back(depth);
        continue;
      }
      if (out_.more) return;
      while (!ts_tree_cursor_goto_next_sibling(cursor)) {
        if (!ts_tree_cursor_goto_parent(cursor)) return;
        depths.pop_back();
      }
    }
  }

  /// Whether to descend into the node; `depth` becomes that of its content.
  bool enter(TSNode node, std::uint32_t& depth) {
    if (!ts_node_is_named(node)) return false;
    const std::string_view type = ts_node_type(node);
    const auto rule = std::ranges::find(rules_, type, &Rule::node);
    if (rule == rules_.end()) return !is_private(node, language_);
    const std::string name = name_of(node, *rule);
    const bool look_into = rule->inside == Inside::parts;
    if (name.empty() || !is_wanted(node, *rule, name, depth)) return look_into;
    if (out_.symbols.size() >= symbols_max_) {
      out_.more = true;
      return false;
    }
    std::string kind(rule->kind);
    if (is_method(node, *rule, depth)) kind = "method";
    if (holds_function(node)) kind = "function";
    out_.symbols.push_back(
        {std::move(kind), name, ts_node_start_point(node).row + 1, last_line(node), depth});
    ++depth;
    return look_into || (language_ == Language::json && depth < 2);
  }

  static std::uint32_t last_line(TSNode node) {
    const TSPoint end = ts_node_end_point(node);
    const bool before = end.column == 0 && end.row > ts_node_start_point(node).row;
    return before ? end.row : end.row + 1;
  }

  bool is_wanted(TSNode node, const Rule& rule, const std::string& name,
                 std::uint32_t depth) const {
    if (language_ == Language::ruby && rule.kind == "constant")
      return name.front() >= 'A' && name.front() <= 'Z';
    if (language_ == Language::python && rule.kind == "variable")
      return name.find_first_of("[(, .") == std::string::npos &&
             !within(node, "function_definition");
    if (language_ == Language::bash && rule.kind == "variable")
      return std::string_view(ts_node_type(ts_node_parent(node))) == "program";
    if ((language_ == Language::c || language_ == Language::cpp) &&
        (rule.kind == "struct" || rule.kind == "union" || rule.kind == "enum" ||
         rule.kind == "class")) {
      return ts_node_child_by_field_name(node, "body", 4).id != nullptr;  // not a mere mention
    }
    if (language_ == Language::c_sharp && rule.node == "variable_declarator")
      return within(node, "field_declaration");
    (void)depth;
    return true;
  }

  static bool within(TSNode node, std::string_view type) {
    int steps = 0;
    for (TSNode up = ts_node_parent(node); up.id != nullptr && steps < 6;
         up = ts_node_parent(up), ++steps) {
      if (type == ts_node_type(up)) return true;
    }
    return false;
  }

  bool is_method(TSNode node, const Rule& rule, std::uint32_t depth) const {
    if (depth == 0) return false;
    if (language_ == Language::python)
      return rule.kind == "function" && within(node, "class_definition");
    const bool c = language_ == Language::c || language_ == Language::cpp;
    return c && (rule.kind == "function" || rule.kind == "field") &&
           (rule.kind == "function" ? within(node, "field_declaration_list")
                                    : declares_function(node));
  }

  static bool declares_function(TSNode node) {
    TSNode at = ts_node_child_by_field_name(node, "declarator", 10);
    for (int i = 0; i < kDeclaratorsMax && at.id != nullptr; ++i) {
      if (std::string_view(ts_node_type(at)) == "function_declarator") return true;
      at = ts_node_child_by_field_name(at, "declarator", 10);
    }
    return false;
  }

  /// `const f = () => 1`, and a declaration of a C function.
  static bool holds_function(TSNode node) {
    const std::string_view type = ts_node_type(node);
    if (type == "declaration") return declares_function(node);
    if (type != "variable_declarator") return false;
    const TSNode value = ts_node_child_by_field_name(node, "value", 5);
    if (value.id == nullptr) return false;
    const std::string_view kind = ts_node_type(value);
    return kind == "arrow_function" || kind == "function_expression" ||
           kind == "generator_function";
  }

  [[nodiscard]] std::string name_of(TSNode node, const Rule& rule) const {
    TSNode named = node;
    if (!rule.name.empty()) {
      named = ts_node_child_by_field_name(node, rule.name.data(),
                                          static_cast<std::uint32_t>(rule.name.size()));
      // A declarator wraps the name: `*f(int)`.
      for (int i = 0; i < kDeclaratorsMax && named.id != nullptr; ++i) {
        TSNode inner = ts_node_child_by_field_name(named, "declarator", 10);
        const bool whole = std::string_view(ts_node_type(named)) == "qualified_identifier";
        if (inner.id == nullptr && rule.name == "declarator" && !whole)
          inner = ts_node_child_by_field_name(named, "name", 4);
        if (inner.id == nullptr) break;
        named = inner;
      }
      if (named.id == nullptr) return "";
    }
    std::string name = one_line(named);
    if (rule.node == "impl_item") {
      const TSNode trait = ts_node_child_by_field_name(node, "trait", 5);
      if (trait.id != nullptr) name = one_line(trait) + " for " + name;
    }
    if (rule.node == "method_declaration" && language_ == Language::go) {
      const TSNode receiver = ts_node_child_by_field_name(node, "receiver", 8);
      if (receiver.id != nullptr) name = one_line(receiver) + " " + name;
    }
    return name;
  }

  [[nodiscard]] std::string one_line(TSNode node) const {
    const std::uint32_t begin = ts_node_start_byte(node);
    std::string_view text = text_.substr(begin, ts_node_end_byte(node) - begin);
    text = text.substr(0, text.find('\n'));
    if (text.size() > kNameMax) {
      std::size_t end = kNameMax;
      while (end > 0 && is_continuation(text[end])) --end;
      text = text.substr(0, end);
    }
    if (language_ == Language::json && text.size() >= 2) text = text.substr(1, text.size() - 2);
    return std::string(text);
  }

  Language language_;
  std::string_view text_;
  std::span<const Rule> rules_;
  std::size_t symbols_max_;
  Source& source_;
  Outline& out_;
};

}  // namespace

Outline outline_of(Language language, std::string_view text, std::size_t symbols_max,
                   const Limits& limits) {
  Outline out;
  out.skipped = unfit(text, limits);
  if (out.skipped != Skipped::no) return out;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Source source(text, limits);
  const TreePtr tree = parse(language, source);
  if (tree != nullptr)
    Outliner(language, text, symbols_max, source, out).run(ts_tree_root_node(tree.get()));
  if (tree == nullptr || source.stopped() != Skipped::no) {
    out.skipped = source.stopped() == Skipped::no ? Skipped::time_limit : source.stopped();
    out.symbols.clear();
  }
  return out;
}

}  // namespace orchestrator::syntax
