#include "runtime/project_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "core/task_graph.h"
#include "os/content_hash.h"

namespace orchestrator::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFilesMax = 20'000;
constexpr std::uintmax_t kParseBytesMax = 1U << 20U;

/// Directories that no claim means: other programs' own.
bool is_skipped(const std::string& name) {
  return name == ".git" || name == "node_modules" || name == ".opencode";
}

bool has_wildcard(const std::string& glob) {
  return glob.find_first_of("*?{[") != std::string::npos;
}

std::string read_file(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error || size > kParseBytesMax) return "";
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

}  // namespace

std::string ProjectFiles::relative(std::string_view path) const {
  const fs::path given(path);
  const fs::path whole = given.is_absolute() ? given : fs::path(root_) / given;
  std::error_code error;
  // Resolves the links of the part that exists, and keeps the rest as it is written.
  const fs::path real = fs::weakly_canonical(whole, error);
  if (error) return whole.lexically_normal().string();
  const fs::path inside = real.lexically_relative(root_);
  if (inside.empty() || *inside.begin() == "..") return real.string();
  return inside.string();
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
    std::error_code error;
    if (fs::is_directory(fs::path(root_) / glob, error)) patterns.push_back(glob + "/**");
  }
  if (patterns.empty()) return {files.begin(), files.end()};
  std::error_code error;
  const auto options = fs::directory_options::skip_permission_denied;
  for (auto it = fs::recursive_directory_iterator(root_, options, error);
       it != fs::recursive_directory_iterator() && files.size() < kFilesMax; it.increment(error)) {
    if (error) break;
    if (is_skipped(it->path().filename().string())) {
      it.disable_recursion_pending();
      continue;
    }
    if (!it->is_regular_file(error)) continue;
    const std::string path = it->path().lexically_relative(root_).string();
    const auto names = [&](const std::string& glob) { return core::glob_matches(glob, path); };
    if (std::ranges::any_of(patterns, names)) files.insert(path);
  }
  return {files.begin(), files.end()};
}

std::string ProjectFiles::hash_of(const std::vector<std::string>& globs) const {
  std::string summary;
  for (const std::string& path : expand(globs)) {
    const auto hash = os::content_hash_of_file((fs::path(root_) / path).string());
    summary += path + '\0' + (hash.ok() ? hash.value() : "absent") + '\n';
  }
  return os::content_hash(summary);
}

void ProjectFiles::note_baseline(const std::string& path) {
  if (baselines_.contains(path)) return;
  const fs::path whole = fs::path(root_) / path;
  std::error_code error;
  const bool there = fs::is_regular_file(whole, error);
  baselines_[path] = there ? syntax::check_file(path, read_file(whole)) : syntax::ParseReport{};
}

std::vector<std::string> ProjectFiles::new_syntax_errors(
    const std::vector<std::string>& paths) const {
  std::vector<std::string> sentences;
  for (const std::string& path : paths) {
    const auto before = baselines_.find(path);
    if (before == baselines_.end()) continue;
    const fs::path whole = fs::path(root_) / path;
    std::error_code error;
    if (!fs::is_regular_file(whole, error) || !syntax::language_of_path(path)) continue;
    const auto now = syntax::check_file(path, read_file(whole));
    for (const auto& found : syntax::new_errors(before->second, now)) {
      sentences.push_back("syntax error in " + path + ":" + syntax::to_string(found));
      if (sentences.size() >= 10) return sentences;
    }
  }
  return sentences;
}

}  // namespace orchestrator::runtime
