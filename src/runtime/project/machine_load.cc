#include "runtime/project/machine_load.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

namespace orchestrator::runtime {
namespace {

constexpr double kCalmer = 0.7;

double number_at(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  double value = -1;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
  return error == std::errc{} && end != text.data() + at && std::isfinite(value) ? value : -1;
}

/// The number after `key` in the line that begins with `line`.
double find_number(std::string_view text, std::string_view line, std::string_view key) {
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view one = text.substr(begin, end - begin);
    begin = end + 1;
    if (!one.starts_with(line)) continue;
    const std::size_t at = one.find(key);
    return at == std::string_view::npos ? -1 : number_at(one, at + key.size());
  }
  return -1;
}

std::string percent(const char* what, double value) {
  return std::string(what) + " " + std::to_string(static_cast<int>(value)) + " %";
}

}  // namespace

MachineLoad read_machine(const std::function<std::string(const std::string&)>& read,
                         unsigned cores) {
  MachineLoad machine;
  machine.cpu_stall = find_number(read("/proc/pressure/cpu"), "some", "avg10=");
  machine.memory_stall = find_number(read("/proc/pressure/memory"), "full", "avg10=");
  machine.io_stall = find_number(read("/proc/pressure/io"), "full", "avg10=");
  const std::string average = read("/proc/loadavg");
  const double load = average.empty() ? -1 : number_at(average, 0);
  if (load >= 0) machine.load_per_core = load / std::max(cores, 1U);
  const std::string memory = read("/proc/meminfo");
  const double total = find_number(memory, "MemTotal:", ":");
  const double available = find_number(memory, "MemAvailable:", ":");
  if (total > 0 && available >= 0) machine.memory_free = 100 * available / total;
  return machine;
}

LoadVerdict judge_load(const MachineLoad& machine, Load before) {
  const auto over = [&](Load level, double value, double limit) {
    return value >= 0 && value > (before >= level ? limit * kCalmer : limit);
  };
  const auto under = [&](Load level, double value, double limit) {
    return value >= 0 && value < (before >= level ? limit / kCalmer : limit);
  };
  if (under(Load::critical, machine.memory_free, 4))
    return {Load::critical, percent("memory free", machine.memory_free)};
  if (over(Load::critical, machine.memory_stall, 20))
    return {Load::critical, percent("waiting for memory", machine.memory_stall)};
  if (under(Load::high, machine.memory_free, 10))
    return {Load::high, percent("memory free", machine.memory_free)};
  if (over(Load::high, machine.memory_stall, 5))
    return {Load::high, percent("waiting for memory", machine.memory_stall)};
  if (over(Load::high, machine.io_stall, 40))
    return {Load::high, percent("waiting for the disk", machine.io_stall)};
  // The host serves all sessions on one thread, so one busy core alone is no overload.
  const bool stalls = over(Load::high, machine.cpu_stall, 90) || machine.cpu_stall < 0;
  if (stalls && over(Load::high, machine.load_per_core, machine.cpu_stall < 0 ? 8 : 4)) {
    return {Load::high, "load " +
                            std::to_string(static_cast<int>(machine.load_per_core * 10) / 10) +
                            " for each core"};
  }
  return {};
}

}  // namespace orchestrator::runtime
