#include "store/wal_format.h"

#include <boost/crc.hpp>

#include "base/assert.h"

namespace orchestrator::store {
namespace {

using Crc32c = boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true>;

template <class Number>
void store_number(std::string& out, Number value) {
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    out.push_back(static_cast<char>(static_cast<unsigned char>(value >> (8 * i))));
  }
}

template <class Number>
Number load_number(std::string_view bytes, std::uint64_t offset) {
  Number value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    value |= Number{static_cast<unsigned char>(bytes[offset + i])} << (8 * i);
  }
  return value;
}

constexpr unsigned kKindShift = 24;
constexpr std::uint32_t kBatchBit = 1U << 31U;
constexpr std::uint32_t kV1PayloadBytesMax = 16U << 20U;

/// What a record's checksum covers besides the payload: its first word and its number.
std::string covered_head(std::uint32_t word, std::uint64_t seq) {
  std::string head;
  store_number(head, word);
  store_number(head, seq);
  return head;
}

}  // namespace

std::uint32_t crc32c(std::string_view first, std::string_view second) {
  Crc32c crc;
  crc.process_bytes(first.data(), first.size());
  crc.process_bytes(second.data(), second.size());
  return crc.checksum();
}

std::uint32_t load_u32(std::string_view bytes, std::uint64_t offset) {
  return load_number<std::uint32_t>(bytes, offset);
}

std::uint64_t load_u64(std::string_view bytes, std::uint64_t offset) {
  return load_number<std::uint64_t>(bytes, offset);
}

std::string wal_header(std::uint32_t version) {
  std::string header(kWalMagic);
  store_number(header, version);
  store_number(header, crc32c(header));
  ORCH_ASSERT(header.size() == kWalHeaderBytes);
  return header;
}

void append_wal_record(std::string& out, const WalFrame& frame) {
  ORCH_ASSERT(frame.payload.size() <= kWalPayloadBytesMax);
  const std::uint32_t word = static_cast<std::uint32_t>(frame.payload.size()) |
                             static_cast<std::uint32_t>(frame.kind) << kKindShift |
                             (frame.begins_batch ? kBatchBit : 0);
  store_number(out, word);
  store_number(out, crc32c(covered_head(word, frame.seq), frame.payload));
  store_number(out, frame.seq);
  out.append(frame.payload);
}

std::optional<WalFrame> wal_frame_shape_at(std::string_view bytes, std::uint64_t offset,
                                           std::uint32_t version) {
  if (offset > bytes.size() || bytes.size() - offset < kWalRecordHeaderBytes) return std::nullopt;
  const std::uint32_t word = load_u32(bytes, offset);
  WalFrame frame;
  std::uint32_t length = word;
  if (version == 1) {
    if (length > kV1PayloadBytesMax) return std::nullopt;
  } else {
    length = word & kWalPayloadBytesMax;
    const std::uint32_t kind = (word & ~kBatchBit) >> kKindShift;
    if (kind > static_cast<std::uint32_t>(WalKind::checkpoint)) return std::nullopt;
    frame.kind = static_cast<WalKind>(kind);
    frame.begins_batch = (word & kBatchBit) != 0;
  }
  const std::uint64_t payload_offset = offset + kWalRecordHeaderBytes;
  if (bytes.size() - payload_offset < length) return std::nullopt;
  frame.seq = load_u64(bytes, offset + 8);
  frame.payload = bytes.substr(payload_offset, length);
  frame.end_offset = payload_offset + length;
  return frame;
}

std::optional<WalFrame> wal_frame_at(std::string_view bytes, std::uint64_t offset,
                                     std::uint32_t version) {
  auto frame = wal_frame_shape_at(bytes, offset, version);
  if (!frame) return std::nullopt;
  const std::string head = covered_head(load_u32(bytes, offset), frame->seq);
  if (load_u32(bytes, offset + 4) != crc32c(head, frame->payload)) return std::nullopt;
  return frame;
}

}  // namespace orchestrator::store
