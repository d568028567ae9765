#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/wal_record.h"

// The bytes of a log, as docs/design/log-format.md tells them. Shared by the writer and the reader;
// private to src/store and its tests.
namespace orchestrator::store {

inline constexpr std::string_view wal_magic{"ORCHWAL\n", 8};
/// What the writer writes. The reader knows versions 1 and 2 too.
inline constexpr uint32_t wal_version = 3;
inline constexpr uint64_t wal_header_bytes =
    16;  // magic, u32 version, u32 crc of the 12 bytes before
inline constexpr uint64_t wal_record_header_bytes = 16;  // u32 kind and length, u32 crc, u64 seq
/// A payload's size limit. What is longer is refused by the writer.
inline constexpr uint32_t wal_payload_bytes_max = (1U << 24U) - 1;
/// A log's size limit: the reader holds a log in memory.
inline constexpr uint64_t wal_file_bytes_max = 2ULL << 30U;

/// CRC-32C (Castagnoli) of the bytes of `first` followed by those of `second`.
uint32_t crc32c(std::string_view first, std::string_view second = {});

/// The 16 bytes at the start of a file.
std::string wal_header(uint32_t version = wal_version);

/// A record whose checksum holds; `payload` points into the bytes it was found in.
struct WalFrame {
  WalKind kind = WalKind::event;
  /// It was the first of its write. Records behind a bad place that none of them begins a write
  /// were never acknowledged. Always true in version 1, which does not say it.
  bool begins_batch = true;
  uint64_t seq = 0;
  std::string_view payload;
  uint64_t end_offset = 0;
};

/// Appends one record of the present version to `out`. The payload must be within its limit;
/// `end_offset` is not looked at.
void append_wal_record(std::string& out, const WalFrame& frame);

/// The record that starts at `offset`, if a whole and sound one does.
std::optional<WalFrame> wal_frame_at(std::string_view bytes, uint64_t offset, uint32_t version);

/// The same without its checksum: does what stands there look like a record?
std::optional<WalFrame> wal_frame_shape_at(std::string_view bytes, uint64_t offset,
                                           uint32_t version);

/// Little-endian numbers at any address; the caller has checked the bounds.
uint32_t load_u32(std::string_view bytes, uint64_t offset);
uint64_t load_u64(std::string_view bytes, uint64_t offset);

}  // namespace orchestrator::store
