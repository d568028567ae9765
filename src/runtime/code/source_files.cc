#include "runtime/code/source_files.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "base/ignore_rules.h"
#include "core/state/path_claims.h"
#include "runtime/code/project_files.h"

namespace orchestrator::runtime {
namespace {

using Kind = os::FileInfo::Kind;
using Rules = std::shared_ptr<const base::IgnoreRules>;

constexpr std::uint64_t kIgnoreBytesMax = 1U << 20U;
constexpr std::string_view kIgnoreFile = ".gitignore";
constexpr std::size_t kDepthMax = 200;

/// The directory above all that a glob can name: empty, or ending with a slash.
std::string fixed_directory(const std::string& glob) {
  const std::size_t wild = glob.find_first_of("*?{[");
  const std::size_t slash = glob.rfind('/', wild);
  return wild == 0 || slash == std::string::npos ? "" : glob.substr(0, slash + 1);
}

class Finder {
 public:
  Finder(os::FileSystem& fs, const std::string& root, const TreeQuery& query, SourceTree& out)
      : fs_(fs), root_(root), query_(query), out_(out) {}

  void run() {
    if (query_.paths.empty()) {
      look_into("", nullptr, nullptr, 0);
    } else {
      for (const std::string& path : query_.paths) start(path);
    }
    std::ranges::sort(out_.files);
    out_.files.erase(std::unique(out_.files.begin(), out_.files.end()), out_.files.end());
  }

 private:
  void start(std::string path) {
    while (path.starts_with("./")) path.erase(0, 2);
    while (path.ends_with('/')) path.pop_back();
    if (path.empty() || path == ".") return look_into("", nullptr, nullptr, 0);
    const auto info = fs_.stat(root_ + "/" + path);
    if (info.ok() && info.value().kind == Kind::file) {
      if (query_.wanted(path)) out_.files.push_back(path);
      return;
    }
    if (info.ok() && info.value().kind == Kind::directory) {
      const std::string directory = path + "/";
      return look_into(directory, rules_above(directory), nullptr, 0);
    }
    const std::string directory = fixed_directory(path);
    look_into(directory, rules_above(directory), &path, 0);
  }

  /// Of the directories above this one.
  Rules rules_above(const std::string& directory) {
    if (directory.empty()) return nullptr;
    Rules rules = rules_of("", nullptr);
    for (std::size_t slash = directory.find('/'); slash < directory.size() - 1;
         slash = directory.find('/', slash + 1)) {
      rules = rules_of(directory.substr(0, slash + 1), rules);
    }
    return rules;
  }

  Rules rules_of(const std::string& directory, Rules outer) {
    const bool some = fs_.exists(root_ + "/" + directory + std::string(kIgnoreFile));
    return some ? read_rules(directory, std::move(outer)) : outer;
  }

  Rules read_rules(const std::string& directory, Rules outer) {
    const auto text = fs_.read(root_ + "/" + directory + std::string(kIgnoreFile), kIgnoreBytesMax);
    return text.ok() ? base::IgnoreRules::read(text.value(), directory, std::move(outer)) : outer;
  }

  /// `outer` are the rules of the directories above; `glob`: only what it names.
  void look_into(const std::string& directory, const Rules& outer, const std::string* glob,
                 std::size_t depth) {
    if (depth > kDepthMax || query_.stop()) {
      out_.complete = false;
      return;
    }
    const auto entries = fs_.list(root_ + "/" + directory);
    if (!entries.ok()) {
      if (out_.unreadable.empty()) out_.unreadable = directory.empty() ? "." : directory;
      return;
    }
    const bool has_rules = std::ranges::find(entries.value(), kIgnoreFile,
                                             &os::DirectoryEntry::name) != entries.value().end();
    const Rules rules = has_rules ? read_rules(directory, outer) : outer;
    for (const os::DirectoryEntry& entry : entries.value()) {
      if (out_.files.size() >= query_.files_max) {
        out_.complete = false;
        return;
      }
      const std::string path = directory + entry.name;
      if (entry.kind == Kind::directory) {
        if (is_skipped(entry.name) || (rules && rules->ignores(path, true))) continue;
        look_into(path + "/", rules, glob, depth + 1);
      } else if (entry.kind == Kind::file && query_.wanted(path) &&
                 (glob == nullptr || core::glob_matches(*glob, path)) &&
                 !(rules && rules->ignores(path, false))) {
        out_.files.push_back(path);
      }
    }
  }

  os::FileSystem& fs_;
  const std::string& root_;
  const TreeQuery& query_;
  SourceTree& out_;
};

}  // namespace

SourceTree find_sources(os::FileSystem& fs, const std::string& root, const TreeQuery& query) {
  SourceTree out;
  Finder(fs, root, query, out).run();
  return out;
}

}  // namespace orchestrator::runtime
