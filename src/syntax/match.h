// Matching one node against a pattern. Private to src/syntax.

#ifndef ORCHESTRATOR_SYNTAX_MATCH_H_
#define ORCHESTRATOR_SYNTAX_MATCH_H_

#include <tree_sitter/api.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "syntax/parse.h"
#include "syntax/pattern.h"

namespace orchestrator::syntax {

/// The bytes of the text that a metavariable matched; empty where it matched nothing.
struct Bound {
  bool bound = false;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

/// Compares nodes of one text with one pattern. Recursion goes as deep as the pattern, never as
/// deep as the text. Once the source's limits are reached nothing matches.
class Matcher {
 public:
  /// `text` contains the nodes' bytes; all three must outlive the matcher.
  Matcher(const Pattern& pattern, std::string_view text, Source& source);
  ~Matcher();
  Matcher(const Matcher&) = delete;
  Matcher& operator=(const Matcher&) = delete;

  [[nodiscard]] bool matches(TSNode node);
  /// Of the last node that matched, by the index of its name.
  [[nodiscard]] Bound bound(std::size_t variable) const;
  /// Where the last match's own text ends: what a node has after all that a pattern asks for (a
  /// semicolon) is not part of it.
  [[nodiscard]] std::uint32_t end() const { return end_; }

 private:
  enum class Answer { matches, skip, differs };
  struct Child {
    TSNode node;
    std::uint16_t field;
  };
  struct Slot {
    bool bound = false;
    bool many = false;
    TSNode node{};
    std::size_t first = 0;  // in nodes_
    std::size_t count = 0;
  };
  struct Mark {
    std::size_t trail;
    std::size_t nodes;
    std::uint32_t end;
  };
  /// Candidates: a part of children_.
  struct Range {
    std::size_t begin;
    std::size_t end;
  };

  Answer compare(const PatternNode& goal, TSNode node);
  bool compare_children(const PatternNode& goal, TSNode node);
  bool compare_list(std::size_t goal, std::size_t goals_end, Range left);
  bool compare_siblings(std::size_t goal, std::size_t goals_end, Range left);
  bool only_siblings(std::size_t goal, std::size_t goals_end);
  bool bind_one(std::int32_t variable, TSNode node);
  bool bind_many(std::int32_t variable, Range range, std::size_t dropped);
  bool same(TSNode a, TSNode b);
  bool same_lists(const Slot& before, Range range);
  Range push_children(TSNode node);
  [[nodiscard]] std::string_view text_of(TSNode node) const;
  [[nodiscard]] bool is_anonymous_leaf(std::size_t goal) const;
  [[nodiscard]] Mark mark() const { return {trail_.size(), nodes_.size(), end_}; }
  void undo(const Mark& mark);
  bool tick();

  const Pattern& pattern_;
  std::string_view text_;
  Source& source_;
  TSTreeCursor cursor_{};
  std::vector<Child> children_;  // of all nodes that are being compared, one after the other
  std::array<Slot, kVariablesMax> slots_{};
  std::vector<std::size_t> trail_;  // variables in the order in which they were bound
  std::vector<TSNode> nodes_;       // the nodes that variables for siblings matched
  std::vector<std::pair<TSNode, TSNode>> pairs_;
  std::uint32_t end_ = 0;
  std::uint32_t steps_ = 0;
};

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_MATCH_H_
