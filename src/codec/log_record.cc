#include "codec/log_record.h"

#include <utility>

#include "codec/binary.h"
#include "codec/legacy_state.h"
#include "orchestrator/step.h"

namespace orchestrator::codec {
namespace {

constexpr std::size_t kWitnessBytes = 4;

}  // namespace

std::string encode_event_record(const Event& event) {
  std::string record(kWitnessBytes, '\0');
  encode_to(event, record);
  return record;
}

void set_witness(std::string& record, std::uint32_t witness) {
  for (std::size_t i = 0; i < kWitnessBytes; ++i)
    record[i] = static_cast<char>(static_cast<unsigned char>(witness >> (8 * i)));
}

bool decode_event_record(std::string_view bytes, std::uint32_t version, LoggedEvent& logged,
                         std::string* error) {
  logged.witness = 0;
  logged.has_witness = version >= 2;
  if (logged.has_witness) {
    if (bytes.size() < kWitnessBytes) {
      if (error != nullptr) *error = "shorter than its witness";
      return false;
    }
    for (std::size_t i = 0; i < kWitnessBytes; ++i)
      logged.witness |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    bytes.remove_prefix(kWitnessBytes);
  }
  if (!decode(bytes, logged.event, error)) return false;
  // Durations are added to it: a time that no clock can show must not overflow.
  constexpr TimeMs kTimeMax = TimeMs{1} << 52U;
  if (logged.event.at_ms > -kTimeMax && logged.event.at_ms < kTimeMax) return true;
  if (error != nullptr) *error = "an event of no time";
  return false;
}

std::string encode_mark(const StateMark& mark) { return encode(mark); }

bool decode_mark(std::string_view bytes, StateMark& mark, std::string* error) {
  return decode(bytes, mark, error);
}

std::string encode_state(const State& state, std::uint32_t version) {
  return version < kStateVersion ? encode(legacy::to_legacy(state)) : encode(state);
}

bool decode_state(std::string_view bytes, std::uint32_t version, State& state, std::string* error) {
  if (version < kStateVersion) {
    legacy::State old;
    if (!decode(bytes, old, error)) return false;
    state = legacy::from_legacy(std::move(old));
  } else if (!decode(bytes, state, error)) {
    return false;
  }
  std::string why = validate_state(state);
  if (why.empty()) return true;
  state = State{};
  if (error != nullptr) *error = std::move(why);
  return false;
}

}  // namespace orchestrator::codec
