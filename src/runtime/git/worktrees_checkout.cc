#include <array>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "os/file_system.h"
#include "runtime/git/nofollow_fs.h"
#include "runtime/git/worktrees_impl.h"

namespace orchestrator::runtime {
namespace {

namespace files = std::filesystem;
using base::Error;
using base::Result;

constexpr std::array<std::string_view, 3> kTopConfiguration = {"opencode.json", "opencode.jsonc",
                                                               "AGENTS.md"};
/// With these, and with `node_modules`, the host does not wait for npm (host contract A.4).
constexpr std::string_view kSettledLock =
    R"({"lockfileVersion":3,"packages":{"":{"dependencies":{"@opencode-ai/plugin":"*"}}}})";
constexpr std::string_view kHostIgnores =
    "node_modules\npackage.json\npackage-lock.json\nbun.lock\n.gitignore\n";
constexpr std::size_t kCopiedFilesMax = 2'000;
constexpr std::uint64_t kCopiedBytesMax = std::uint64_t{32} << 20U;
constexpr std::uint64_t kGitFileBytesMax = 64U << 10U;
constexpr std::string_view kHostPackages = ".opencode/node_modules";

}  // namespace

// ---- worktrees ----------------------------------------------------------------------------------

/// The commit that a worktree was made from, once it was made whole; empty: it never was.
Result<std::string> Worktrees::Body::base_of(const std::string& mission,
                                             const std::string& name) const {
  const auto end =
      git_->run(call({"rev-parse", "--quiet", "--verify", mark_of(mission, name) + "^{commit}"}));
  if (!end.ok()) return end.error();
  if (end.value().exit_code != 0) return std::string();
  return end.value().output.substr(0, end.value().output.find('\n'));
}

/// Of each worktree: what git knows of it, and the directory where it stands.
std::vector<std::pair<std::string, std::string>> Worktrees::Body::admins() const {
  std::vector<std::pair<std::string, std::string>> all;
  std::error_code error;
  for (files::directory_iterator it(common_dir_ + "/worktrees", error), end; !error && it != end;
       it.increment(error)) {
    auto text = os::posix_file_system().read(it->path().string() + "/gitdir", kGitFileBytesMax);
    if (!text.ok()) continue;
    std::string stands = std::move(text).value();
    while (stands.ends_with('\n')) stands.pop_back();
    constexpr std::string_view kLink = "/.git";
    if (stands.ends_with(kLink)) stands.resize(stands.size() - kLink.size());
    all.emplace_back(it->path().string(), stands);
  }
  return all;
}

std::string Worktrees::Body::admin_of(const std::string& directory) const {
  std::error_code error;
  const std::string real = files::weakly_canonical(directory, error).string();
  for (const auto& [admin, stands] : admins()) {
    if (stands == directory || stands == real) return admin;
  }
  return "";
}

Result<Worktrees::Added> Worktrees::Body::add(const std::string& mission, const std::string& name,
                                              const std::string& base) {
  if (auto ready = prepare(); !ready.ok()) return ready.error();
  if (auto made = make_home(); !made.ok()) return made.error();
  const std::string directory = directory_of(mission, name);
  const auto before = base_of(mission, name);
  if (!before.ok()) return before.error();
  std::error_code error;
  const std::string admin = admin_of(directory);
  if (!before.value().empty() && !admin.empty() && is_real_directory(directory)) {
    if (before.value() != base) {
      auto moved = move({admin, directory}, mark_of(mission, name), before.value(), base);
      if (!moved.ok()) return moved.error();
    }
    return Added{files::canonical(directory, error).string(), true};
  }
  if (auto removed = remove_directory(directory); !removed.ok()) return removed.error();
  GitCall made = call({"worktree", "add", "--quiet", "--force", "--detach", directory, base});
  made.time_max = kTreeTime;
  if (const auto done = git_->output_of(made); !done.ok()) {
    (void)remove_directory(directory);
    return done.error();
  }
  if (auto done = furnish(directory); !done.ok()) return done.error();
  if (auto marked = set_mark(mark_of(mission, name), base); !marked.ok()) return marked.error();
  return Added{files::canonical(directory, error).string(), false};
}

/// From here on it is whole, with the files of `base`.
Result<void> Worktrees::Body::set_mark(const std::string& mark, const std::string& base) const {
  const auto marked = git_->output_of(call({"update-ref", mark, base}));
  if (!marked.ok()) return marked.error();
  return {};
}

/// Brings the files of another commit into a worktree that is still unchanged. It is not
/// whole meanwhile: whatever ends this, the next call makes it anew.
Result<void> Worktrees::Body::move(const Place& place, const std::string& mark,
                                   const std::string& from, const std::string& to) {
  const auto known = git_->line_of(call({"rev-parse", from + "^{tree}"}));
  if (!known.ok()) return known.error();
  const auto tree = present_tree(place);
  if (!tree.ok()) return tree.error();
  if (tree.value().id != known.value())
    return Error{"it exists already, made from " + from + ", and has changes", place.work_tree,
                 "remove it first"};
  const auto unmarked = git_->output_of(call({"update-ref", "-d", mark}));
  if (!unmarked.ok()) return unmarked.error();
  GitCall made = call(place, {"checkout", "--quiet", "--detach", to});
  made.time_max = kTreeTime;
  if (const auto done = git_->output_of(made); !done.ok()) return done.error();
  if (auto done = furnish(place.work_tree); !done.ok()) return done;
  return set_mark(mark, to);
}

/// What is missing in a worktree since git ignores it, and without which OpenCode would not start
/// there as it does in the project, or would wait for npm.
Result<void> Worktrees::Body::furnish(const std::string& directory) const {
  if (auto copied = copy_settings(directory); !copied.ok()) return copied;
  const std::string settings = directory + "/.opencode";
  std::error_code error;
  if (!files::is_directory(files::symlink_status(settings, error))) return {};
  const auto lacks = [&](const char* name) {
    std::error_code ignored;
    return files::symlink_status(settings + name, ignored).type() == files::file_type::not_found;
  };
  const auto write = [&](const char* name, std::string_view text) -> Result<void> {
    if (!lacks(name)) return {};
    return os::atomic_replace(os::posix_file_system(), settings + name, text);
  };
  if (lacks("/node_modules")) {
    const std::string packages = project_ + "/.opencode/node_modules";
    if (files::is_directory(packages, error)) {
      files::create_directory_symlink(packages, settings + "/node_modules", error);
    } else {
      files::create_directory(settings + "/node_modules", error);
    }
    if (error) return Error{error.message(), settings + "/node_modules", ""};
  }
  if (auto done = write("/package-lock.json", kSettledLock); !done.ok()) return done;
  return write("/.gitignore", kHostIgnores);
}

/// Files of the project's settings that are not in the commit because git ignores them.
Result<void> Worktrees::Body::copy_settings(const std::string& directory) const {
  std::vector<std::string> ours;
  std::vector<std::string> hosts;
  std::error_code error;
  for (const std::string_view name : kTopConfiguration) {
    const files::path from = files::path(project_) / name;
    if (files::symlink_status(from, error).type() == files::file_type::regular)
      ours.emplace_back(name);
  }
  const files::path settings = files::path(project_) / ".opencode";
  files::recursive_directory_iterator it;
  if (files::symlink_status(settings, error).type() == files::file_type::directory)
    it = files::recursive_directory_iterator(settings, error);
  for (; !error && it != files::recursive_directory_iterator(); it.increment(error)) {
    const std::string path = it->path().lexically_relative(project_).string();
    std::error_code of_entry;
    const auto type = it->symlink_status(of_entry).type();
    const bool skipped = is_state_path(path) || path == kHostPackages;
    if (skipped && type == files::file_type::directory) it.disable_recursion_pending();
    if (skipped || type != files::file_type::regular) continue;
    (is_host_path(path) ? hosts : ours).push_back(path);
    if (ours.size() > kCopiedFilesMax) break;
  }
  GitCall asked = call({"check-ignore", "-z", "--stdin"});
  asked.input = nul_joined(ours);
  const auto ignored = git_->run(asked);
  if (!ignored.ok()) return ignored.error();
  if (ignored.value().exit_code > 1) return git_error("git check-ignore", ignored.value());
  std::uint64_t bytes = 0;
  const auto copy = [&](const std::vector<std::string>& paths) -> Result<void> {
    for (const std::string& path : paths) {
      const files::path to = files::path(directory) / path;
      const files::path from = files::path(project_) / path;
      std::error_code failed;
      if (files::symlink_status(to, failed).type() != files::file_type::not_found) continue;
      bytes += files::file_size(from, failed);
      if (bytes > kCopiedBytesMax || ours.size() > kCopiedFilesMax) {
        return Error{"what git ignores there is too large to copy for each Worker",
                     settings.string(), ""};
      }
      // Through no link that the commit has put there.
      std::string leaf;
      if (!parent_of(directory, path, true, leaf).ok()) continue;
      files::copy_file(from, to, failed);
      if (failed) return Error{failed.message(), to.string(), ""};
    }
    return {};
  };
  if (auto copied = copy(nul_separated(ignored.value().output)); !copied.ok()) return copied;
  // The host's own files alone need no directory for settings.
  if (!files::exists(files::path(directory) / ".opencode", error)) return {};
  return copy(hosts);
}

// ---- removing -----------------------------------------------------------------------------------

Result<void> Worktrees::Body::remove_directory(const std::string& directory) {
  const std::string admin = git_ ? admin_of(directory) : "";
  if (auto removed = remove_tree(directory); !removed.ok()) return removed;
  if (!git_) return {};
  // What `git worktree prune` would do with this one; that would also take the user's own whose
  // disk is not there just now.
  if (!admin.empty()) {
    if (auto removed = remove_tree(admin); !removed.ok()) return removed;
  }
  // One that a crash has left before it was told its directory.
  const std::string half = common_dir_ + "/worktrees/" + files::path(directory).filename().string();
  std::error_code error;
  if (files::is_directory(half, error) && !files::exists(half + "/gitdir", error))
    return remove_tree(half);
  return {};
}

Result<void> Worktrees::Body::remove_refs(const std::function<bool(const std::string&)>& which) {
  const auto found = git_->output_of(call({"for-each-ref", "--format=%(refname)", refs_}));
  if (!found.ok()) return found.error();
  std::string orders;
  for (std::size_t from = 0; from < found.value().size();) {
    const std::size_t end = std::min(found.value().find('\n', from), found.value().size());
    const std::string ref = found.value().substr(from, end - from);
    from = end + 1;
    if (!ref.starts_with(refs_)) continue;
    const std::string mission =
        ref.substr(refs_.size(), ref.find('/', refs_.size()) - refs_.size());
    if (which(mission)) orders += "delete " + ref + '\0' + '\0';
  }
  if (orders.empty()) return {};
  GitCall made = call({"update-ref", "-z", "--stdin"});
  made.input = std::move(orders);
  const auto done = git_->output_of(made);
  if (!done.ok()) return done.error();
  return {};
}

Result<Worktrees::Done> Worktrees::Body::remove(const std::string& mission,
                                                const std::string& name) {
  if (auto ready = prepare(); !ready.ok()) return ready.error();
  if (auto ours = home_is_ours(); !ours.ok()) return ours.error();
  if (auto removed = remove_directory(directory_of(mission, name)); !removed.ok())
    return removed.error();
  const auto mark = git_->output_of(call({"update-ref", "-d", mark_of(mission, name)}));
  if (!mark.ok()) return mark.error();
  return Done{};
}

Result<Worktrees::Done> Worktrees::Body::remove_missions(
    const std::function<bool(const std::string&)>& which, bool leftovers) {
  std::error_code error;
  // Where there never was one, git is not even started.
  if (!files::is_directory(home_, error)) return Done{};
  if (auto ours = home_is_ours(); !ours.ok()) return ours.error();
  const auto ready = prepare();
  const auto is_meant = [&](const std::string& leaf) {
    const std::size_t dot = std::min(leaf.find('.'), leaf.size());
    const std::string mission = leaf.substr(0, dot);
    return dot < leaf.size() && is_plain_name(mission, false) && which(mission);
  };
  std::set<std::string> directories;
  for (files::directory_iterator it(home_, error), end; !error && it != end; it.increment(error)) {
    const std::string leaf = it->path().filename().string();
    const bool left = leftovers && (leaf.starts_with("index-") || leaf.starts_with("stage-"));
    if (left || is_meant(leaf)) directories.insert(home_ + "/" + leaf);
  }
  for (const auto& [admin, stands] : git_ ? admins() : decltype(admins()){}) {
    const files::path path(stands);
    if (path.parent_path() == home_ && is_meant(path.filename().string()))
      directories.insert(stands);
  }
  for (const std::string& directory : directories) {
    if (auto removed = remove_directory(directory); !removed.ok()) return removed.error();
  }
  if (!ready.ok()) return ready.error();
  if (auto removed = remove_refs(which); !removed.ok()) return removed.error();
  // If they are empty, as git would do.
  files::remove(home_, error);
  files::remove(common_dir_ + "/worktrees", error);
  return Done{};
}

}  // namespace orchestrator::runtime
