#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "os/file_system.h"

namespace orchestrator::store {

/// A place in a log that is not a crash's doing: bytes in its middle that are no record, or records
/// out of order.
struct WalDamage {
  uint64_t offset = 0;  ///< where the first unusable byte is
  std::string reason;   ///< a sentence for people
  /// Where a sound record stands again; the bytes between are lost. Absent: none does.
  std::optional<uint64_t> next_record_offset;
};

/// What a whole pass over a log found. Everything up to `end_offset` is sound and was given to the
/// caller.
struct WalScan {
  uint64_t records = 0;
  uint64_t first_seq = 0;   ///< 0 where there is no record
  uint64_t last_seq = 0;    ///< 0 where there is no record
  uint64_t end_offset = 0;  ///< after the last sound record; 0: not even the header is whole
  uint64_t torn_bytes =
      0;  ///< behind end_offset, left by a crash in the middle of a write; to be cut off
  std::optional<WalDamage> damage;  ///< set: a writer refuses this log; keep the file aside
};

/// Takes one record; the payload is only valid during the call. False ends the pass early (the rest
/// is not checked).
using WalRecordSink = std::function<bool(uint64_t seq, std::string_view payload)>;
/// Is told of damage, once, at the moment it is found and before scan_wal returns.
using WalReporter = std::function<void(const WalDamage&)>;

/// Reads a log from its start. A torn tail is the end of the log and no damage. After damage
/// nothing more is given out: later events make no sense without the ones in between. Never changes
/// the file. An Error: the file cannot be read, is no log, or has a newer format version. Any
/// thread.
base::Result<WalScan> scan_wal(os::FileSystem& fs, const std::string& path,
                               const WalRecordSink& sink, const WalReporter& reporter);

/// The same over bytes in memory; `name` stands in errors.
base::Result<WalScan> scan_wal_bytes(std::string_view bytes, const std::string& name,
                                     const WalRecordSink& sink, const WalReporter& reporter);

}  // namespace orchestrator::store
