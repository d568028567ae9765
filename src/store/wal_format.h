#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/wal_record.h"

// The bytes of a log, as docs/design/log-format.md describes them. Shared by the writer and the
// reader; private to src/store and its tests.
namespace orchestrator::store {

inline constexpr std::string_view kWalMagic{"ORCHWAL\n", 8};
/// The version that the writer writes. The reader knows versions 1 and 2 too.
inline constexpr std::uint32_t kWalVersion = 3;
inline constexpr std::uint64_t kWalHeaderBytes =
    16;  // magic, u32 version, u32 crc of the 12 bytes before
inline constexpr std::uint64_t kWalRecordHeaderBytes = 16;  // u32 kind and length, u32 crc, u64 seq
/// A payload's size limit. The writer refuses a longer one.
inline constexpr std::uint32_t kWalPayloadBytesMax = (1U << 24U) - 1;
/// A log's size limit: the reader holds a log in memory.
inline constexpr std::uint64_t kWalFileBytesMax = 2ULL << 30U;

/// CRC-32C (Castagnoli) of the bytes of `first` followed by those of `second`.
std::uint32_t crc32c(std::string_view first, std::string_view second = {});

/// The 16 bytes at the start of a file.
std::string wal_header(std::uint32_t version = kWalVersion);

/// A record with a correct checksum; `payload` points into the bytes that were read.
struct WalFrame {
  WalKind kind = WalKind::event;
  /// The record is the first of its write. If no record behind a bad place begins a write, those
  /// records were never acknowledged. Always true in version 1, which lacks the bit.
  bool begins_batch = true;
  std::uint64_t seq = 0;
  std::string_view payload;
  std::uint64_t end_offset = 0;
};

/// Appends one record of the present version to `out`. The payload must be within its limit;
/// `end_offset` is ignored.
void append_wal_record(std::string& out, const WalFrame& frame);

/// The record that starts at `offset`, if a whole and sound one does.
std::optional<WalFrame> wal_frame_at(std::string_view bytes, std::uint64_t offset,
                                     std::uint32_t version);

/// The same without the checksum: whether the bytes have the shape of a record.
std::optional<WalFrame> wal_frame_shape_at(std::string_view bytes, std::uint64_t offset,
                                           std::uint32_t version);

/// Little-endian numbers at any address; the caller has checked the bounds.
std::uint32_t load_u32(std::string_view bytes, std::uint64_t offset);
std::uint64_t load_u64(std::string_view bytes, std::uint64_t offset);

}  // namespace orchestrator::store
