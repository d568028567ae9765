#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "os/file_system.h"
#include "syntax/check.h"
#include "syntax/parsed_text.h"

/// Gate 1: what an edit has broken, told while its author still has it in mind.
namespace orchestrator::runtime {

/// What the check of one file says.
struct ShadowReport {
  std::string path;
  syntax::Skipped skipped = syntax::Skipped::no;  ///< else nothing was checked
  std::vector<syntax::SyntaxError> fresh;         ///< that were not there before the mission
};

/// A file's text as far as it can be checked.
struct FileText {
  syntax::Skipped skipped = syntax::Skipped::no;
  std::string text;  ///< empty also where there is no file
};
/// Reads what is at this path, up to the size that is parsed. Any thread.
[[nodiscard]] FileText text_to_check(os::FileSystem& fs, const std::string& path);

/// A file that the mission has written: how it parsed before, and how it parsed last. Any thread;
/// one parse of a file at a time.
class ShadowFile {
 public:
  /// `before`: as it was before the mission's first write.
  ShadowFile(std::string path, FileText before)
      : path_(std::move(path)), before_(std::move(before)) {}

  /// Parses the text as it was, so that the first check finds a tree to grow upon.
  void prepare();
  /// Parses the difference to what was parsed last. Errors that this finds are looked for once more
  /// without it, so that none is reported that a fresh parse does not have.
  [[nodiscard]] ShadowReport check(FileText now, const syntax::Limits& limits);
  /// The same, by a parse of the whole text.
  [[nodiscard]] ShadowReport check_whole(const FileText& now, const syntax::Limits& limits);

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Memory of its tree and texts, about.
  [[nodiscard]] std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  /// Lets the tree go: the next check parses the whole. Waits for no parse.
  void forget_tree() { keep(nullptr); }

 private:
  using Tree = std::shared_ptr<const syntax::ParsedText>;
  void prepare_locked() ORCH_REQUIRES(mutex_);
  void keep(Tree tree);
  [[nodiscard]] Tree newest();

  const std::string path_;
  base::Mutex mutex_;                        ///< held while the file is parsed
  FileText before_ ORCH_GUARDED_BY(mutex_);  ///< its text is let go once it is parsed
  bool prepared_ ORCH_GUARDED_BY(mutex_) = false;
  syntax::ParseReport baseline_ ORCH_GUARDED_BY(mutex_);
  base::Mutex newest_mutex_;  ///< never held for long
  Tree newest_ ORCH_GUARDED_BY(newest_mutex_);
  std::atomic<std::size_t> bytes_{0};
};

/// The files of one mission. Engine thread. Trees are bounded in number and bytes: those of the
/// files that were checked longest ago go first; baselines stay.
class ShadowFiles {
 public:
  struct Limits {
    std::size_t trees_max = 64;
    std::size_t bytes_max = std::size_t{64} << 20U;
  };
  ShadowFiles() : ShadowFiles(Limits{}) {}
  explicit ShadowFiles(Limits limits) : limits_(limits) {}

  /// The file of this path, relative to the project, or null where none was noted.
  [[nodiscard]] std::shared_ptr<ShadowFile> find(const std::string& path) const;
  /// Null if it is known already.
  std::shared_ptr<ShadowFile> note(const std::string& path, FileText before);
  /// It is being checked: others' trees may go for it.
  void used(const std::string& path);
  void clear();
  [[nodiscard]] std::size_t trees() const { return order_.size(); }

 private:
  struct Entry {
    std::shared_ptr<ShadowFile> file;
    std::list<std::string>::iterator place;  ///< in `order_`, or its end
  };
  const Limits limits_;
  std::map<std::string, Entry> files_;
  std::list<std::string> order_;  ///< files that may have a tree, newest first
};

/// What a tool's output gets for these reports; empty where nothing is to be said. A kind of file
/// that has no grammar is named only if `say_unknown`, which is then cleared.
[[nodiscard]] std::string shadow_text(const std::vector<ShadowReport>& reports, bool& say_unknown);

}  // namespace orchestrator::runtime
