#include "runtime/history/git_ignore.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>
#include <vector>

namespace orchestrator::runtime {
namespace {

constexpr std::size_t kBytesMax = 1U << 16U;
/// What the host would write, did it come first; it does not add to a file that is there.
constexpr std::string_view kOfTheHost =
    "node_modules\npackage.json\npackage-lock.json\nbun.lock\n.gitignore\n";
/// With their temporary names.
constexpr std::array<std::string_view, 2> kOurs = {"/mission_loop.json*", "/todo.md*"};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

base::Result<void> hide_state_from_git(os::FileSystem& fs, const std::string& root) {
  const std::string path = root + "/.opencode/.gitignore";
  std::string text(kOfTheHost);
  if (fs.exists(path)) {
    auto read = fs.read(path, kBytesMax);
    if (!read.ok()) return read.error();
    text = std::move(read).value();
    const auto lines = lines_of(text);
    const bool generated = std::ranges::find(lines, ".gitignore") != lines.end();
    const bool done = std::ranges::all_of(kOurs, [&](std::string_view line) {
      return std::ranges::find(lines, line) != lines.end();
    });
    if (!generated || done) return {};
  }
  if (!text.empty() && text.back() != '\n') text.push_back('\n');
  for (const std::string_view line : kOurs) text += std::string(line) + "\n";
  return os::atomic_replace(fs, path, text);
}

}  // namespace orchestrator::runtime
