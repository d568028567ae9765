#include "store/wal_reader.h"

#include <algorithm>

#include "store/wal_format.h"

namespace orchestrator::store {
namespace {

using base::Error;
using base::Result;

/// True: records may follow. False: a crash left less than a header.
Result<bool> check_header(std::string_view bytes, const std::string& name) {
  const std::string_view start = bytes.substr(0, wal_magic.size());
  if (bytes.size() < wal_header_bytes) {
    // A header that was being written: a piece of ours, or blocks that were allotted and never
    // filled.
    const bool ours = std::string_view(wal_header()).substr(0, bytes.size()) == bytes;
    if (ours || bytes.find_first_not_of('\0') == std::string_view::npos) return false;
    return Error{"is no orchestrator log", name, "move the file away"};
  }
  if (start != wal_magic) {
    if (bytes.find_first_not_of('\0') == std::string_view::npos) return false;
    return Error{"is no orchestrator log", name, "move the file away"};
  }
  if (load_u32(bytes, 12) != crc32c(bytes.substr(0, 12))) {
    return Error{"has a damaged header at offset 0", name,
                 "move the file away; it is left as it is"};
  }
  const uint32_t version = load_u32(bytes, 8);
  if (version != wal_version) {
    return Error{"has log format version " + std::to_string(version) + ", and this program knows " +
                     std::to_string(wal_version),
                 name, "use the newer program; the file is left as it is"};
  }
  return true;
}

/// The nearest place after `offset` where a sound record of a later number starts.
std::optional<uint64_t> next_record(std::string_view bytes, uint64_t offset, uint64_t last_seq) {
  // A later number, and not absurdly later: that spares most checksums.
  constexpr uint64_t seq_distance_max = 1ULL << 32U;
  for (uint64_t at = offset + 1; at + wal_record_header_bytes <= bytes.size(); ++at) {
    const uint64_t seq = load_u64(bytes, at + 8);
    if (seq <= last_seq || seq - last_seq > seq_distance_max) continue;
    if (wal_frame_at(bytes, at)) return at;
  }
  return std::nullopt;
}

std::string gap_reason(uint64_t found, uint64_t expected) {
  return "record " + std::to_string(found) + " stands where record " + std::to_string(expected) +
         " is due";
}

class Scanner {
 public:
  Scanner(std::string_view bytes, const WalReporter& reporter)
      : bytes_(bytes), reporter_(reporter) {}

  WalScan run(const WalRecordSink& sink) {
    scan_.end_offset = wal_header_bytes;
    while (scan_.end_offset < bytes_.size()) {
      const auto frame = wal_frame_at(bytes_, scan_.end_offset);
      if (!frame) {
        judge_rest();
        break;
      }
      if (scan_.records > 0 && frame->seq != scan_.last_seq + 1) {
        report({scan_.end_offset, gap_reason(frame->seq, scan_.last_seq + 1), scan_.end_offset});
        break;
      }
      if (scan_.records++ == 0) scan_.first_seq = frame->seq;
      scan_.last_seq = frame->seq;
      scan_.end_offset = frame->end_offset;
      if (!sink(frame->seq, frame->payload)) break;
    }
    return scan_;
  }

 private:
  /// No record starts at the end offset: a crash cut the last write short, or something else
  /// spoiled the middle. A crash leaves nothing sound behind its tear.
  void judge_rest() {
    const uint64_t offset = scan_.end_offset;
    if (const auto next = next_record(bytes_, offset, scan_.last_seq)) {
      report({offset,
              "no sound record at offset " + std::to_string(offset) + ", but one at offset " +
                  std::to_string(*next),
              next});
      return;
    }
    scan_.torn_bytes = bytes_.size() - offset;
  }

  void report(WalDamage damage) {
    scan_.damage = std::move(damage);
    if (reporter_) reporter_(*scan_.damage);
  }

  std::string_view bytes_;
  const WalReporter& reporter_;
  WalScan scan_;
};

}  // namespace

Result<WalScan> scan_wal_bytes(std::string_view bytes, const std::string& name,
                               const WalRecordSink& sink, const WalReporter& reporter) {
  const auto header = check_header(bytes, name);
  if (!header) return header.error();
  if (!header.value()) {
    WalScan empty;
    empty.torn_bytes = bytes.size();
    return empty;
  }
  return Scanner(bytes, reporter).run(sink);
}

Result<WalScan> scan_wal(os::FileSystem& fs, const std::string& path, const WalRecordSink& sink,
                         const WalReporter& reporter) {
  const auto bytes = fs.read(path, wal_file_bytes_max);
  if (!bytes) return bytes.error();
  return scan_wal_bytes(bytes.value(), path, sink, reporter);
}

}  // namespace orchestrator::store
