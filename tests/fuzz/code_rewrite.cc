// Rewriting by a pattern, the diff of it, and the outline of what came out.
// Input: a byte for the language, the pattern, a zero byte, the rewrite, a zero byte, the text.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/unified_diff.h"
#include "fuzz/support/require.h"
#include "syntax/outline.h"
#include "syntax/rewrite.h"
#include "syntax/search.h"

namespace orchestrator::fuzz {
namespace {

constexpr std::size_t kTextMax = 4096;

/// Carries a diff out, as `patch` does.
std::string patched(std::string_view text, std::string_view diff) {
  std::string out;
  std::size_t at = 0;
  const auto line_of = [](std::string_view from, std::size_t begin) {
    const std::size_t end = from.find('\n', begin);
    return from.substr(begin, end == std::string_view::npos ? end : end + 1 - begin);
  };
  std::size_t row = 1;
  for (std::size_t i = 0; i < diff.size();) {
    std::string_view line = line_of(diff, i);
    i += line.size();
    if (line.starts_with("--- ") || line.starts_with("+++ ")) continue;
    if (line.starts_with("@@")) {
      const std::size_t comma = line.find(',');
      std::size_t first = std::stoul(std::string(line.substr(4, comma - 4)));
      if (line.substr(comma + 1, 2) == "0 ") ++first;
      for (; row < first; ++row) {
        const std::string_view kept = line_of(text, at);
        out += kept;
        at += kept.size();
      }
      continue;
    }
    if (line.starts_with("\\")) continue;
    const char mark = line[0];
    line.remove_prefix(1);
    if (diff.substr(i).starts_with("\\ No newline")) line.remove_suffix(1);
    if (mark != '+') {
      REQUIRE(text.substr(at, line.size()) == line, diff);
      at += line.size();
      ++row;
    }
    if (mark != '-') out += line;
  }
  return out + std::string(text.substr(at));
}

void run(syntax::Language language, std::string_view pattern, std::string_view replacement,
         std::string_view text) {
  const auto search = syntax::Search::for_pattern(language, pattern);
  if (!search.ok()) return;
  const auto rewrite = syntax::Rewrite::compile(*search.value().pattern(), replacement);
  if (!rewrite.ok()) return;
  const auto found = search.value().run(text).found;
  const auto result = rewrite.value().apply(text, found);
  REQUIRE(result.edits.size() + result.nested <= found.size());
  REQUIRE(result.edits.empty() || !found.empty());
  REQUIRE(!result.edits.empty() || result.text == text);
  const std::string diff = base::unified_diff("a", text, result.edits);
  REQUIRE(patched(text, diff) == result.text, diff);
  (void)syntax::judge_rewrite(language, text, result.text).why_not.size();
  (void)syntax::outline_of(language, result.text).symbols.size();
}

}  // namespace
}  // namespace orchestrator::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace orchestrator;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = bytes.find('\0');
  if (zero == std::string_view::npos || zero < 1 || size > fuzz::kTextMax) return 0;
  const std::size_t second = bytes.find('\0', zero + 1);
  if (second == std::string_view::npos) return 0;
  const auto language =
      syntax::kLanguages[static_cast<std::uint8_t>(bytes[0]) % syntax::kLanguages.size()];
  fuzz::run(language, bytes.substr(1, zero - 1), bytes.substr(zero + 1, second - zero - 1),
            bytes.substr(second + 1));
  return 0;
}
