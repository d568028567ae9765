#pragma once

#include <cstdint>
#include <string_view>

namespace orchestrator::store {

/// The kind of a record. The payloads are opaque to this layer.
enum class WalKind : std::uint8_t {
  event = 0,      ///< something that happened; its number is the one before plus one
  mark = 1,       ///< a statement about the state after the event whose number it carries
  checkpoint = 2  ///< the whole state after that event: what follows needs nothing before it
};

/// One sound record of a log. The payload is only valid while the bytes are.
struct WalRecord {
  WalKind kind = WalKind::event;
  std::uint64_t seq = 0;
  std::string_view payload;
  std::uint64_t offset = 0;  ///< of its first byte in the file
};

}  // namespace orchestrator::store
