#include "syntax/match.h"

#include <algorithm>

namespace orchestrator::syntax {
namespace {

constexpr std::uint32_t kStepsPerClock = 1024;

}  // namespace

Matcher::Matcher(const Pattern& pattern, std::string_view text, Source& source)
    : pattern_(pattern), text_(text), source_(source) {}

Matcher::~Matcher() {
  if (cursor_.tree != nullptr) ts_tree_cursor_delete(&cursor_);
}

bool Matcher::tick() {
  return (++steps_ % kStepsPerClock != 0 || !source_.check_limits()) &&
         source_.stopped() == Skipped::no;
}

std::string_view Matcher::text_of(TSNode node) const {
  const std::uint32_t begin = ts_node_start_byte(node);
  return text_.substr(begin, ts_node_end_byte(node) - begin);
}

bool Matcher::matches(TSNode node) {
  undo({0, 0, 0});
  children_.clear();
  return compare(pattern_.nodes.front(), node) == Answer::matches &&
         source_.stopped() == Skipped::no;
}

Bound Matcher::bound(std::size_t variable) const {
  const Slot& slot = slots_[variable];
  if (!slot.bound) return {};
  if (!slot.many) return {true, ts_node_start_byte(slot.node), ts_node_end_byte(slot.node)};
  if (slot.count == 0) return {true, 0, 0};
  return {true, ts_node_start_byte(nodes_[slot.first]),
          ts_node_end_byte(nodes_[slot.first + slot.count - 1])};
}

void Matcher::undo(const Mark& mark) {
  while (trail_.size() > mark.trail) {
    slots_[trail_.back()].bound = false;
    trail_.pop_back();
  }
  nodes_.resize(mark.nodes);
  end_ = mark.end;
}

Matcher::Answer Matcher::compare(const PatternNode& goal, TSNode node) {
  if (!tick()) return Answer::differs;
  switch (goal.kind) {
    case PatternNode::Kind::leaf:
      if (ts_node_symbol(node) == goal.symbol && (!goal.named || text_of(node) == goal.text)) {
        end_ = ts_node_end_byte(node);
        return Answer::matches;
      }
      return ts_node_is_extra(node) || !ts_node_is_named(node) ? Answer::skip : Answer::differs;
    case PatternNode::Kind::inner:
      return ts_node_symbol(node) == goal.symbol && compare_children(goal, node)
                 ? Answer::matches
                 : (ts_node_is_extra(node) ? Answer::skip : Answer::differs);
    case PatternNode::Kind::one:
    case PatternNode::Kind::siblings:
      if (ts_node_is_extra(node)) return Answer::skip;
      if (goal.named && !ts_node_is_named(node)) return Answer::differs;
      if (!bind_one(goal.variable, node)) return Answer::differs;
      end_ = ts_node_end_byte(node);
      return Answer::matches;
  }
  return Answer::differs;
}

Matcher::Range Matcher::push_children(TSNode node) {
  const std::size_t begin = children_.size();
  if (cursor_.tree == nullptr) {
    cursor_ = ts_tree_cursor_new(node);
  } else {
    ts_tree_cursor_reset(&cursor_, node);
  }
  for (bool more = ts_tree_cursor_goto_first_child(&cursor_); more && tick();
       more = ts_tree_cursor_goto_next_sibling(&cursor_)) {
    children_.push_back(
        {ts_tree_cursor_current_node(&cursor_), ts_tree_cursor_current_field_id(&cursor_)});
  }
  return {begin, children_.size()};
}

bool Matcher::compare_children(const PatternNode& goal, TSNode node) {
  const Range range = push_children(node);
  const bool matched =
      compare_list(goal.first_child, std::size_t{goal.first_child} + goal.children, range);
  children_.resize(range.begin);
  return matched;
}

bool Matcher::is_anonymous_leaf(std::size_t goal) const {
  const PatternNode& node = pattern_.nodes[goal];
  return node.kind == PatternNode::Kind::leaf && !node.named;
}

/// The end of the candidates: fine if the remaining goals may match nothing.
bool Matcher::only_siblings(std::size_t goal, std::size_t goals_end) {
  for (; goal < goals_end; ++goal) {
    const PatternNode& node = pattern_.nodes[goal];
    if (node.kind != PatternNode::Kind::siblings) return false;
    if (!bind_many(node.variable, {0, 0}, 0)) return false;
  }
  return true;
}

bool Matcher::compare_list(std::size_t goal, std::size_t goals_end, Range left) {
  while (goal < goals_end) {
    const PatternNode& node = pattern_.nodes[goal];
    if (node.kind == PatternNode::Kind::siblings) return compare_siblings(goal, goals_end, left);
    if (left.begin == left.end) return false;
    const Child child = children_[left.begin];
    const Mark before = mark();
    Answer answer = compare(node, child.node);
    if (answer == Answer::matches && node.field != 0 && child.field != 0 &&
        node.field != child.field) {
      undo(before);
      answer = Answer::differs;
    }
    if (answer == Answer::differs) return false;
    if (answer == Answer::matches) ++goal;
    ++left.begin;
    if (left.begin == left.end) return only_siblings(goal, goals_end);
  }
  return true;  // what a node has beyond the pattern does not matter
}

/// Takes as few candidates as possible, and more only if the rest does not match otherwise.
bool Matcher::compare_siblings(std::size_t goal, std::size_t goals_end, Range left) {
  const std::int32_t variable = pattern_.nodes[goal].variable;
  // The separators after it may be left out together with what they separate.
  std::size_t next = goal + 1;
  while (next < goals_end && is_anonymous_leaf(next)) ++next;
  const std::size_t dropped = next - goal - 1;
  if (next == goals_end) {
    if (!bind_many(variable, left, dropped)) return false;
    if (left.begin < left.end) end_ = ts_node_end_byte(children_[left.end - 1].node);
    return true;
  }
  if (pattern_.nodes[next].kind == PatternNode::Kind::siblings) {
    return bind_many(variable, {left.begin, left.begin}, 0) && compare_list(next, goals_end, left);
  }
  const Mark before = mark();
  for (std::size_t at = left.begin; at < left.end && tick(); ++at) {
    if (compare(pattern_.nodes[next], children_[at].node) == Answer::matches) {
      const std::uint32_t end = end_;
      if (bind_many(variable, {left.begin, at}, dropped)) {
        end_ = end;
        const bool done = at + 1 == left.end
                              ? only_siblings(next + 1, goals_end)
                              : compare_list(next + 1, goals_end, {at + 1, left.end});
        if (done) return true;
      }
    }
    undo(before);
  }
  return false;
}

bool Matcher::bind_one(std::int32_t variable, TSNode node) {
  if (variable < 0) return true;
  const auto index = static_cast<std::size_t>(variable);
  Slot& slot = slots_[index];
  if (slot.bound) return !slot.many && same(slot.node, node);
  slot = {true, false, node, 0, 0};
  trail_.push_back(index);
  return true;
}

bool Matcher::bind_many(std::int32_t variable, Range range, std::size_t dropped) {
  while (dropped > 0 && range.end > range.begin &&
         !ts_node_is_named(children_[range.end - 1].node)) {
    --range.end;
    --dropped;
  }
  if (variable < 0) return true;
  const auto index = static_cast<std::size_t>(variable);
  Slot& slot = slots_[index];
  if (slot.bound) return slot.many && same_lists(slot, range);
  slot = {true, true, {}, nodes_.size(), range.end - range.begin};
  for (std::size_t i = range.begin; i < range.end; ++i) nodes_.push_back(children_[i].node);
  trail_.push_back(index);
  return true;
}

bool Matcher::same_lists(const Slot& before, Range range) {
  std::size_t a = before.first;
  const std::size_t a_end = before.first + before.count;
  std::size_t b = range.begin;
  while (true) {
    while (a < a_end && !ts_node_is_named(nodes_[a])) ++a;
    while (b < range.end && !ts_node_is_named(children_[b].node)) ++b;
    if (a == a_end || b == range.end) return a == a_end && b == range.end;
    if (!same(nodes_[a++], children_[b++].node)) return false;
  }
}

/// Equal code, whatever the white space. No recursion: texts may be deep.
bool Matcher::same(TSNode first, TSNode second) {
  pairs_.assign(1, {first, second});
  while (!pairs_.empty()) {
    const auto [a, b] = pairs_.back();
    pairs_.pop_back();
    if (!tick()) return false;
    if (ts_node_eq(a, b) || (ts_node_symbol(a) == ts_node_symbol(b) && text_of(a) == text_of(b)))
      continue;
    if (ts_node_named_child_count(a) == 0 || ts_node_named_child_count(b) == 0) {
      const bool named = ts_node_is_named(a) || ts_node_is_named(b);
      if (named ? text_of(a) == text_of(b) : ts_node_symbol(a) == ts_node_symbol(b)) continue;
      return false;
    }
    if (ts_node_symbol(a) != ts_node_symbol(b)) return false;
    const Range as = push_children(a);
    const Range bs = push_children(b);
    const bool even = as.end - as.begin == bs.end - bs.begin;
    for (std::size_t i = 0; even && i < as.end - as.begin; ++i)
      pairs_.emplace_back(children_[as.begin + i].node, children_[bs.begin + i].node);
    children_.resize(as.begin);
    if (!even) return false;
  }
  return true;
}

}  // namespace orchestrator::syntax
