// The log's reader on foreign bytes. The first byte chooses: raw bytes, or a log that is built by
// the writer's own functions and then spoiled in places, since no fuzzer guesses a checksum.
#include "store/wal_reader.h"

#include <algorithm>

#include "fuzz/support/byte_source.h"
#include "fuzz/support/require.h"
#include "store/wal_format.h"

namespace orchestrator::fuzz {
namespace {

void append_record(std::string& log, ByteSource& source, std::uint64_t& seq) {
  const std::uint32_t what = source.pick(8);
  const bool event = what > 2 || seq <= 1;
  const auto kind = event ? store::WalKind::event : static_cast<store::WalKind>(what % 3);
  const std::uint64_t number = kind == store::WalKind::event ? seq++ : seq - 1;
  store::append_wal_record(log, {kind, what % 2 == 0, number, source.text(), 0});
}

/// Header, records, and faults as a disk, a crash or a person would make them.
std::string spoiled_log(ByteSource& source) {
  std::string log = store::wal_header(source.pick(8) == 0 ? source.byte() : store::wal_version);
  std::uint64_t seq = 1 + source.number(source.pick(8) == 0 ? 8 : 1);
  std::size_t last = 0;
  while (!source.empty() && log.size() < 1U << 15U) {
    switch (source.pick(8)) {
      case 0:
        if (log.size() > 1) log.resize(log.size() - 1 - source.pick(64) % (log.size() - 1));
        break;
      case 1: {
        const std::size_t at = source.number(2) % log.size();
        log[at] = static_cast<char>(log[at] ^ static_cast<char>(source.byte()));
        break;
      }
      case 2:
        log.append(source.text());
        break;
      case 3:
        log.append(source.number(2) % 5000, '\0');
        break;
      case 4:
        if (last < log.size()) log += log.substr(last);  // a write that came twice
        break;
      case 5:
        seq += source.byte();
        break;
      default:
        last = log.size();
        append_record(log, source, seq);
    }
  }
  return log;
}

void check(std::string_view bytes) {
  std::string again;
  std::uint64_t records = 0;
  std::uint64_t last = 0;
  int reports = 0;
  const std::uint32_t version = store::wal_version_of(bytes);
  const auto take = [&](const store::WalRecord& record) {
    const bool event = record.kind == store::WalKind::event;
    REQUIRE(records == 0 || record.seq == (event ? last + 1 : last));
    last = record.seq;
    ++records;
    auto frame = store::wal_frame_at(bytes, record.offset, version);
    REQUIRE(frame && frame->payload == record.payload);
    frame->begins_batch = frame->begins_batch && version != 1;
    store::append_wal_record(again, *frame);
    return true;
  };
  const auto scan =
      store::scan_wal_bytes(bytes, "fuzz.wal", take, [&](const store::WalDamage& damage) {
        ++reports;
        REQUIRE(!damage.reason.empty());
        REQUIRE(damage.offset < bytes.size());
      });
  if (!scan.ok()) {
    REQUIRE(records == 0);
    REQUIRE(!scan.error().text().empty());
    return;
  }
  const store::WalScan& found = scan.value();
  REQUIRE(found.records == records);
  REQUIRE(found.last_seq == last);
  REQUIRE(found.end_offset + found.torn_bytes <= bytes.size());
  REQUIRE(reports == (found.damage ? 1 : 0));
  if (found.damage) {
    REQUIRE(found.torn_bytes == 0);
    REQUIRE(found.damage->offset >= found.end_offset);
    return;
  }
  // What was not given out is exactly the torn tail, and what was given out is what stands there.
  REQUIRE(found.end_offset + found.torn_bytes == bytes.size());
  if (found.end_offset == 0) return;
  REQUIRE(bytes.substr(store::wal_header_bytes, again.size()) == again);
  REQUIRE(store::wal_header_bytes + again.size() == found.end_offset);
}

}  // namespace
}  // namespace orchestrator::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  orchestrator::fuzz::ByteSource source(data, size);
  const bool raw = source.flag();
  const std::string built =
      raw ? std::string(source.rest()) : orchestrator::fuzz::spoiled_log(source);
  orchestrator::fuzz::check(built);
  return 0;
}
