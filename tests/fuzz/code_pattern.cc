// A code pattern from a model and a text from anywhere: the compiler, the matcher and the
// prefilter. What the prefilter leaves unparsed must hold no match, and what is found must lie in
// the text. Input: a byte for the language, the pattern, a zero byte, the text.
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/support/require.h"
#include "syntax/check.h"
#include "syntax/prefilter.h"
#include "syntax/search.h"

namespace orchestrator::fuzz {
namespace {

constexpr std::size_t kTextMax = 4096;

void check_places(const syntax::SearchResult& result, std::string_view text) {
  REQUIRE(result.skipped == syntax::Skipped::no || result.found.empty());
  std::uint32_t last = 0;
  for (const syntax::Found& found : result.found) {
    REQUIRE(found.span.begin >= last);
    last = found.span.begin;
    REQUIRE(found.span.begin <= found.own_end && found.own_end <= found.span.end);
    REQUIRE(found.span.end <= text.size());
    for (const auto& capture : found.captures) {
      REQUIRE(capture.span.begin <= capture.span.end && capture.span.end <= text.size());
    }
  }
}

void run(syntax::Language language, std::string_view pattern, std::string_view text) {
  syntax::SearchLimits limits;
  limits.parse.time_max = std::chrono::milliseconds(2000);
  if (const auto query = syntax::Search::for_query(language, pattern); query.ok())
    check_places(query.value().run(text, limits), text);
  const auto search = syntax::Search::for_pattern(language, pattern);
  if (!search.ok()) {
    REQUIRE(!search.error().what.empty());
    return;
  }
  const syntax::SearchResult filtered = search.value().run(text, limits);
  check_places(filtered, text);
  limits.prefilter = false;
  const syntax::SearchResult all = search.value().run(text, limits);
  check_places(all, text);
  // A wrong text is parsed by guesses, which depend on the text around; and the product never
  // parses what has no literal.
  const bool sound = syntax::check_syntax(language, text).clean();
  if (!sound || filtered.skipped != all.skipped) return;
  REQUIRE(filtered.found == all.found, std::string(pattern));
}

}  // namespace
}  // namespace orchestrator::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace orchestrator;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = bytes.find('\0');
  if (zero == std::string_view::npos || zero < 1 || size > fuzz::kTextMax) return 0;
  const auto language =
      syntax::kLanguages[static_cast<std::uint8_t>(bytes[0]) % syntax::kLanguages.size()];
  fuzz::run(language, bytes.substr(1, zero - 1), bytes.substr(zero + 1));
  return 0;
}
