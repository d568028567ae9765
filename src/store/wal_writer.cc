#include "store/wal_writer.h"

#include <utility>

#include "base/assert.h"
#include "store/wal_format.h"

namespace orchestrator::store {

using base::Error;
using base::Result;

WalWriter::WalWriter(std::unique_ptr<os::AppendFile> file, std::string path, std::uint64_t next_seq,
                     std::uint64_t size_bytes)
    : file_(std::move(file)), path_(std::move(path)), next_seq_(next_seq), size_bytes_(size_bytes) {
  ORCH_ASSERT(next_seq_ >= 1);
}

Result<std::unique_ptr<WalWriter>> WalWriter::create(os::FileSystem& fs, const std::string& path,
                                                     std::uint64_t first_seq,
                                                     std::optional<std::string_view> checkpoint) {
  if (fs.exists(path)) return Error{"exists already", path, "read it and resume"};
  std::string bytes = wal_header();
  if (checkpoint) {
    if (checkpoint->size() > kWalPayloadBytesMax)
      return Error{"the state is too large for a record", path, ""};
    append_wal_record(bytes, {WalKind::checkpoint, true, first_seq - 1, *checkpoint, 0});
  }
  // Atomic: the first bytes and the name become durable together or not at all.
  if (auto done = os::atomic_replace(fs, path, bytes); !done) return done.error();
  auto file = fs.open_append(path, false);
  if (!file) return file.error();
  return std::unique_ptr<WalWriter>(
      new WalWriter(std::move(file).value(), path, first_seq, bytes.size()));
}

Result<std::unique_ptr<WalWriter>> WalWriter::resume(os::FileSystem& fs, const std::string& path,
                                                     const WalScan& scan, std::uint64_t first_seq) {
  if (scan.damage) {
    return Error{"is damaged: " + scan.damage->reason, path,
                 "keep the file aside; it is left as it is"};
  }
  if (scan.end_offset != 0 && scan.version != kWalVersion) {
    return Error{"has the older log format version " + std::to_string(scan.version), path,
                 "start a new log behind it"};
  }
  if (scan.torn_bytes > 0 || scan.end_offset == 0) {
    auto done = scan.end_offset == 0 ? os::atomic_replace(fs, path, wal_header())
                                     : fs.truncate(path, scan.end_offset);
    if (!done) return done.error();
  }
  // The process that created the file may have died before the name was durable.
  if (auto named = fs.sync_directory(os::parent_directory(path)); !named) return named.error();
  auto file = fs.open_append(path, false);
  if (!file) return file.error();
  const std::uint64_t size = scan.end_offset == 0 ? kWalHeaderBytes : scan.end_offset;
  const std::uint64_t next = scan.records == 0 ? first_seq : scan.last_seq + 1;
  return std::unique_ptr<WalWriter>(new WalWriter(std::move(file).value(), path, next, size));
}

Result<std::uint64_t> WalWriter::append(std::string_view payload) {
  if (auto done = put(WalKind::event, next_seq_, payload); !done) return done.error();
  return next_seq_++;
}

Result<void> WalWriter::append_mark(std::string_view payload) {
  return put(WalKind::mark, next_seq_ - 1, payload);
}

Result<void> WalWriter::put(WalKind kind, std::uint64_t seq, std::string_view payload) {
  if (failed_) return *failed_;
  if (payload.size() > kWalPayloadBytesMax) {
    return Error{"a record of " + std::to_string(payload.size()) + " bytes is over the limit of " +
                     std::to_string(kWalPayloadBytesMax),
                 path_, ""};
  }
  if (size_bytes_ + buffer_.size() + kWalRecordHeaderBytes + payload.size() > kWalFileBytesMax) {
    return Error{"the log is full", path_, ""};
  }
  append_wal_record(buffer_, {kind, buffer_.empty(), seq, payload, 0});
  return {};
}

Result<void> WalWriter::sync() {
  if (failed_) return *failed_;
  if (buffer_.empty()) return {};
  auto done = file_->append(buffer_);
  if (done) done = file_->sync();
  if (!done) {
    failed_ = done.error();
    return done;
  }
  size_bytes_ += buffer_.size();
  buffer_.clear();
  return {};
}

}  // namespace orchestrator::store
