#include "base/unified_diff.h"

#include <algorithm>

namespace orchestrator::base {
namespace {

constexpr std::size_t kAround = 3;

using Lines = std::vector<std::string_view>;  // each with its end

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

/// A range of old lines and the text that replaces it.
struct Change {
  std::size_t first = 0;  // index of the first old line
  std::size_t last = 0;   // behind the last
  std::string text;       // the new text of the range
};

class Differ {
 public:
  Differ(std::string_view before, const std::vector<Edit>& edits) : before_(before) {
    std::size_t at = 0;
    for (const std::string_view line : old_ = lines_of(before)) {
      starts_.push_back(at);
      at += line.size();
    }
    for (const Edit& edit : edits) add(edit);
    close();
  }

  [[nodiscard]] std::string run(std::string_view path) const {
    std::string out;
    std::size_t gained = 0;  // modulo 2^64, which is harmless in sums
    for (std::size_t i = 0; i < changes_.size();) {
      std::size_t last = i;
      while (last + 1 < changes_.size() &&
             changes_[last + 1].first - changes_[last].last <= 2 * kAround) {
        ++last;
      }
      hunk(i, last, gained, out);
      i = last + 1;
    }
    if (out.empty()) return out;
    const std::string name(path);
    return "--- a/" + name + "\n+++ b/" + name + "\n" + out;
  }

 private:
  [[nodiscard]] std::size_t line_of(std::size_t byte) const {
    const auto next = std::ranges::upper_bound(starts_, byte);
    return next == starts_.begin() ? 0 : static_cast<std::size_t>(next - starts_.begin()) - 1;
  }
  [[nodiscard]] std::size_t start_of(std::size_t line) const {
    return line < starts_.size() ? starts_[line] : before_.size();
  }

  void add(const Edit& edit) {
    const std::size_t first = line_of(edit.begin);
    const std::size_t last = std::min(line_of(edit.end) + 1, old_.size());
    if (changes_.empty() || first >= changes_.back().last) {
      close();
      changes_.push_back({first, last, std::string(between(start_of(first), edit.begin))});
    } else {
      changes_.back().last = std::max(changes_.back().last, last);
      changes_.back().text += between(done_, edit.begin);
    }
    changes_.back().text += edit.text;
    done_ = edit.end;
  }

  /// Completes the last change and trims its unchanged lines.
  void close() {
    if (changes_.empty() || closed_ == changes_.size()) return;
    Change& change = changes_.back();
    change.text += between(done_, start_of(change.last));
    const Lines now = lines_of(change.text);
    std::size_t begin = 0;
    std::size_t end = now.size();
    while (change.first < change.last && begin < end && old_[change.first] == now[begin]) {
      ++change.first;
      ++begin;
    }
    while (change.last > change.first && end > begin && old_[change.last - 1] == now[end - 1]) {
      --change.last;
      --end;
    }
    std::string kept;
    for (std::size_t i = begin; i < end; ++i) kept += now[i];
    change.text = std::move(kept);
    if (change.first == change.last && change.text.empty()) changes_.pop_back();
    closed_ = changes_.size();
  }

  [[nodiscard]] std::string_view between(std::size_t begin, std::size_t end) const {
    return begin < end ? before_.substr(begin, end - begin) : std::string_view();
  }

  void hunk(std::size_t first, std::size_t last, std::size_t& gained, std::string& out) const {
    const std::size_t begin = changes_[first].first - std::min(changes_[first].first, kAround);
    const std::size_t end = std::min(changes_[last].last + kAround, old_.size());
    std::string body;
    std::size_t at = begin;
    std::size_t new_lines = 0;
    const auto put = [&body](char mark, std::string_view line) {
      body += mark;
      body += line;
      if (line.empty() || line.back() != '\n') body += "\n\\ No newline at end of file\n";
    };
    const auto keep_until = [&](std::size_t stop) {
      for (; at < stop; ++at, ++new_lines) put(' ', old_[at]);
    };
    for (std::size_t i = first; i <= last; ++i) {
      const Change& change = changes_[i];
      keep_until(change.first);
      for (; at < change.last; ++at) put('-', old_[at]);
      for (const std::string_view line : lines_of(change.text)) {
        put('+', line);
        ++new_lines;
      }
    }
    keep_until(end);
    const std::size_t old_lines = end - begin;
    const auto place = [](std::size_t start, std::size_t count) {
      return std::to_string(count == 0 ? start : start + 1) + "," + std::to_string(count);
    };
    out += "@@ -" + place(begin, old_lines) + " +" + place(begin + gained, new_lines) + " @@\n";
    out += body;
    gained += new_lines - old_lines;
  }

  std::string_view before_;
  Lines old_;
  std::vector<std::size_t> starts_;
  std::vector<Change> changes_;
  std::size_t closed_ = 0;  // changes that are complete
  std::size_t done_ = 0;    // bytes of the old text behind the last edit
};

}  // namespace

std::string unified_diff(std::string_view path, std::string_view before,
                         const std::vector<Edit>& edits) {
  return Differ(before, edits).run(path);
}

}  // namespace orchestrator::base
