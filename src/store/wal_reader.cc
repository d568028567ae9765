#include "store/wal_reader.h"

#include <algorithm>

#include "store/wal_format.h"

namespace orchestrator::store {
namespace {

using base::Error;
using base::Result;

/// True: records may follow. False: a crash left less than a header.
Result<bool> check_header(std::string_view bytes, const std::string& name) {
  const std::string_view start = bytes.substr(0, kWalMagic.size());
  if (bytes.size() < kWalHeaderBytes) {
    // A header that was being written: a piece of ours, or blocks that were allotted and never
    // filled.
    const bool ours = std::string_view(wal_header()).substr(0, bytes.size()) == bytes;
    if (ours || bytes.find_first_not_of('\0') == std::string_view::npos) return false;
    return Error{"is no orchestrator log", name, "move the file away"};
  }
  if (start != kWalMagic) {
    if (bytes.find_first_not_of('\0') == std::string_view::npos) return false;
    return Error{"is no orchestrator log", name, "move the file away"};
  }
  if (load_u32(bytes, 12) != crc32c(bytes.substr(0, 12))) {
    return Error{"has a damaged header at offset 0", name,
                 "move the file away; it is left as it is"};
  }
  const std::uint32_t version = load_u32(bytes, 8);
  if (version < 1 || version > kWalVersion) {
    return Error{"has log format version " + std::to_string(version) +
                     ", and this program knows versions 1 to " + std::to_string(kWalVersion),
                 name, "use the newer program; the file is left as it is"};
  }
  return true;
}

/// Searches behind a bad place for records that prove damage, not a crash.
class Rest {
 public:
  Rest(std::string_view bytes, std::uint32_t version, std::uint64_t last_seq)
      : bytes_(bytes), version_(version), last_seq_(last_seq) {}

  /// The nearest place after `offset` where a sound record of a later write starts. One of the
  /// same write proves nothing: a crash lets the parts of one write arrive in any order.
  std::optional<std::uint64_t> next_write(std::uint64_t offset) {
    for (std::uint64_t at = offset + 1; at + kWalRecordHeaderBytes <= bytes_.size(); ++at) {
      const auto shape = wal_frame_shape_at(bytes_, at, version_);
      if (!shape || !shape->begins_batch || !is_later(*shape)) continue;
      // Bound: bytes crafted to look like records must not cost quadratic time.
      if (shape->payload.size() > checked_bytes_left_) return at;
      checked_bytes_left_ -= shape->payload.size();
      if (wal_frame_at(bytes_, at, version_)) return at;
    }
    return std::nullopt;
  }

 private:
  /// Whether the number is later, but not absurdly: this avoids most checksum computations.
  [[nodiscard]] bool is_later(const WalFrame& shape) const {
    constexpr std::uint64_t kSeqDistanceMax = 1ULL << 32U;
    const std::uint64_t least = shape.kind == WalKind::event ? last_seq_ + 1 : last_seq_;
    return shape.seq >= least && shape.seq - least <= kSeqDistanceMax;
  }

  std::string_view bytes_;
  std::uint32_t version_;
  std::uint64_t last_seq_;
  std::uint64_t checked_bytes_left_ = 256U << 20U;
};

std::string gap_reason(std::uint64_t found, std::uint64_t expected) {
  return "record " + std::to_string(found) + " is where record " + std::to_string(expected) +
         " is due";
}

class Scanner {
 public:
  Scanner(std::string_view bytes, const WalReporter& reporter)
      : bytes_(bytes), reporter_(reporter) {
    scan_.version = load_u32(bytes, kWalMagic.size());
    scan_.end_offset = kWalHeaderBytes;
  }

  WalScan run(const WalRecordSink& sink) {
    while (scan_.end_offset < bytes_.size()) {
      const std::uint64_t offset = scan_.end_offset;
      const auto frame = wal_frame_at(bytes_, offset, scan_.version);
      if (!frame) {
        judge_rest();
        break;
      }
      const std::uint64_t due = frame->kind == WalKind::event ? scan_.last_seq + 1 : scan_.last_seq;
      if (scan_.records > 0 && frame->seq != due) {
        report({offset, gap_reason(frame->seq, due), offset});
        break;
      }
      if (scan_.records++ == 0) scan_.first_seq = frame->seq;
      scan_.last_seq = frame->seq;
      scan_.end_offset = frame->end_offset;
      if (!sink({frame->kind, frame->seq, frame->payload, offset})) break;
    }
    return scan_;
  }

 private:
  /// No record starts at the end offset: a crash cut the last write short, or the middle of the
  /// file is damaged. After a crash there is no later write behind the torn one.
  void judge_rest() {
    const std::uint64_t offset = scan_.end_offset;
    if (const auto next = Rest(bytes_, scan_.version, scan_.last_seq).next_write(offset)) {
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
  const auto bytes = fs.read(path, kWalFileBytesMax);
  if (!bytes) return bytes.error();
  return scan_wal_bytes(bytes.value(), path, sink, reporter);
}

std::uint32_t wal_version_of(std::string_view bytes) {
  const bool sound = bytes.size() >= kWalHeaderBytes && bytes.starts_with(kWalMagic) &&
                     load_u32(bytes, 12) == crc32c(bytes.substr(0, 12));
  return sound ? load_u32(bytes, 8) : 0;
}

bool wal_is_newer(std::string_view bytes) { return wal_version_of(bytes) > kWalVersion; }

}  // namespace orchestrator::store
