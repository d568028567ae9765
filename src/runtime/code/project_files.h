#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "os/file_system.h"
#include "runtime/code/syntax_gate.h"

namespace orchestrator::runtime {

/// Directories that no claim and no search means: other programs' own.
[[nodiscard]] bool is_skipped(const std::string& name);

/// The user's files, as the engine observes them: never written, only read, hashed and parsed.
/// Engine thread; hashing a claim reads the files that it names.
class ProjectFiles {
 public:
  /// `root` is canonical.
  ProjectFiles(os::FileSystem& fs, std::string root) : fs_(fs), root_(std::move(root)) {}

  /// A path of a tool call (absolute, or relative to the root) as `src/a.js`, its links resolved.
  /// Outside the project: the absolute path, so that it can be named in a refusal.
  [[nodiscard]] std::string relative(std::string_view path) const;

  /// One hash over the names and contents of every file that the globs name; files that are not
  /// there count as absent. The same files with the same bytes give the same hash.
  [[nodiscard]] std::string hash_of(const std::vector<std::string>& globs) const;

  /// Keeps a file's text as it is before the mission first writes it. Null: it was kept already.
  std::shared_ptr<ShadowFile> note_baseline(const std::string& path);
  /// The same for a text that has been read already.
  void note_baseline(const std::string& path, std::string text);
  /// Of these files, those that the mission has written, as far as they can be checked.
  [[nodiscard]] std::vector<std::shared_ptr<ShadowFile>> written_among(
      const std::vector<std::string>& paths) const;
  ShadowFiles& shadows() { return shadows_; }
  /// Where a file of the project stands.
  [[nodiscard]] std::string whole(const std::string& path) const { return root_ + "/" + path; }
  [[nodiscard]] const std::string& root() const { return root_; }

 private:
  using Kind = os::FileInfo::Kind;
  /// What a path leads to, links followed; `other` where nothing is.
  [[nodiscard]] Kind kind_behind(const std::string& path) const;
  void collect(const std::string& directory, const std::vector<std::string>& patterns,
               std::set<std::string>& files) const;
  [[nodiscard]] std::vector<std::string> expand(const std::vector<std::string>& globs) const;

  os::FileSystem& fs_;
  std::string root_;
  ShadowFiles shadows_;
};

}  // namespace orchestrator::runtime
