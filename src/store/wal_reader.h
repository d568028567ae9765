#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "os/file_system.h"
#include "store/wal_record.h"

namespace orchestrator::store {

/// Damage that a crash cannot cause: bytes in the middle of a log that are no record, or records
/// out of order.
struct WalDamage {
  std::uint64_t offset = 0;  ///< where the first unusable byte is
  std::string reason;        ///< a sentence for people
  /// Offset of the next sound record; the bytes before it are lost. Absent: there is none.
  std::optional<std::uint64_t> next_record_offset;
};

/// The result of a pass over a log. Everything up to `end_offset` is sound and was given to the
/// caller.
struct WalScan {
  std::uint32_t version = 0;  ///< of the format; 0: not even the header is whole
  std::uint64_t records = 0;
  std::uint64_t first_seq = 0;   ///< of the first record; 0 where there is none
  std::uint64_t last_seq = 0;    ///< of the last record; 0 where there is none
  std::uint64_t end_offset = 0;  ///< after the last sound record; 0: not even the header is whole
  std::uint64_t torn_bytes =
      0;  ///< behind end_offset, left by a crash in the middle of a write; to be cut off
  std::optional<WalDamage> damage;  ///< set: a writer refuses this log; keep the file aside
};

/// Takes one record. False ends the pass early (the rest is not checked).
using WalRecordSink = std::function<bool(const WalRecord& record)>;
/// Called once when damage is found, before scan_wal returns.
using WalReporter = std::function<void(const WalDamage&)>;

/// Reads a log from its start. A torn tail is the end of the log and no damage. After damage
/// nothing more is given out: later events make no sense without the ones in between. Never changes
/// the file. An Error: the file cannot be read, is no log, or has a newer format version (see
/// wal_is_newer). Any thread.
base::Result<WalScan> scan_wal(os::FileSystem& fs, const std::string& path,
                               const WalRecordSink& sink, const WalReporter& reporter);

/// The same over bytes in memory; errors show `name`.
base::Result<WalScan> scan_wal_bytes(std::string_view bytes, const std::string& name,
                                     const WalRecordSink& sink, const WalReporter& reporter);

/// The version in the header; 0: there is no sound header.
std::uint32_t wal_version_of(std::string_view bytes);
/// Whether the file is a log of a version that only a later program knows: to be left untouched.
bool wal_is_newer(std::string_view bytes);

}  // namespace orchestrator::store
