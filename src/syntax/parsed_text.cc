#include "syntax/parsed_text.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "syntax/errors.h"
#include "syntax/memory.h"
#include "syntax/parse.h"

namespace orchestrator::syntax {
namespace {

TSPoint point_at(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, byte);
  const auto rows = static_cast<std::uint32_t>(std::ranges::count(before, '\n'));
  const std::size_t line = before.rfind('\n') + 1;  // npos + 1 is 0
  return {rows, static_cast<std::uint32_t>(byte - line)};
}

/// The single range that differs, without the common beginning and end.
TSInputEdit edit_between(std::string_view before, std::string_view after) {
  const auto [old_at, new_at] = std::ranges::mismatch(before, after);
  const auto same = static_cast<std::size_t>(new_at - after.begin());
  const std::size_t left = std::min(before.size(), after.size()) - same;
  std::size_t tail = 0;
  while (tail < left && before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) ++tail;
  TSInputEdit edit{};
  edit.start_byte = static_cast<std::uint32_t>(same);
  edit.old_end_byte = static_cast<std::uint32_t>(before.size() - tail);
  edit.new_end_byte = static_cast<std::uint32_t>(after.size() - tail);
  edit.start_point = point_at(after, same);
  edit.old_end_point = point_at(before, edit.old_end_byte);
  edit.new_end_point = point_at(after, edit.new_end_byte);
  return edit;
}

}  // namespace

struct ParsedText::Tree {
  Language language;
  TreePtr tree;
};

ParsedText::ParsedText() = default;
ParsedText::~ParsedText() = default;

std::shared_ptr<const ParsedText> parse_text(Language language, std::string text,
                                             const ParsedText* before, const Limits& limits) {
  auto parsed = std::make_shared<ParsedText>();
  parsed->report_.skipped = unfit(text, limits);
  if (parsed->report_.skipped != Skipped::no) return parsed;
  parsed->text_ = std::move(text);
  const std::string_view now = without_mark(parsed->text_);
  Source source(now, limits);
  const bool again = before != nullptr && before->tree_ && before->tree_->language == language;
  parsed->from_nothing_ = !again;
  TreePtr tree;
  const std::int64_t held = allocated_bytes();
  if (again) {
    // A copy shares the nodes; the edit changes only those on its way.
    const TreePtr old(ts_tree_copy(before->tree_->tree.get()));
    const TSInputEdit edit = edit_between(without_mark(before->text_), now);
    ts_tree_edit(old.get(), &edit);
    tree = parse(language, source, old.get());
    // The shared memory cannot be measured: estimate it as the same amount for each byte as before.
    parsed->tree_bytes_ =
        before->tree_bytes_ * parsed->text_.size() / std::max<std::size_t>(before->text_.size(), 1);
  } else {
    tree = parse(language, source);
  }
  const auto taken = std::max<std::int64_t>(allocated_bytes() - held, 0);
  parsed->tree_bytes_ = std::max(parsed->tree_bytes_, static_cast<std::size_t>(taken));
  parsed->report_ = report_of(tree.get(), source, limits);
  if (parsed->report_.skipped != Skipped::no) {
    parsed->text_ = {};
    parsed->tree_bytes_ = 0;
    return parsed;
  }
  parsed->tree_ = std::make_unique<ParsedText::Tree>(ParsedText::Tree{language, std::move(tree)});
  return parsed;
}

}  // namespace orchestrator::syntax
