// Decoders of untrusted bytes: messages of the JS side and records of the log. Both readers get
// each input; what a reader accepts must be the same after it is written and read again.
#include "codec/binary.h"
#include "codec/message.h"
#include "fuzz/support/require.h"

namespace orchestrator::fuzz {
namespace {

void check_event(const Event& event) {
  const std::string bytes = codec::encode_event(event);
  Event again;
  std::string error;
  REQUIRE(codec::decode_event(bytes, again, &error), error);
  REQUIRE(codec::encode_event(again) == bytes);
}

void read_message(std::string_view text) {
  codec::Incoming incoming = codec::decode_message(text);
  if (auto* happening = std::get_if<Happening>(&incoming.what)) {
    REQUIRE(incoming.problem.empty());
    check_event(Event{1, 2, std::move(*happening)});
  } else if (std::holds_alternative<std::monostate>(incoming.what)) {
    REQUIRE(!incoming.problem.empty());
  }
}

void read_record(std::string_view bytes) {
  Event event;
  std::string error;
  if (codec::decode_event(bytes, event, &error)) {
    check_event(event);
  } else {
    REQUIRE(!error.empty());
    REQUIRE(codec::encode_event(event) == codec::encode_event(Event{}));
  }
}

void read_options(std::string_view text) {
  Options options;
  codec::Problems problems;
  const bool taken = codec::parse_options(text, options, problems);
  REQUIRE(taken == problems.empty());
}

}  // namespace
}  // namespace orchestrator::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  orchestrator::fuzz::read_message(bytes);
  orchestrator::fuzz::read_record(bytes);
  orchestrator::fuzz::read_options(bytes);
  return 0;
}
