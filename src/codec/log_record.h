#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "orchestrator/describe.h"
#include "orchestrator/event.h"
#include "orchestrator/mission.h"

/// The payloads of a log's records, as docs/design/log-format.md describes them.
namespace orchestrator::codec {

/// The log version since which states have their present form.
inline constexpr std::uint32_t kStateVersion = 3;

/// An event as it was logged. `witness` is 0 and means nothing in a version 1 log.
struct LoggedEvent {
  Event event;
  std::uint32_t witness = 0;
  bool has_witness = false;
};

/// Event and witness. The witness is known only after the step, and an event too large for a record
/// must not be stepped: so the event is encoded first and the witness is filled in afterwards.
[[nodiscard]] std::string encode_event_record(const Event& event);
void set_witness(std::string& record, std::uint32_t witness);
/// `version` is the log's. On failure `error` says why.
[[nodiscard]] bool decode_event_record(std::string_view bytes, std::uint32_t version,
                                       LoggedEvent& logged, std::string* error);

/// A mark: facts about the state after an event.
struct StateMark {
  std::string engine;  ///< the version of the program that computed the state
  std::string hash;    ///< BLAKE2b of `encode_state`, 64 hexadecimal digits

  ORCH_FIELDS(engine, hash);
};
[[nodiscard]] std::string encode_mark(const StateMark& mark);
[[nodiscard]] bool decode_mark(std::string_view bytes, StateMark& mark, std::string* error);

/// The canonical bytes of a state: equal states have equal bytes. Also a checkpoint's payload.
/// A log of version 1 or 2 has them in the form of legacy_state.h.
[[nodiscard]] std::string encode_state(const State& state, std::uint32_t version = kStateVersion);
/// Refuses an impossible state (see `validate_state`).
[[nodiscard]] bool decode_state(std::string_view bytes, std::uint32_t version, State& state,
                                std::string* error);

}  // namespace orchestrator::codec
