#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "os/file_system.h"

namespace orchestrator::testing {

/// Passes everything on to another file system as long as it works. Reading always works.
class BrokenDisk final : public os::FileSystem {
 public:
  explicit BrokenDisk(os::FileSystem& inner) : inner_(inner) {}

  /// From now on every call that changes something whose path holds `part` fails, as on a full
  /// disk: of bytes to append, half arrive.
  void fail(std::string part = "") {
    failing_ = true;
    part_ = std::move(part);
  }
  void repair() { failing_ = false; }
  /// After so many more changing calls nothing arrives any more: the process is dead.
  void crash_after(std::uint64_t calls) { calls_left_ = calls; }
  [[nodiscard]] bool crashed() const { return calls_left_ == 0; }

  base::Result<std::unique_ptr<os::AppendFile>> open_append(const std::string& path,
                                                            bool create) override {
    if (create && !works(path)) return error(path);
    auto file = inner_.open_append(path, create);
    if (!file) return file;
    return std::unique_ptr<os::AppendFile>(
        std::make_unique<File>(*this, path, std::move(file).value()));
  }
  base::Result<std::string> read(const std::string& path, uint64_t bytes_max) override {
    return inner_.read(path, bytes_max);
  }
  base::Result<void> read_parts(const std::string& path,
                                const std::function<void(std::string_view)>& take) override {
    return inner_.read_parts(path, take);
  }
  base::Result<void> truncate(const std::string& path, uint64_t size_bytes) override {
    if (!works(path)) return error(path);
    return inner_.truncate(path, size_bytes);
  }
  base::Result<void> rename(const std::string& from, const std::string& to) override {
    if (!works(to)) return error(to);
    return inner_.rename(from, to);
  }
  base::Result<void> sync_directory(const std::string& path) override {
    if (!works(path)) return error(path);
    return inner_.sync_directory(path);
  }
  base::Result<void> remove(const std::string& path) override {
    if (!works(path)) return error(path);
    return inner_.remove(path);
  }
  base::Result<void> create_directories(const std::string& path) override {
    if (inner_.exists(path)) return {};
    if (!works(path)) return error(path);
    return inner_.create_directories(path);
  }
  base::Result<std::vector<os::DirectoryEntry>> list(const std::string& path) override {
    return inner_.list(path);
  }
  base::Result<os::FileInfo> stat(const std::string& path) override { return inner_.stat(path); }
  bool exists(const std::string& path) override { return inner_.exists(path); }
  base::Result<std::string> canonical(const std::string& path) override {
    return inner_.canonical(path);
  }
  base::Result<std::unique_ptr<os::DirectoryLock>> lock(const std::string& path) override {
    return inner_.lock(path);
  }
  std::string temporary_name(const std::string& path) override {
    return inner_.temporary_name(path);
  }

 private:
  class File final : public os::AppendFile {
   public:
    File(BrokenDisk& owner, std::string path, std::unique_ptr<os::AppendFile> inner)
        : owner_(owner), path_(std::move(path)), inner_(std::move(inner)) {}
    base::Result<void> append(std::string_view bytes) override {
      const bool was_dead = owner_.crashed();
      if (owner_.works(path_)) return inner_->append(bytes);
      if (!was_dead) (void)inner_->append(bytes.substr(0, bytes.size() / 2)).ok();
      return owner_.error(path_);
    }
    base::Result<void> sync() override {
      if (!owner_.works(path_)) return owner_.error(path_);
      return inner_->sync();
    }

   private:
    BrokenDisk& owner_;
    std::string path_;
    std::unique_ptr<os::AppendFile> inner_;
  };

  bool works(const std::string& path) {
    if (calls_left_ > 0) --calls_left_;
    if (calls_left_ == 0) return false;
    return !failing_ || path.find(part_) == std::string::npos;
  }
  static base::Error error(const std::string& path) {
    return {"cannot write: No space left on device", path, "free some space on this disk"};
  }

  os::FileSystem& inner_;
  bool failing_ = false;
  std::string part_;
  std::uint64_t calls_left_ = std::numeric_limits<std::uint64_t>::max();
};

}  // namespace orchestrator::testing
