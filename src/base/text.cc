#include "base/text.h"

#include <algorithm>
#include <utility>

namespace orchestrator::base {

std::string trimmed(const std::string& text) {
  const char* spaces = " \t\r\n";
  const std::size_t start = text.find_first_not_of(spaces);
  if (start == std::string::npos) return "";
  return text.substr(start, text.find_last_not_of(spaces) - start + 1);
}

std::string clip(const std::string& text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max > 3 ? bytes_max - 3 : 0;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "…";
}

std::string one_line(std::string text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  std::ranges::replace_if(text, is_control, ' ');
  return trimmed(text);
}

std::string first_line(const std::string& text, std::size_t bytes_max) {
  return clip(text.substr(0, text.find('\n')), bytes_max);
}

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

std::string listed(std::string head, const std::vector<std::string>& items) {
  for (const std::string& item : items) head += "\n- " + item;
  return head;
}

void append(std::vector<std::string>& items, std::vector<std::string> more) {
  for (std::string& item : more) items.push_back(std::move(item));
}

}  // namespace orchestrator::base
