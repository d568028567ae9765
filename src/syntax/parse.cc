#include "syntax/parse.h"

#include <algorithm>
#include <cstdlib>

#include "base/utf8.h"
#include "syntax/memory.h"

namespace orchestrator::syntax {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kChunk = 32U << 10U;       // bytes the lexer gets at a time
constexpr std::size_t kBytesCeiling = 64U << 20U;  // whatever the limits say: offsets are 32 bits

}  // namespace

Skipped unfit(std::string_view text, const Limits& limits) {
  if (text.size() > std::min(limits.bytes_max, kBytesCeiling)) return Skipped::too_large;
  if (text.find('\0') != std::string_view::npos) return Skipped::binary;
  if (!base::is_utf8(text)) return Skipped::not_utf8;
  return Skipped::no;
}

Source::Source(std::string_view text, const Limits& limits)
    : text_(text), deadline_(Clock::now() + limits.time_max) {
  count_allocations();
  bytes_max_ = allocated_bytes() + static_cast<std::int64_t>(limits.memory_max);
}

bool Source::check_limits() {
  if (stopped_ != Skipped::no) return true;
  if (allocated_bytes() > bytes_max_) stopped_ = Skipped::memory_limit;
  if (Clock::now() >= deadline_) stopped_ = Skipped::time_limit;
  return stopped_ != Skipped::no;
}

const char* Source::read(void* payload, std::uint32_t offset, TSPoint, std::uint32_t* length) {
  auto& source = *static_cast<Source*>(payload);
  const auto size = static_cast<std::uint32_t>(source.text_.size());
  if (offset >= size || source.check_limits()) {
    *length = 0;
    return "";
  }
  *length = std::min(kChunk, size - offset);
  return source.text_.data() + offset;
}

std::string_view without_mark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

TreePtr parse(Language language, Source& source, const TSTree* before) {
  const ParserPtr parser(ts_parser_new());
  if (!ts_parser_set_language(parser.get(), grammar_of(language))) std::abort();  // a wrong build
  const TSInput input{&source, &Source::read, TSInputEncodingUTF8, nullptr};
  TreePtr tree(ts_parser_parse_with_options(parser.get(), before, input, {&source, &Source::stop}));
  if (source.stopped() != Skipped::no) return nullptr;
  return tree;
}

}  // namespace orchestrator::syntax
