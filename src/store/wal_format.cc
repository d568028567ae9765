#include "store/wal_format.h"

#include <boost/crc.hpp>

#include "base/assert.h"

namespace orchestrator::store {
namespace {

using Crc32c = boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true>;

template <class Number>
void store_number(std::string& out, Number value) {
  for (size_t i = 0; i < sizeof(Number); ++i) {
    out.push_back(static_cast<char>(static_cast<unsigned char>(value >> (8 * i))));
  }
}

template <class Number>
Number load_number(std::string_view bytes, uint64_t offset) {
  Number value = 0;
  for (size_t i = 0; i < sizeof(Number); ++i) {
    value |= Number{static_cast<unsigned char>(bytes[offset + i])} << (8 * i);
  }
  return value;
}

/// What a record's checksum covers besides the payload: its length and its number.
std::string covered_head(uint32_t length, uint64_t seq) {
  std::string head;
  store_number(head, length);
  store_number(head, seq);
  return head;
}

}  // namespace

uint32_t crc32c(std::string_view first, std::string_view second) {
  Crc32c crc;
  crc.process_bytes(first.data(), first.size());
  crc.process_bytes(second.data(), second.size());
  return crc.checksum();
}

uint32_t load_u32(std::string_view bytes, uint64_t offset) {
  return load_number<uint32_t>(bytes, offset);
}

uint64_t load_u64(std::string_view bytes, uint64_t offset) {
  return load_number<uint64_t>(bytes, offset);
}

std::string wal_header(uint32_t version) {
  std::string header(wal_magic);
  store_number(header, version);
  store_number(header, crc32c(header));
  ORCH_ASSERT(header.size() == wal_header_bytes);
  return header;
}

void append_wal_record(std::string& out, uint64_t seq, std::string_view payload) {
  ORCH_ASSERT(payload.size() <= wal_payload_bytes_max);
  const auto length = static_cast<uint32_t>(payload.size());
  store_number(out, length);
  store_number(out, crc32c(covered_head(length, seq), payload));
  store_number(out, seq);
  out.append(payload);
}

std::optional<WalFrame> wal_frame_at(std::string_view bytes, uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < wal_record_header_bytes) return std::nullopt;
  const uint32_t length = load_u32(bytes, offset);
  const uint64_t payload_offset = offset + wal_record_header_bytes;
  if (length > wal_payload_bytes_max || bytes.size() - payload_offset < length) return std::nullopt;
  const uint64_t seq = load_u64(bytes, offset + 8);
  const std::string_view payload = bytes.substr(payload_offset, length);
  if (load_u32(bytes, offset + 4) != crc32c(covered_head(length, seq), payload)) {
    return std::nullopt;
  }
  return WalFrame{seq, payload, payload_offset + length};
}

}  // namespace orchestrator::store
