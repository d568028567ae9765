#include "core/tools/todo_format.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "orchestrator/step.h"

namespace orchestrator {
namespace core {
namespace {

constexpr std::size_t kTextBytesMax = std::size_t{1} << 20U;
constexpr std::size_t kLinesMax = 2'000;
constexpr std::array<std::string_view, 3> kCards = {" (agent: ", " (files: ", " (deps: "};

struct Box {
  TodoMark mark;
  std::string_view text;
};
/// Marks and their letters; the first letter of a mark is the one that the engine writes.
constexpr std::array kBoxes = {Box{TodoMark::open, " "},    Box{TodoMark::done, "x"},
                               Box{TodoMark::running, "~"}, Box{TodoMark::blocked, "!"},
                               Box{TodoMark::dropped, "-"}, Box{TodoMark::done, "X"},
                               Box{TodoMark::open, ""}};

std::string_view box_of(TodoMark mark) { return std::ranges::find(kBoxes, mark, &Box::mark)->text; }

TodoMark mark_of(TaskStatus status) {
  switch (status) {
    case TaskStatus::done:
      return TodoMark::done;
    case TaskStatus::running:
    case TaskStatus::submitted:
    case TaskStatus::reviewing:
    case TaskStatus::rework:
      return TodoMark::running;
    case TaskStatus::blocked:
      return TodoMark::blocked;
    case TaskStatus::dropped:
      return TodoMark::dropped;
    case TaskStatus::pending:
    case TaskStatus::ready:
      return TodoMark::open;
  }
  return TodoMark::open;
}

// ---- items of a card ----------------------------------------------------------------------------

/// End of the first item. A comma within braces belongs to a glob: `src/{a,b}.cc` is one item.
std::size_t item_end(std::string_view text) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}') --depth;
    if (text[i] == ';' || (text[i] == ',' && depth <= 0)) return i;
  }
  return text.size();
}

bool is_plain(const std::string& item) {
  return !item.empty() && item == base::one_line(item) && item_end(item) == item.size() &&
         std::ranges::count(item, '{') == std::ranges::count(item, '}') &&
         item.find_first_of("()\"\\") == std::string::npos;
}

std::string written_item(const std::string& item) {
  if (is_plain(item)) return item;
  std::string text = "\"";
  for (const char c : item) {
    if (c == '"' || c == '\\' || c == '(') text += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      constexpr std::string_view kHex = "0123456789abcdef";
      const auto code = static_cast<unsigned char>(c);
      text += {'\\', 'x', kHex[code >> 4U], kHex[code & 15U]};
    } else {
      text += c;
    }
  }
  return text + '"';
}

template <class Items>
std::string written_items(const Items& items) {
  std::string text;
  for (const auto& item : items) {
    if (!text.empty()) text += ", ";
    if constexpr (requires { item.value; }) {
      text += written_item(item.value);
    } else {
      text += written_item(item);
    }
  }
  return text;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Takes the quoted item off the front of `text`.
std::string take_quoted(std::string_view& text) {
  std::string item;
  std::size_t i = 1;
  for (; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] != '\\' || i + 1 >= text.size()) {
      item += text[i];
      continue;
    }
    ++i;
    const int high = i + 2 < text.size() && text[i] == 'x' ? hex_digit(text[i + 1]) : -1;
    const int low = high < 0 ? -1 : hex_digit(text[i + 2]);
    if (low < 0) {
      item += text[i];
    } else {
      item += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  text.remove_prefix(std::min(i + 1, text.size()));
  return item;
}

std::string_view without_spaces(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r";
  const std::size_t start = text.find_first_not_of(kSpaces);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kSpaces) - start + 1);
}

/// Takes the items up to the next `;` or the end off the front of `text`.
std::vector<std::string> take_items(std::string_view& text) {
  std::vector<std::string> items;
  while (true) {
    text = without_spaces(text);
    if (text.starts_with('"')) items.push_back(take_quoted(text));
    const std::size_t end = item_end(text);
    const std::string_view plain = without_spaces(text.substr(0, end));
    if (!plain.empty()) items.emplace_back(plain);
    const bool more = end < text.size() && text[end] == ',';
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!more) return items;
  }
}

void read_card(std::string_view card, TodoLine& line) {
  while (!card.empty()) {
    card = without_spaces(card);
    const std::size_t colon = std::min(card.find(':'), card.size());
    const std::string_view key = without_spaces(card.substr(0, colon));
    card.remove_prefix(std::min(colon + 1, card.size()));
    std::vector<std::string> items = take_items(card);
    if (key == "agent" && !items.empty()) line.agent = std::move(items.front());
    if (key == "files") line.files = std::move(items);
    if (key == "deps") {
      line.deps.clear();
      for (std::string& item : items) line.deps.emplace_back(std::move(item));
    }
  }
}

// ---- lines --------------------------------------------------------------------------------------

/// Reads the rest of a line after `- [x]`: id, title, card.
TodoLine read_line(TodoMark mark, std::string_view rest) {
  TodoLine line;
  line.mark = mark;
  if (rest.ends_with(')')) {
    std::size_t card = std::string_view::npos;
    for (const std::string_view start : kCards) {
      const std::size_t at = rest.rfind(start);
      if (at != std::string_view::npos && (card == std::string_view::npos || at > card)) card = at;
    }
    if (card != std::string_view::npos) {
      read_card(rest.substr(card + 2, rest.size() - card - 3), line);
      rest = rest.substr(0, card);
    }
  }
  rest = without_spaces(rest);
  const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
  if (valid_task_id(std::string(word))) {
    line.id = TaskId(std::string(word));
    rest = without_spaces(rest.substr(word.size()));
  }
  line.title = base::one_line(std::string(rest));
  return line;
}

/// A line that could be a task, without its bullet: `[x] …`.
struct Boxed {
  std::string_view box;
  std::string_view rest;
};

std::optional<Boxed> boxed(std::string_view line) {
  line = without_spaces(line);
  if (line.empty() || std::string_view("-*+").find(line.front()) == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view item = without_spaces(line.substr(1));
  const std::size_t close = item.find(']');
  // The mark is one character, of up to four bytes.
  if (!item.starts_with('[') || close == std::string_view::npos || close > 5) return std::nullopt;
  const std::string_view rest = item.substr(close + 1);
  if (!rest.empty() && rest.front() != ' ' && rest.front() != '\t') return std::nullopt;
  return Boxed{item.substr(1, close - 1), without_spaces(rest)};
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    const int more = lead < 0x80 ? 0 : lead >= 0xC2 && lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    if (lead >= 0x80 && (lead < 0xC2 || lead > 0xF4)) return false;
    for (int k = 0; k < more; ++k, ++i) {
      if (i >= text.size() || (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) return false;
    }
  }
  return true;
}

base::Error no_list(std::string what, std::string where = "todo.md") {
  return base::Error{std::move(what), std::move(where), "the engine restores it"};
}

/// The mission's id in a heading such as `Mission m-abc, executing, iteration 1`.
std::string_view mission_in(std::string_view line) {
  constexpr std::string_view kStart = "Mission ";
  const std::size_t end = line.find(", ");
  if (!line.starts_with(kStart) || end == std::string_view::npos) return {};
  return line.substr(kStart.size(), end - kStart.size());
}

}  // namespace

base::Result<TodoText> parse_todo(std::string_view text) {
  if (text.size() > kTextBytesMax) return no_list("is over 1 MiB long");
  if (text.find('\0') != std::string_view::npos) return no_list("holds NUL bytes");
  if (!is_utf8(text)) return no_list("is not UTF-8");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  TodoText todo;
  bool headed = false;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    headed = headed || line.starts_with("# ");
    if (todo.mission.empty()) todo.mission.value = mission_in(without_spaces(line));
    const auto found = boxed(line);
    if (!found) continue;
    const auto box = std::ranges::find(kBoxes, found->box, &Box::text);
    if (box == kBoxes.end()) {
      return no_list("\"[" + std::string(found->box) + "]\" is no mark; there are " +
                         "[ ], [x] done, [~] running, [!] blocked and [-] dropped",
                     "todo.md:" + std::to_string(number));
    }
    if (found->rest.empty()) continue;
    if (todo.lines.size() >= kLinesMax) return no_list("has over 2000 task lines");
    todo.lines.push_back(read_line(box->mark, found->rest));
  }
  if (!headed) return no_list("has lost its heading");
  if (todo.lines.empty()) return no_list("has no task line left (/stop ends a mission)");
  return todo;
}

std::vector<TodoLine> todo_lines(const State& state) {
  std::vector<TodoLine> lines;
  lines.reserve(state.tasks.size());
  for (const Task& task : state.tasks) {
    lines.push_back({task.id, mark_of(task.status), base::one_line(task.title), task.agent,
                     task.files, task.deps});
  }
  return lines;
}

}  // namespace core

std::string todo_markdown(const State& state) {
  std::string text = "# " + base::one_line(base::first_line(state.objective, 120)) +
                     "\n\nMission " + state.mission.value + ", " +
                     std::string(to_name(state.phase)) + ", iteration " +
                     std::to_string(state.iteration) + "\n\n";
  for (const TodoLine& line : core::todo_lines(state)) {
    text += "- [" + std::string(core::box_of(line.mark)) + "] " + line.id.value + " " + line.title +
            " (agent: " + core::written_item(line.agent);
    if (!line.files.empty()) text += "; files: " + core::written_items(line.files);
    if (!line.deps.empty()) text += "; deps: " + core::written_items(line.deps);
    text += ")\n";
  }
  return text;
}

}  // namespace orchestrator
