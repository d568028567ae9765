#include "runtime/code/project_files.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/state/path_claims.h"
#include "os/content_hash.h"
#include "syntax/language.h"

namespace orchestrator::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kVouchedMax = 20'000;

bool has_wildcard(const std::string& glob) {
  return glob.find_first_of("*?{[") != std::string::npos;
}

}  // namespace

bool is_skipped(const std::string& name) {
  return name == ".git" || name == "node_modules" || name == ".opencode";
}

std::string ProjectFiles::relative(std::string_view path) const {
  const fs::path given(path);
  const fs::path whole = given.is_absolute() ? given : fs::path(root_) / given;
  // Resolves the links of the part that exists, and keeps the rest as it is written.
  fs::path rest;
  fs::path there = whole;
  base::Result<std::string> resolved = fs_.canonical(there.string());
  while (!resolved.ok() && there.has_relative_path()) {
    // A link that leads nowhere yet: what is written through it appears wherever it points to.
    const auto itself = fs_.stat(there.string());
    if (itself.ok() && itself.value().kind == Kind::link) return whole.lexically_normal().string();
    rest = rest.empty() ? there.filename() : there.filename() / rest;
    there = there.parent_path();
    resolved = fs_.canonical(there.string());
  }
  if (!resolved.ok()) return whole.lexically_normal().string();
  fs::path real(resolved.value());
  if (!rest.empty()) real = (real / rest).lexically_normal();  // else it would end with a slash
  const fs::path inside = real.lexically_relative(root_);
  if (inside.empty() || *inside.begin() == "..") return real.string();
  return inside.string();
}

os::FileInfo::Kind ProjectFiles::kind_behind(const std::string& path) const {
  auto info = fs_.stat(path);
  if (info.ok() && info.value().kind == Kind::link) {
    const auto target = fs_.canonical(path);
    if (!target.ok()) return Kind::other;
    info = fs_.stat(target.value());
  }
  return info.ok() ? info.value().kind : Kind::other;
}

/// `directory` is relative to the root and empty, or ends with a slash. One that cannot be listed
/// holds nothing for us.
void ProjectFiles::collect(const std::string& directory, const std::vector<std::string>& patterns,
                           std::set<std::string>& files) const {
  const auto entries = fs_.list(root_ + "/" + directory);
  if (!entries.ok()) return;
  for (const os::DirectoryEntry& entry : entries.value()) {
    if (files.size() >= kVouchedMax) return;
    if (is_skipped(entry.name)) continue;
    const std::string path = directory + entry.name;
    if (entry.kind == Kind::directory) {
      collect(path + "/", patterns, files);
      continue;
    }
    const auto names = [&](const std::string& glob) { return core::glob_matches(glob, path); };
    if (!std::ranges::any_of(patterns, names)) continue;
    if (entry.kind == Kind::file || kind_behind(root_ + "/" + path) == Kind::file)
      files.insert(path);
  }
}

std::vector<std::string> ProjectFiles::expand(const std::vector<std::string>& globs) const {
  std::set<std::string> files;
  std::vector<std::string> patterns;
  for (const std::string& glob : globs) {
    if (has_wildcard(glob)) {
      patterns.push_back(glob);
      continue;
    }
    files.insert(glob);
    if (kind_behind(root_ + "/" + glob) == Kind::directory) patterns.push_back(glob + "/**");
  }
  if (!patterns.empty()) collect("", patterns, files);
  return {files.begin(), files.end()};
}

std::string ProjectFiles::hash_of(const std::vector<std::string>& globs) const {
  std::string summary;
  for (const std::string& path : expand(globs)) {
    const auto hash = os::content_hash_of_file(fs_, (fs::path(root_) / path).string());
    summary += path + '\0' + (hash.ok() ? hash.value() : "absent") + '\n';
  }
  return os::content_hash(summary);
}

std::shared_ptr<ShadowFile> ProjectFiles::note_baseline(const std::string& path) {
  if (shadows_.find(path) != nullptr) return nullptr;
  FileText before;
  if (syntax::language_of_path(path)) before = text_to_check(fs_, whole(path));
  return shadows_.note(path, std::move(before));
}

void ProjectFiles::note_baseline(const std::string& path, std::string text) {
  shadows_.note(path, FileText{syntax::Skipped::no, std::move(text)});
}

std::vector<std::shared_ptr<ShadowFile>> ProjectFiles::written_among(
    const std::vector<std::string>& paths) const {
  std::vector<std::shared_ptr<ShadowFile>> files;
  for (const std::string& path : paths) {
    auto file = shadows_.find(path);
    if (file != nullptr && syntax::language_of_path(path)) files.push_back(std::move(file));
  }
  return files;
}

}  // namespace orchestrator::runtime
