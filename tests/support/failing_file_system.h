#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "os/file_system.h"

namespace orchestrator::testing {

/// Passes everything on to another file system, writes down what was asked in `calls`, and fails
/// one chosen call.
class FailingFileSystem final : public os::FileSystem {
 public:
  explicit FailingFileSystem(os::FileSystem& inner) : inner_(inner) {}

  /// Names of the calls so far: "append", "sync", "rename", …
  std::vector<std::string> calls;
  /// The call of this name fails, after `skip` more that do not.
  void fail(std::string call, int skip = 0) { failing_ = {std::move(call), skip}; }

  base::Result<std::unique_ptr<os::AppendFile>> open_append(const std::string& path,
                                                            bool create) override {
    if (auto error = note("open_append")) return *error;
    auto file = inner_.open_append(path, create);
    if (!file) return file;
    return std::unique_ptr<os::AppendFile>(std::make_unique<File>(*this, std::move(file).value()));
  }
  base::Result<std::string> read(const std::string& path, uint64_t bytes_max) override {
    if (auto error = note("read")) return *error;
    return inner_.read(path, bytes_max);
  }
  base::Result<void> truncate(const std::string& path, uint64_t size_bytes) override {
    if (auto error = note("truncate")) return *error;
    return inner_.truncate(path, size_bytes);
  }
  base::Result<void> rename(const std::string& from, const std::string& to) override {
    if (auto error = note("rename")) return *error;
    return inner_.rename(from, to);
  }
  base::Result<void> sync_directory(const std::string& path) override {
    if (auto error = note("sync_directory")) return *error;
    return inner_.sync_directory(path);
  }
  base::Result<void> remove(const std::string& path) override {
    if (auto error = note("remove")) return *error;
    return inner_.remove(path);
  }
  base::Result<void> create_directories(const std::string& path) override {
    if (auto error = note("create_directories")) return *error;
    return inner_.create_directories(path);
  }
  base::Result<std::vector<os::DirectoryEntry>> list(const std::string& path) override {
    if (auto error = note("list")) return *error;
    return inner_.list(path);
  }
  base::Result<os::FileInfo> stat(const std::string& path) override {
    if (auto error = note("stat")) return *error;
    return inner_.stat(path);
  }
  bool exists(const std::string& path) override { return inner_.exists(path); }
  base::Result<std::string> canonical(const std::string& path) override {
    return inner_.canonical(path);
  }
  base::Result<void> read_parts(const std::string& path,
                                const std::function<void(std::string_view)>& take) override {
    if (auto error = note("read")) return *error;
    return inner_.read_parts(path, take);
  }
  base::Result<std::unique_ptr<os::DirectoryLock>> lock(const std::string& path) override {
    if (auto error = note("lock")) return *error;
    return inner_.lock(path);
  }
  std::string temporary_name(const std::string& path) override {
    return inner_.temporary_name(path);
  }

 private:
  class File final : public os::AppendFile {
   public:
    File(FailingFileSystem& owner, std::unique_ptr<os::AppendFile> inner)
        : owner_(owner), inner_(std::move(inner)) {}
    base::Result<void> append(std::string_view bytes) override {
      if (auto error = owner_.note("append")) {
        // As a full disk does: a part of it arrives.
        (void)inner_->append(bytes.substr(0, bytes.size() / 2)).ok();
        return *error;
      }
      return inner_->append(bytes);
    }
    base::Result<void> sync() override {
      if (auto error = owner_.note("sync")) return *error;
      return inner_->sync();
    }

   private:
    FailingFileSystem& owner_;
    std::unique_ptr<os::AppendFile> inner_;
  };

  std::optional<base::Error> note(const std::string& call) {
    calls.push_back(call);
    if (!failing_ || failing_->first != call || failing_->second-- > 0) return std::nullopt;
    failing_.reset();
    return base::Error{"made to fail: " + call, "", ""};
  }

  os::FileSystem& inner_;
  std::optional<std::pair<std::string, int>> failing_;
};

}  // namespace orchestrator::testing
