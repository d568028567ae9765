#include "core/mission/mission_flags.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "base/nearest.h"

namespace orchestrator::core {
namespace {

constexpr std::array<std::string_view, 5> kFlags = {"--parallel", "--budget", "--time",
                                                    "--isolation", "--background"};

// Not std::isspace and std::tolower: their answers depend on the process's locale.
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// Removes quotes that enclose the whole text: `"a \"b\""` -> `a "b"`.
std::string unquote(std::string_view text) {
  text = trim(text);
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  // The host quotes only words that contain a space: other quotes are the user's own.
  if (text.size() > 2 && text.find(' ') == std::string_view::npos) return std::string(text);
  const std::string_view inside = text.substr(1, text.size() - 2);
  std::string plain;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] == '\\' && i + 1 < inside.size() && inside[i + 1] == '"') {
      plain += '"';
      ++i;
    } else if (inside[i] == '"') {
      return std::string(text);
    } else {
      plain += inside[i];
    }
  }
  return plain;
}

std::string_view first_word(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && !is_space(text[end])) ++end;
  return text.substr(0, end);
}

std::string_view last_word(std::string_view text) {
  std::size_t start = text.size();
  while (start > 0 && !is_space(text[start - 1])) --start;
  return text.substr(start);
}

bool is_flag(std::string_view word) {
  const std::string_view name = word.substr(0, word.find('='));
  for (const std::string_view flag : kFlags) {
    if (name == flag) return true;
  }
  return false;
}

std::optional<double> number_prefix(std::string_view text, std::string_view& unit) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value) || value <= 0) return std::nullopt;
  unit = text.substr(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

void set_budget(MissionFlags& command, std::string_view value) {
  std::string_view unit_text;
  const auto amount = number_prefix(value, unit_text);
  const std::string unit = lower(unit_text);
  const double scale = unit == "tok" ? 1 : unit == "ktok" ? 1e3 : unit == "mtok" ? 1e6 : 0;
  if (amount && unit == "usd") {
    command.budget_usd = *amount;
  } else if (amount && scale > 0 && *amount * scale >= 1 && *amount * scale <= 1e15) {
    command.budget_tokens = static_cast<std::uint64_t>(*amount * scale);
  } else {
    command.problems.push_back(
        "--budget " + std::string(value) +
        ": write an amount above 0 with its unit, e.g. 5usd, 800ktok or 2Mtok");
  }
}

void set_time(MissionFlags& command, std::string_view value) {
  std::string_view unit_text;
  const auto amount = number_prefix(value, unit_text);
  const std::string unit = lower(unit_text);
  const double scale = unit == "s"                    ? 1e3
                       : unit == "m" || unit == "min" ? 6e4
                       : unit == "h"                  ? 3.6e6
                                                      : 0;
  if (!amount || scale <= 0 || *amount * scale > 1e12) {
    command.problems.push_back("--time " + std::string(value) +
                               ": write an amount above 0 with its unit, e.g. 90s, 30m or 2h");
    return;
  }
  command.time_ms = static_cast<TimeMs>(*amount * scale);
}

void set_parallel(MissionFlags& command, std::string_view value) {
  std::uint32_t n = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), n);
  if (error != std::errc{} || end != value.data() + value.size() || n < 1 || n > kParallelMax) {
    command.problems.push_back("--parallel " + std::string(value) +
                               ": write a whole number from 1 to " + std::to_string(kParallelMax));
    return;
  }
  command.parallel = n;
}

void set_flag(MissionFlags& command, std::string_view name, std::string_view value) {
  if (name == "--background") {
    command.background = true;
  } else if (value.empty()) {
    command.problems.push_back(std::string(name) + ": its value is missing");
  } else if (name == "--parallel") {
    set_parallel(command, value);
  } else if (name == "--budget") {
    set_budget(command, value);
  } else if (name == "--time") {
    set_time(command, value);
  } else if (value == "shared") {
    command.isolation = Isolation::shared;
  } else if (value == "worktree") {
    command.isolation = Isolation::worktree;
  } else {
    command.problems.push_back("--isolation " + std::string(value) + ": write shared or worktree");
  }
}

/// Takes `--flag value`, `--flag=value` or `--background` off the front of `rest`.
bool take_front(std::string_view& rest, MissionFlags& command) {
  const std::string_view word = first_word(rest);
  if (!is_flag(word)) return false;
  rest = trim(rest.substr(word.size()));
  const std::size_t equals = word.find('=');
  if (equals != std::string_view::npos) {
    set_flag(command, word.substr(0, equals), word.substr(equals + 1));
  } else if (word == "--background") {
    set_flag(command, word, "");
  } else {
    const std::string_view value = first_word(rest);
    rest = trim(rest.substr(value.size()));
    set_flag(command, word, value);
  }
  return true;
}

/// Takes the same off the end of `rest`.
bool take_back(std::string_view& rest, MissionFlags& command) {
  const std::string_view word = last_word(rest);
  const std::size_t equals = word.find('=');
  if (is_flag(word) && (word == "--background" || equals != std::string_view::npos)) {
    rest = trim(rest.substr(0, rest.size() - word.size()));
    set_flag(command, word.substr(0, equals),
             equals == std::string_view::npos ? "" : word.substr(equals + 1));
    return true;
  }
  const std::string_view before = trim(rest.substr(0, rest.size() - word.size()));
  const std::string_view flag = last_word(before);
  if (!is_flag(flag) || flag == "--background" || flag.find('=') != std::string_view::npos) {
    return false;
  }
  rest = trim(before.substr(0, before.size() - flag.size()));
  set_flag(command, flag, word);
  return true;
}

/// Reports a word that resembles a flag (`--paralel 3 build it`) as a typing error.
void check_for_slip(std::string_view rest, MissionFlags& command) {
  const std::string_view word = first_word(rest);
  if (!word.starts_with("--")) return;
  if (const auto meant = base::nearest(word.substr(0, word.find('=')), kFlags)) {
    command.problems.push_back(std::string(word) + ": no such flag; did you mean " + *meant + "?");
  }
}

}  // namespace

MissionFlags parse_mission_flags(const std::string& arguments, HostMode mode) {
  MissionFlags command;
  const std::string whole = mode == HostMode::run ? unquote(arguments) : arguments;
  std::string_view rest = trim(whole);
  while (!rest.empty() && take_front(rest, command)) {
  }
  while (!rest.empty() && take_back(rest, command)) {
  }
  check_for_slip(rest, command);
  const bool flags_outside = rest.size() != trim(whole).size();
  command.objective = mode == HostMode::run && flags_outside ? unquote(rest) : std::string(rest);
  if (trim(command.objective).empty()) {
    command.problems.push_back(
        "the objective is empty: write what is to be built after the command, "
        "e.g. /task add a CSV export with tests");
  }
  return command;
}

}  // namespace orchestrator::core
