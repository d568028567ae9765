// The log's reader on untrusted bytes. The first byte chooses: raw bytes, or a log that the
// writer's own functions build and that is then damaged in places, since no fuzzer guesses a
// checksum.
#include "store/wal_reader.h"

#include "codec/binary.h"
#include "fuzz/support/byte_source.h"
#include "fuzz/support/require.h"
#include "runtime/history/replay.h"
#include "store/wal_format.h"

namespace orchestrator::fuzz {
namespace {

/// Header, records, and faults as a disk, a crash or a person would make them.
std::string spoiled_log(ByteSource& source) {
  std::string log = store::wal_header(source.pick(8) == 0 ? source.byte() : store::kWalVersion);
  std::uint64_t seq = source.number(source.pick(8) == 0 ? 8 : 1);
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
      default: {
        last = log.size();
        const auto kind = static_cast<store::WalKind>(source.pick(3));
        if (kind == store::WalKind::event) ++seq;
        const bool begins = source.flag();
        store::append_wal_record(log, {kind, begins, seq, source.text(), 0});
      }
    }
  }
  return log;
}

void scan(std::string_view bytes) {
  std::uint64_t records = 0;
  std::uint64_t last = 0;
  std::uint64_t end = store::kWalHeaderBytes;
  int reports = 0;
  const auto take = [&](const store::WalRecord& record) {
    const std::uint64_t due = record.kind == store::WalKind::event ? last + 1 : last;
    REQUIRE(records == 0 || record.seq == due);
    REQUIRE(record.offset == end);
    last = record.seq;
    ++records;
    end += store::kWalRecordHeaderBytes + record.payload.size();
    // The payload is in the file at the record's offset.
    REQUIRE(bytes.substr(end - record.payload.size(), record.payload.size()) == record.payload);
    return true;
  };
  const auto report = [&](const store::WalDamage& damage) {
    ++reports;
    REQUIRE(!damage.reason.empty());
    REQUIRE(damage.offset < bytes.size());
  };
  const auto result = store::scan_wal_bytes(bytes, "fuzz.wal", take, report);
  if (!result.ok()) {
    REQUIRE(records == 0);
    REQUIRE(!result.error().text().empty());
    return;
  }
  const store::WalScan& found = result.value();
  REQUIRE(found.records == records && found.last_seq == last);
  REQUIRE(found.end_offset == 0 || found.end_offset == end);
  REQUIRE(reports == (found.damage ? 1 : 0));
  if (found.damage) {
    REQUIRE(found.torn_bytes == 0 && found.damage->offset >= found.end_offset);
  } else {  // what was not given out is exactly the torn tail
    REQUIRE(found.end_offset + found.torn_bytes == bytes.size());
  }
}

/// The records as a mission: what can be read is stepped, and the same bytes give the same state.
void replay(std::string_view bytes) {
  runtime::Replay first;
  const runtime::SegmentEnd end = first.read_bytes(bytes, "m-fuzz.wal");
  REQUIRE(end.kind != runtime::SegmentEnd::Kind::damaged || end.damage.has_value());
  runtime::Replay second;
  (void)second.read_bytes(bytes, "m-fuzz.wal");
  REQUIRE(codec::encode(first.state()) == codec::encode(second.state()));
}

}  // namespace
}  // namespace orchestrator::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  orchestrator::fuzz::ByteSource source(data, size);
  const bool raw = source.flag();
  const std::string built =
      raw ? std::string(source.rest()) : orchestrator::fuzz::spoiled_log(source);
  orchestrator::fuzz::scan(built);
  orchestrator::fuzz::replay(built);
  return 0;
}
