#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "os/file_system.h"
#include "store/wal_reader.h"

namespace orchestrator::store {

/// The only writer of a log; a DirectoryLock, not this class, ensures that. One thread at
/// a time.
class WalWriter {
 public:
  /// Makes a new log, durable with its name, whose first event gets `first_seq` (>= 1). With a
  /// checkpoint (the state after `first_seq - 1`) it needs no log before it. A log that exists is
  /// refused.
  static base::Result<std::unique_ptr<WalWriter>> create(
      os::FileSystem& fs, const std::string& path, std::uint64_t first_seq,
      std::optional<std::string_view> checkpoint = std::nullopt);

  /// Goes on with a log that scan_wal has just read to its end: cuts a torn tail off and appends
  /// behind it. A scan with damage or of an older format is refused and the file left as it is.
  /// `first_seq` counts only where the log has no record yet.
  static base::Result<std::unique_ptr<WalWriter>> resume(os::FileSystem& fs,
                                                         const std::string& path,
                                                         const WalScan& scan,
                                                         std::uint64_t first_seq);

  /// Buffers an event in memory and answers its number. Not durable, not even written, before
  /// sync(). An Error: the payload is over its limit, the log would grow over 2 GiB, or an earlier
  /// sync() failed; then nothing is buffered.
  base::Result<std::uint64_t> append(std::string_view payload);
  /// Buffers a mark about the state after the newest event. The same errors.
  base::Result<void> append_mark(std::string_view payload);

  /// Writes what is buffered and makes it durable with one fdatasync (group commit); nothing to do:
  /// no system call. A failure is for good: what reached the disk is unknown, so read the log again
  /// and resume.
  base::Result<void> sync();

  [[nodiscard]] std::uint64_t next_seq() const { return next_seq_; }
  /// The size of the file after the last successful sync().
  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }
  /// Bytes that the next sync() will write.
  [[nodiscard]] std::uint64_t pending_bytes() const { return buffer_.size(); }

 private:
  WalWriter(std::unique_ptr<os::AppendFile> file, std::string path, std::uint64_t next_seq,
            std::uint64_t size_bytes);

  base::Result<void> put(WalKind kind, std::uint64_t seq, std::string_view payload);

  std::unique_ptr<os::AppendFile> file_;
  std::string path_;
  std::string buffer_;
  std::uint64_t next_seq_;
  std::uint64_t size_bytes_;
  std::optional<base::Error> failed_;
};

}  // namespace orchestrator::store
