#include "runtime/worktrees.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "os/file_system.h"
#include "runtime/git_program.h"

namespace orchestrator::runtime {
namespace {

namespace files = std::filesystem;
using base::Error;
using base::Result;

constexpr std::string_view kStateDirectory = ".opencode/orchestrator";
/// The mission's own files, of which no Worker has a copy.
constexpr std::array<std::string_view, 3> kStatePaths = {
    ".opencode/orchestrator", ".opencode/mission_loop.json", ".opencode/todo.md"};
/// What the host puts into a directory of its configuration.
constexpr std::array<std::string_view, 5> kHostPaths = {
    ".opencode/node_modules", ".opencode/package.json", ".opencode/package-lock.json",
    ".opencode/bun.lock", ".opencode/.gitignore"};
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
constexpr std::chrono::seconds kTreeTime{300};  ///< of what reads or writes all files
constexpr std::string_view kGitlink = "160000";
constexpr std::string_view kNothing = "000000";

bool is_under(std::string_view path, std::string_view directory) {
  return path == directory || (path.size() > directory.size() && path.starts_with(directory) &&
                               path[directory.size()] == '/');
}

bool is_state(std::string_view path) {
  if (path.ends_with('/')) path.remove_suffix(1);
  return std::ranges::any_of(kStatePaths, [&](auto state) { return is_under(path, state); }) ||
         // Its temporary names.
         path.starts_with(".opencode/mission_loop.json.") || path.starts_with(".opencode/todo.md.");
}

bool is_the_hosts(std::string_view path) {
  return std::ranges::any_of(kHostPaths, [&](auto host) { return is_under(path, host); });
}

/// Whether a name may be part of a directory's and a ref's.
bool is_plain_name(std::string_view name, bool dots) {
  const auto fits = [dots](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || (dots && c == '.');
  };
  return !name.empty() && name.size() <= 100 && std::ranges::all_of(name, fits) &&
         name.front() != '.' && name.front() != '-' && name.back() != '.' &&
         name.find("..") == std::string_view::npos && !name.ends_with(".lock");
}

bool is_real_directory(const std::string& path) {
  std::error_code error;
  return files::symlink_status(path, error).type() == files::file_type::directory;
}

bool is_object_id(std::string_view id) {
  return (id.size() == 40 || id.size() == 64) &&
         id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// No part of a path that git has in a tree leads elsewhere; what comes here is checked all the
/// same.
bool stays_inside(std::string_view path) {
  if (path.empty()) return false;
  for (std::size_t from = 0; from <= path.size();) {
    const std::size_t end = std::min(path.find('/', from), path.size());
    const std::string_view part = path.substr(from, end - from);
    from = end + 1;
    const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
    constexpr std::string_view kGit = ".git";
    if (part.empty() || part == "." || part == ".." || std::ranges::equal(part, kGit, same)) {
      return false;
    }
  }
  return true;
}

Error errno_at(const std::string& where) {
  return Error{std::generic_category().message(errno), where, ""};
}

/// A line of `--raw -z`.
struct RawEntry {
  std::string old_mode;
  std::string new_mode;
  std::string old_id;
  std::string new_id;
  std::string path;
};

std::vector<RawEntry> raw_entries(std::string_view output) {
  std::vector<RawEntry> entries;
  const auto parts = nul_separated(output);
  for (std::size_t i = 0; i + 1 < parts.size(); i += 2) {
    // ":100644 100644 <id> <id> M"
    RawEntry entry;
    std::array<std::string*, 4> fields = {&entry.old_mode, &entry.new_mode, &entry.old_id,
                                          &entry.new_id};
    std::size_t from = 1;
    for (std::string* field : fields) {
      const std::size_t end = std::min(parts[i].find(' ', from), parts[i].size());
      *field = parts[i].substr(std::min(from, parts[i].size()), end - from);
      from = end + 1;
    }
    entry.path = parts[i + 1];
    entries.push_back(std::move(entry));
  }
  return entries;
}

bool is_gitlink(const RawEntry& entry) {
  return entry.old_mode == kGitlink || entry.new_mode == kGitlink;
}

std::string nul_joined(const std::vector<std::string>& paths) {
  std::string all;
  for (const std::string& path : paths) all += path + '\0';
  return all;
}

/// What a name stands for at one moment.
struct Print {
  bool exists = false;
  mode_t mode = 0;
  dev_t device = 0;
  ino_t file = 0;
  off_t size = 0;
  std::int64_t modified_ns = 0;
  bool operator==(const Print&) const = default;
  [[nodiscard]] bool is_directory() const { return exists && S_ISDIR(mode); }
};

Print print_at(int directory, const std::string& name) {
  struct stat info {};
  if (fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return {};
  return {true,         info.st_mode,
          info.st_dev,  info.st_ino,
          info.st_size, std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

/// A descriptor that closes itself.
class OpenDirectory {
 public:
  explicit OpenDirectory(int fd) : fd_(fd) {}
  OpenDirectory(OpenDirectory&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OpenDirectory& operator=(OpenDirectory&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OpenDirectory() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool ok() const { return fd_ >= 0; }

  /// A directory in it that is no link.
  [[nodiscard]] OpenDirectory enter(const std::string& name, bool make) const {
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(fd_, name.c_str(), kFlags);
    if (fd < 0 && errno == ENOENT && make && mkdirat(fd_, name.c_str(), 0777) == 0)
      fd = openat(fd_, name.c_str(), kFlags);
    return OpenDirectory(fd);
  }

 private:
  int fd_;
};

/// The directory of a path below `root`, reached through no link; invalid, with errno, where there
/// is none. `leaf` is the path's last part.
OpenDirectory parent_of(const std::string& root, const std::string& path, bool make,
                        std::string& leaf) {
  OpenDirectory at(open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::size_t from = 0;
  for (std::size_t slash = path.find('/'); at.ok() && slash != std::string::npos;
       slash = path.find('/', from)) {
    at = at.enter(path.substr(from, slash - from), make);
    from = slash + 1;
  }
  leaf = path.substr(from);
  return at;
}

/// A directory with all that is in it; no link is followed. What cannot be removed since its
/// directory is read-only is removed all the same.
Result<void> remove_tree(const std::string& path) {
  std::error_code error;
  for (int attempt = 0; attempt < 3; ++attempt) {
    files::remove_all(path, error);
    if (!error) return {};
    if (!is_real_directory(path)) break;
    using Options = files::directory_options;
    std::error_code ignored;
    files::permissions(path, files::perms::owner_all, files::perm_options::add, ignored);
    files::recursive_directory_iterator it(path, Options::skip_permission_denied, ignored);
    for (int steps = 0; !ignored && it != files::recursive_directory_iterator(); ++steps) {
      std::error_code of_entry;
      if (it->symlink_status(of_entry).type() == files::file_type::directory)
        files::permissions(it->path(), files::perms::owner_all, files::perm_options::add, of_entry);
      it.increment(ignored);
    }
  }
  return Error{error.message(), path, "remove it by hand"};
}

}  // namespace

/// All the work. Pool threads, one call at a time.
class Worktrees::Body {
 public:
  Body(std::string project, std::string program_path)
      : project_(std::move(project)),
        program_path_(std::move(program_path)),
        home_(project_ + "/" + std::string(kStateDirectory) + "/worktrees") {}

  std::atomic<bool> stop{false};

  Result<Usable> check();
  Result<Snapshot> snapshot(const std::string& mission, const std::string& after);
  Result<Added> add(const std::string& mission, const std::string& name, const std::string& base);
  Result<Collected> collect(const std::string& mission, const std::string& name);
  Result<Merged> merge(const std::string& mission, const std::string& ours,
                       const std::string& theirs);
  Result<Applied> apply(const std::string& from, const std::string& to);
  Result<Done> remove(const std::string& mission, const std::string& name);
  Result<Done> remove_missions(const std::function<bool(const std::string&)>& which,
                               bool leftovers);

 private:
  /// A repository with the files that belong to it.
  struct Place {
    std::string git_dir;
    std::string work_tree;
  };
  struct Tree {
    std::string id;
    std::vector<std::string> left_out;
  };

  Result<void> prepare();
  [[nodiscard]] Place here() const { return {git_dir_, project_}; }
  [[nodiscard]] GitCall call(const Place& place, std::vector<std::string> arguments) const;
  [[nodiscard]] GitCall call(std::vector<std::string> arguments) const {
    return call(here(), std::move(arguments));
  }
  /// A name of ours in `home_` that nobody uses.
  std::string temporary(const std::string& kind);
  Result<std::string> copy_of_index(const Place& place);
  Result<Tree> present_tree(const Place& place);
  Result<Tree> present_tree(const Place& place, const std::string& index);
  Result<std::string> commit(const std::string& mission, const std::string& tree,
                             const std::vector<std::string>& parents, const std::string& message);
  [[nodiscard]] Result<std::vector<RawEntry>> difference(const std::string& from,
                                                         const std::string& to) const;
  [[nodiscard]] ConflictSide side(const std::string& mode, const std::string& id) const;

  [[nodiscard]] std::string directory_of(const std::string& mission,
                                         const std::string& name) const {
    return home_ + "/" + mission + "." + name;
  }
  [[nodiscard]] std::string refs_of(const std::string& mission) const {
    return refs_ + mission + "/";
  }
  [[nodiscard]] Result<std::string> base_of(const std::string& mission,
                                            const std::string& name) const;
  /// What git knows of a worktree: its directory in `worktrees` of the repository; empty: nothing.
  [[nodiscard]] std::string admin_of(const std::string& directory) const;
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> admins() const;
  Result<void> remove_directory(const std::string& directory);
  Result<void> remove_refs(const std::function<bool(const std::string&)>& which);
  [[nodiscard]] Result<void> home_is_ours() const;
  Result<void> make_home();
  Result<void> furnish(const std::string& directory) const;
  Result<void> copy_settings(const std::string& directory) const;
  std::string put(const std::string& staged, const RawEntry& entry, const Print& before) const;
  [[nodiscard]] std::string take_away(const RawEntry& entry, const Print& before) const;

  const std::string project_;
  const std::string program_path_;
  const std::string home_;
  std::optional<GitProgram> git_;  ///< with the rest: once it is known that there is one
  std::string git_dir_;
  std::string common_dir_;
  std::string refs_;  ///< with the `/`; a linked worktree of the user's has its own
  std::uint64_t next_temporary_ = 1;
};

// ---- the repository -----------------------------------------------------------------------------

/// Finds git and the repository.
Result<void> Worktrees::Body::prepare() {
  if (git_) return {};
  auto git = GitProgram::find(program_path_, project_, stop);
  if (!git.ok()) return git.error();
  const auto ask = [&](const char* what) {
    GitCall asked;
    asked.arguments = {"rev-parse", "--path-format=absolute", what};
    asked.directory = project_;
    return git.value().line_of(asked);
  };
  const auto top = ask("--show-toplevel");
  if (!top.ok()) {
    const bool none = top.error().what.find("not a git repository") != std::string::npos;
    return Error{none ? "it is in no git repository" : top.error().what, project_,
                 none ? "git init makes it one" : ""};
  }
  std::error_code error;
  if (files::canonical(top.value(), error).string() != project_ || error) {
    return Error{"it is a part of the git repository " + top.value(), project_,
                 "open OpenCode in that directory"};
  }
  const auto own = ask("--absolute-git-dir");
  if (!own.ok()) return own.error();
  const auto common = ask("--git-common-dir");
  if (!common.ok()) return common.error();
  git_dir_ = own.value();
  common_dir_ = common.value();
  const bool linked = git_dir_ != common_dir_;
  refs_ = "refs/opencode-orchestrator/" +
          (linked ? "linked-" + files::path(git_dir_).filename().string() : "main") + "/";
  git_ = std::move(git).value();
  return {};
}

GitCall Worktrees::Body::call(const Place& place, std::vector<std::string> arguments) const {
  GitCall made;
  made.arguments = std::move(arguments);
  made.directory = place.work_tree;
  made.git_dir = place.git_dir;
  made.work_tree = place.work_tree;
  return made;
}

Result<Worktrees::Usable> Worktrees::Body::check() {
  if (auto ready = prepare(); !ready.ok()) return ready.error();
  if (auto ours = home_is_ours(); !ours.ok()) return ours.error();
  Usable usable;
  usable.git = git_->version();
  if (files::exists(project_ + "/.gitmodules")) {
    usable.notes.emplace_back(
        "This project has git submodules: they are empty in the Workers' worktrees, and what is "
        "changed in them is not brought together.");
  }
  return usable;
}

/// A repository may bring a link under this name: nothing is put, or removed, behind it.
Result<void> Worktrees::Body::home_is_ours() const {
  std::string path = project_;
  for (const char* part : {"/.opencode", "/orchestrator", "/worktrees"}) {
    path += part;
    std::error_code error;
    if (files::symlink_status(path, error).type() == files::file_type::symlink) {
      return Error{"it is a link, behind which no worktree is put", path, "make it a directory"};
    }
  }
  return {};
}

Result<void> Worktrees::Body::make_home() {
  if (auto ours = home_is_ours(); !ours.ok()) return ours;
  std::error_code error;
  files::create_directories(home_, error);
  if (error) return Error{error.message(), home_, ""};
  const std::string ignore = project_ + "/" + std::string(kStateDirectory) + "/.gitignore";
  if (files::exists(ignore, error)) return {};
  return os::atomic_replace(os::posix_file_system(), ignore, "*\n");
}

std::string Worktrees::Body::temporary(const std::string& kind) {
  return home_ + "/" + kind + "-" + std::to_string(getpid()) + "-" +
         std::to_string(next_temporary_++);
}

// ---- the present files as a tree ----------------------------------------------------------------

/// The user's index with what it knows of files, so that only changed ones are read. Its time goes
/// with it: by it git tells which entries it must not trust.
Result<std::string> Worktrees::Body::copy_of_index(const Place& place) {
  if (auto made = make_home(); !made.ok()) return made.error();
  std::string copy = temporary("index");
  const std::string index = place.git_dir + "/index";
  const OpenDirectory from(open(index.c_str(), O_RDONLY | O_CLOEXEC));
  if (!from.ok() && errno == ENOENT) return copy;  // git begins with an empty one
  struct stat info {};
  if (!from.ok() || fstat(from.get(), &info) != 0) return errno_at(index);
  const OpenDirectory to(open(copy.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!to.ok()) return errno_at(copy);
  std::string part(std::size_t{1} << 20U, '\0');
  for (;;) {
    const ssize_t size = read(from.get(), part.data(), part.size());
    if (size == 0) break;
    if (size < 0 || write(to.get(), part.data(), static_cast<std::size_t>(size)) != size)
      return errno_at(copy);
  }
  const std::array<timespec, 2> times = {info.st_atim, info.st_mtim};
  if (futimens(to.get(), times.data()) != 0) return errno_at(copy);
  return copy;
}

Result<Worktrees::Body::Tree> Worktrees::Body::present_tree(const Place& place) {
  const auto index = copy_of_index(place);
  if (!index.ok()) return index.error();
  auto tree = present_tree(place, index.value());
  unlink(index.value().c_str());
  return tree;
}

Result<Worktrees::Body::Tree> Worktrees::Body::present_tree(const Place& place,
                                                            const std::string& index) {
  const auto run = [&](std::vector<std::string> arguments, std::string input) {
    GitCall made = call(place, std::move(arguments));
    made.index = index;
    made.input = std::move(input);
    made.time_max = kTreeTime;
    return git_->output_of(made);
  };
  const auto changed =
      run({"diff-files", "-z", "--raw", "--no-renames", "--ignore-submodules=all"}, "");
  if (!changed.ok()) return changed.error();
  const auto others = run({"ls-files", "-z", "--others", "--exclude-standard"}, "");
  if (!others.ok()) return others.error();
  const auto state = run({"ls-files", "-z", "--cached", "--", std::string(kStatePaths[0]),
                          std::string(kStatePaths[1]), std::string(kStatePaths[2])},
                         "");
  if (!state.ok()) return state.error();
  Tree tree;
  std::vector<std::string> paths;
  // Those that are gone, also behind a link that stands where their directory was.
  std::string gone = state.value();
  for (const RawEntry& entry : raw_entries(changed.value())) {
    if (is_gitlink(entry) || is_state(entry.path)) continue;
    if (entry.new_mode == kNothing) {
      gone += entry.path + '\0';
    } else {
      paths.push_back(entry.path);
    }
  }
  std::uint64_t untracked = 0;
  for (const std::string& path : nul_separated(others.value())) {
    if (is_state(path) || is_the_hosts(path)) continue;
    if (path.ends_with('/')) {
      tree.left_out.push_back(path.substr(0, path.size() - 1));
      continue;
    }
    struct stat info {};
    const std::string whole = place.work_tree + "/" + path;
    if (lstat(whole.c_str(), &info) == 0) untracked += static_cast<std::uint64_t>(info.st_size);
    paths.push_back(path);
  }
  if (untracked > kUntrackedBytesMax) {
    return Error{"files that git does not know have " + std::to_string(untracked >> 20U) + " MB",
                 place.work_tree, "name them in .gitignore, or add them"};
  }
  if (!gone.empty()) {
    const auto removed = run({"update-index", "-z", "--force-remove", "--stdin"}, gone);
    if (!removed.ok()) return removed.error();
  }
  if (!paths.empty()) {
    const auto updated =
        run({"update-index", "-z", "--add", "--remove", "--replace", "--stdin"}, nul_joined(paths));
    if (!updated.ok()) return updated.error();
  }
  auto id = run({"write-tree"}, "");
  if (!id.ok()) return id.error();
  tree.id = id.value().substr(0, id.value().find('\n'));
  return tree;
}

/// A ref holds it until its mission is removed.
Result<std::string> Worktrees::Body::commit(const std::string& mission, const std::string& tree,
                                            const std::vector<std::string>& parents,
                                            const std::string& message) {
  std::vector<std::string> arguments = {"commit-tree", tree, "-m", message};
  for (const std::string& parent : parents) {
    arguments.emplace_back("-p");
    arguments.push_back(parent);
  }
  auto made = git_->line_of(call(std::move(arguments)));
  if (!made.ok()) return made;
  const auto kept = git_->output_of(
      call({"update-ref", refs_of(mission) + "kept/" + made.value(), made.value()}));
  if (!kept.ok()) return kept.error();
  return made;
}

Result<Worktrees::Snapshot> Worktrees::Body::snapshot(const std::string& mission,
                                                      const std::string& after) {
  if (auto ready = prepare(); !ready.ok()) return ready.error();
  auto tree = present_tree(here());
  if (!tree.ok()) return tree.error();
  Snapshot taken;
  taken.left_out = std::move(tree.value().left_out);
  const std::string of = after.empty() ? "HEAD" : after;
  const auto parent = git_->run(call({"rev-parse", "--quiet", "--verify", of + "^{commit}"}));
  if (!parent.ok()) return parent.error();
  std::vector<std::string> parents;
  if (parent.value().exit_code == 0) {
    parents.push_back(parent.value().output.substr(0, parent.value().output.find('\n')));
  } else if (!after.empty()) {
    return Error{"there is no such commit", after, ""};
  }
  if (!after.empty()) {
    const auto before = git_->line_of(call({"rev-parse", after + "^{tree}"}));
    if (!before.ok()) return before.error();
    taken.commit = after;
    if (before.value() == tree.value().id) return taken;
  }
  auto made = commit(mission, tree.value().id, parents, "The project in mission " + mission);
  if (!made.ok()) return made.error();
  taken.commit = std::move(made).value();
  return taken;
}

Result<std::vector<RawEntry>> Worktrees::Body::difference(const std::string& from,
                                                          const std::string& to) const {
  const auto output = git_->output_of(call({"diff-tree", "-r", "-z", "--raw", "--no-renames",
                                            "--no-ext-diff", "--no-textconv", from, to}));
  if (!output.ok()) return output.error();
  return raw_entries(output.value());
}

// ---- worktrees ----------------------------------------------------------------------------------

/// The commit that a worktree was made from, once it was made whole; empty: it never was.
Result<std::string> Worktrees::Body::base_of(const std::string& mission,
                                             const std::string& name) const {
  const auto end = git_->run(
      call({"rev-parse", "--quiet", "--verify", refs_of(mission) + "at/" + name + "^{commit}"}));
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
    if (before.value() == base) return Added{files::canonical(directory, error).string(), true};
    return Error{"it is there already, from " + before.value(), directory, "remove it first"};
  }
  if (auto removed = remove_directory(directory); !removed.ok()) return removed.error();
  GitCall made = call({"worktree", "add", "--quiet", "--force", "--detach", directory, base});
  made.time_max = kTreeTime;
  if (const auto done = git_->output_of(made); !done.ok()) {
    (void)remove_directory(directory);
    return done.error();
  }
  if (auto done = furnish(directory); !done.ok()) return done.error();
  // From here on it is whole.
  const auto marked = git_->output_of(call({"update-ref", refs_of(mission) + "at/" + name, base}));
  if (!marked.ok()) return marked.error();
  return Added{files::canonical(directory, error).string(), false};
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
    const bool skipped = is_state(path) || path == kHostPaths[0];
    if (skipped && type == files::file_type::directory) it.disable_recursion_pending();
    if (skipped || type != files::file_type::regular) continue;
    (is_the_hosts(path) ? hosts : ours).push_back(path);
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
        return Error{"what git ignores there is too much to be copied for each Worker",
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

Result<Worktrees::Collected> Worktrees::Body::collect(const std::string& mission,
                                                      const std::string& name) {
  if (auto ready = prepare(); !ready.ok()) return ready.error();
  const std::string directory = directory_of(mission, name);
  const auto base = base_of(mission, name);
  if (!base.ok()) return base.error();
  // Its own `.git` says nothing: a Worker may have put anything there.
  const Place place{admin_of(directory), directory};
  if (base.value().empty() || place.git_dir.empty() || !is_real_directory(directory))
    return Error{"there is no such worktree", directory, ""};
  auto tree = present_tree(place);
  if (!tree.ok()) return tree.error();
  const auto changes = difference(base.value(), tree.value().id);
  if (!changes.ok()) return changes.error();
  Collected collected;
  collected.left_out = std::move(tree.value().left_out);
  for (const RawEntry& entry : changes.value()) {
    const auto kind = entry.old_mode == kNothing   ? PathChange::Kind::added
                      : entry.new_mode == kNothing ? PathChange::Kind::removed
                                                   : PathChange::Kind::changed;
    collected.changes.push_back({entry.path, kind});
  }
  collected.commit = base.value();
  if (collected.changes.empty()) return collected;
  auto made = commit(mission, tree.value().id, {base.value()}, "Work of " + name);
  if (!made.ok()) return made.error();
  collected.commit = std::move(made).value();
  return collected;
}

// ---- merging ------------------------------------------------------------------------------------

ConflictSide Worktrees::Body::side(const std::string& mode, const std::string& id) const {
  ConflictSide side;
  side.exists = true;
  side.mode = mode;
  if (mode == kGitlink) return side;
  GitCall made = call({"cat-file", "blob", id});
  made.output_max = kSideBytesMax;
  auto end = git_->run(made);
  if (!end.ok() || (!end.value().output_cut && end.value().exit_code != 0)) return side;
  side.cut = end.value().output_cut;
  side.binary = end.value().output.find('\0') != std::string::npos;
  if (!side.binary) side.text = std::move(end.value().output);
  return side;
}

Result<Worktrees::Merged> Worktrees::Body::merge(const std::string& mission,
                                                 const std::string& ours,
                                                 const std::string& theirs) {
  if (auto ready = prepare(); !ready.ok()) return ready.error();
  const auto is_in = [&](const std::string& one, const std::string& other) {
    const auto end = git_->run(call({"merge-base", "--is-ancestor", one, other}));
    return end.ok() && end.value().exit_code == 0;
  };
  if (is_in(theirs, ours)) return Merged{ours, {}};
  if (is_in(ours, theirs)) return Merged{theirs, {}};
  GitCall made = call({"merge-tree", "--write-tree", "-z", ours, theirs});
  made.time_max = kTreeTime;
  const auto end = git_->run(made);
  if (!end.ok()) return end.error();
  const os::ProgramEnd& said = end.value();
  if (said.output_cut || said.exit_code < 0 || said.exit_code > 1)
    return git_error("git merge-tree", said);
  // "<tree>", then "<mode> <id> <stage>\t<path>" up to an empty part, then messages.
  const auto parts = nul_separated(said.output);
  if (parts.empty() || !is_object_id(parts.front())) return git_error("git merge-tree", said);
  Merged merged;
  std::map<std::string, std::size_t> places;
  const auto conflict_at = [&](const std::string& path) -> MergeConflict& {
    const auto [at, fresh] = places.emplace(path, merged.conflicts.size());
    if (fresh) merged.conflicts.push_back({path, ""});
    return merged.conflicts[at->second];
  };
  std::size_t i = 1;
  for (; said.exit_code == 1 && i < parts.size() && !parts[i].empty(); ++i) {
    const std::size_t tab = parts[i].find('\t');
    const std::size_t space = parts[i].find(' ');
    if (tab == std::string::npos || space == std::string::npos || tab < space + 4) continue;
    MergeConflict& conflict = conflict_at(parts[i].substr(tab + 1));
    const std::string id = parts[i].substr(space + 1, tab - space - 3);
    const char stage = parts[i][tab - 1];
    ConflictSide& which = stage == '1'   ? conflict.base
                          : stage == '2' ? conflict.ours
                                         : conflict.theirs;
    which.exists = true;
    which.mode = parts[i].substr(0, space);
    if (places.size() <= kConflictTextsMax) which = side(which.mode, id);
  }
  // "<number of paths>", the paths, the kind of the message, its text.
  for (++i; said.exit_code == 1 && i < parts.size();) {
    const std::size_t count = static_cast<std::size_t>(std::atoi(parts[i].c_str()));
    if (count == 0 || count > parts.size() || i + count + 2 > parts.size()) break;
    const std::string_view type = parts[i + count + 1];
    constexpr std::string_view kHead = "CONFLICT (";
    if (type.starts_with(kHead) && type.ends_with(')')) {
      MergeConflict& conflict = conflict_at(parts[i + 1]);
      std::string kind(type.substr(kHead.size(), type.size() - kHead.size() - 1));
      if (kind == "contents") kind = "content";
      // The first says most: "binary", before "contents".
      if (conflict.kind.empty()) conflict.kind = std::move(kind);
    }
    i += count + 3;
  }
  for (MergeConflict& conflict : merged.conflicts) {
    const bool added = !conflict.base.exists && conflict.ours.exists && conflict.theirs.exists;
    if (added && conflict.kind == "content") conflict.kind = "add/add";
    if (conflict.kind.empty()) conflict.kind = "content";
  }
  if (said.exit_code == 1 && merged.conflicts.empty())
    return Error{"it found conflicts and named none", "git merge-tree", ""};
  auto commit_made = commit(mission, parts.front(), {ours, theirs},
                            merged.conflicts.empty() ? "Merged" : "Merged, with conflicts");
  if (!commit_made.ok()) return commit_made.error();
  merged.commit = std::move(commit_made).value();
  return merged;
}

// ---- into the project's files -------------------------------------------------------------------

/// Removes a file, and the directories that it leaves empty. The answer: why not; empty: done.
std::string Worktrees::Body::take_away(const RawEntry& entry, const Print& before) const {
  std::string leaf;
  std::string path = entry.path;
  const OpenDirectory parent = parent_of(project_, path, false, leaf);
  if (!parent.ok()) return errno == ENOENT ? "" : "a part of its path is no directory any more";
  if (print_at(parent.get(), leaf) != before) return "it has just been changed";
  if (unlinkat(parent.get(), leaf.c_str(), 0) != 0 && errno != ENOENT)
    return std::generic_category().message(errno);
  for (std::size_t slash = path.rfind('/'); slash != std::string::npos; slash = path.rfind('/')) {
    path.resize(slash);
    const OpenDirectory above = parent_of(project_, path, false, leaf);
    if (!above.ok() || unlinkat(above.get(), leaf.c_str(), AT_REMOVEDIR) != 0) break;
  }
  return "";
}

/// Puts a staged file, or link, in its place. The answer: why not; empty: done.
std::string Worktrees::Body::put(const std::string& staged, const RawEntry& entry,
                                 const Print& before) const {
  struct stat fresh {};
  if (lstat(staged.c_str(), &fresh) != 0) return "git did not write it";
  std::string leaf;
  const OpenDirectory parent = parent_of(project_, entry.path, true, leaf);
  if (!parent.ok()) {
    return errno == ELOOP || errno == ENOTDIR ? "a part of its path is no directory"
                                              : std::generic_category().message(errno);
  }
  const Print now = print_at(parent.get(), leaf);
  if (now.is_directory()) {
    if (unlinkat(parent.get(), leaf.c_str(), AT_REMOVEDIR) != 0)
      return "a directory with other files stands there";
  } else if (before.is_directory() ? now.exists : now != before) {
    return "it has just been changed";
  }
  if (S_ISREG(fresh.st_mode) && before.exists && S_ISREG(before.mode)) {
    mode_t mode = before.mode & 0666U;
    if (entry.new_mode == "100755") mode |= (mode & 0444U) >> 2U;
    if (chmod(staged.c_str(), mode) != 0) return std::generic_category().message(errno);
  }
  if (renameat(AT_FDCWD, staged.c_str(), parent.get(), leaf.c_str()) != 0)
    return std::generic_category().message(errno);
  return "";
}

Result<Worktrees::Applied> Worktrees::Body::apply(const std::string& from, const std::string& to) {
  if (auto ready = prepare(); !ready.ok()) return ready.error();
  auto wanted = difference(from, to);
  if (!wanted.ok()) return wanted.error();
  Applied applied;
  std::vector<std::pair<RawEntry, Print>> todo;
  for (RawEntry& entry : wanted.value()) {
    if (is_gitlink(entry)) {
      applied.refused.push_back({entry.path, "it is a submodule"});
    } else if (!stays_inside(entry.path) || is_state(entry.path)) {
      applied.refused.push_back({entry.path, "no mission may write there"});
    } else {
      std::string leaf;
      const OpenDirectory parent = parent_of(project_, entry.path, false, leaf);
      const Print print = parent.ok() ? print_at(parent.get(), leaf) : Print{};
      todo.emplace_back(std::move(entry), print);
    }
  }
  if (todo.empty()) return applied;
  // What a person has done meanwhile, as git sees it: its filters and line ends are no change.
  const auto present = present_tree(here());
  if (!present.ok()) return present.error();
  const auto theirs = difference(from, present.value().id);
  if (!theirs.ok()) return theirs.error();
  std::map<std::string, const RawEntry*> persons;
  for (const RawEntry& entry : theirs.value()) persons[entry.path] = &entry;
  std::erase_if(todo, [&](const auto& item) {
    const RawEntry& entry = item.first;
    const auto person = persons.find(entry.path);
    if (person == persons.end()) {
      // Git does not see what it ignores.
      const bool in_the_way =
          entry.old_mode == kNothing && item.second.exists && !item.second.is_directory();
      if (in_the_way) applied.refused.push_back({entry.path, "a file that git ignores is there"});
      return in_the_way;
    }
    const bool same =
        person->second->new_mode == entry.new_mode && person->second->new_id == entry.new_id;
    if (same) {
      applied.paths.push_back(entry.path);
    } else {
      applied.refused.push_back({entry.path, "it was changed in the project meanwhile"});
    }
    return true;
  });

  std::vector<std::string> written;
  for (const auto& [entry, print] : todo) {
    if (entry.new_mode != kNothing) written.push_back(entry.path);
  }
  const std::string stage = temporary("stage");
  const std::string index = temporary("index");
  if (!written.empty()) {
    const auto run = [&](std::vector<std::string> arguments, std::string input) {
      GitCall made = call(std::move(arguments));
      made.index = index;
      made.input = std::move(input);
      made.time_max = kTreeTime;
      return git_->output_of(made);
    };
    auto staged = run({"read-tree", to}, "");
    if (staged.ok()) {
      staged =
          run({"checkout-index", "-z", "--quiet", "--force", "--stdin", "--prefix=" + stage + "/"},
              nul_joined(written));
    }
    unlink(index.c_str());
    if (!staged.ok()) {
      (void)remove_tree(stage);
      return staged.error();
    }
  }
  const auto settle = [&](const RawEntry& entry, const std::string& why) {
    if (why.empty()) {
      applied.paths.push_back(entry.path);
    } else {
      applied.refused.push_back({entry.path, why});
    }
  };
  // First what goes: a directory's files before the file of its name.
  for (auto it = todo.rbegin(); it != todo.rend(); ++it) {
    if (it->first.new_mode == kNothing) settle(it->first, take_away(it->first, it->second));
  }
  for (const auto& [entry, print] : todo) {
    if (entry.new_mode != kNothing) settle(entry, put(stage + "/" + entry.path, entry, print));
  }
  std::ranges::sort(applied.paths);
  if (auto removed = remove_tree(stage); !removed.ok()) return removed.error();
  return applied;
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
  const auto mark = git_->output_of(call({"update-ref", "-d", refs_of(mission) + "at/" + name}));
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
  files::remove(home_, error);  // if it is empty
  return Done{};
}

// ---- the engine's side --------------------------------------------------------------------------

namespace {

std::optional<Error> bad_name(const std::string& mission, const std::string& name) {
  if (is_plain_name(mission, false) && is_plain_name(name, true)) return std::nullopt;
  return Error{"it is no name for a worktree", mission + "." + name, ""};
}

std::optional<Error> bad_commit(const std::string& id) {
  if (is_object_id(id)) return std::nullopt;
  return Error{"it is no commit's id", id, ""};
}

}  // namespace

Worktrees::Worktrees(std::string project, std::string program_path)
    : body_(std::make_shared<Body>(std::move(project), std::move(program_path))) {}

Worktrees::~Worktrees() { body_->stop = true; }

template <class T, class Work>
void Worktrees::enqueue(Outbox& outbox, Then<T> then, Work work) {
  auto answer = std::make_shared<std::optional<Result<T>>>();
  waiting_.push_back(
      {[answer, work = std::move(work)](Body& body) { *answer = work(body); },
       [answer, then = std::move(then)](Outbox& out) { then(std::move(**answer), out); }});
  start_next(outbox);
}

void Worktrees::start_next(Outbox& outbox) {
  if (busy_ || waiting_.empty()) return;
  busy_ = true;
  auto job = std::make_shared<Job>(std::move(waiting_.front()));
  waiting_.pop_front();
  outbox.run_on_pool([job, body = body_] { job->work(*body); },
                     [this, job, body = body_](Outbox& out) {
                       if (body->stop) return;  // and this object is gone
                       job->done(out);
                       if (body->stop) return;
                       busy_ = false;
                       start_next(out);
                     });
}

void Worktrees::check(Outbox& outbox, Then<Usable> then) {
  enqueue<Usable>(outbox, std::move(then), [](Body& body) { return body.check(); });
}

void Worktrees::snapshot(const std::string& mission, const std::string& after, Outbox& outbox,
                         Then<Snapshot> then) {
  enqueue<Snapshot>(outbox, std::move(then), [mission, after](Body& body) -> Result<Snapshot> {
    if (auto bad = bad_name(mission, "x")) return *bad;
    if (auto bad = bad_commit(after); bad && !after.empty()) return *bad;
    return body.snapshot(mission, after);
  });
}

void Worktrees::add(const std::string& mission, const std::string& name, const std::string& base,
                    Outbox& outbox, Then<Added> then) {
  enqueue<Added>(outbox, std::move(then), [mission, name, base](Body& body) -> Result<Added> {
    if (auto bad = bad_name(mission, name)) return *bad;
    if (auto bad = bad_commit(base)) return *bad;
    return body.add(mission, name, base);
  });
}

void Worktrees::collect(const std::string& mission, const std::string& name, Outbox& outbox,
                        Then<Collected> then) {
  enqueue<Collected>(outbox, std::move(then), [mission, name](Body& body) -> Result<Collected> {
    if (auto bad = bad_name(mission, name)) return *bad;
    return body.collect(mission, name);
  });
}

void Worktrees::merge(const std::string& mission, const std::string& ours,
                      const std::string& theirs, Outbox& outbox, Then<Merged> then) {
  enqueue<Merged>(outbox, std::move(then), [mission, ours, theirs](Body& body) -> Result<Merged> {
    if (auto bad = bad_name(mission, "x")) return *bad;
    if (auto bad = bad_commit(ours)) return *bad;
    if (auto bad = bad_commit(theirs)) return *bad;
    return body.merge(mission, ours, theirs);
  });
}

void Worktrees::apply(const std::string& from, const std::string& to, Outbox& outbox,
                      Then<Applied> then) {
  enqueue<Applied>(outbox, std::move(then), [from, to](Body& body) -> Result<Applied> {
    if (auto bad = bad_commit(from)) return *bad;
    if (auto bad = bad_commit(to)) return *bad;
    return body.apply(from, to);
  });
}

void Worktrees::remove(const std::string& mission, const std::string& name, Outbox& outbox,
                       Then<Done> then) {
  enqueue<Done>(outbox, std::move(then), [mission, name](Body& body) -> Result<Done> {
    if (auto bad = bad_name(mission, name)) return *bad;
    return body.remove(mission, name);
  });
}

void Worktrees::remove_all(const std::string& mission, Outbox& outbox, Then<Done> then) {
  enqueue<Done>(outbox, std::move(then), [mission](Body& body) -> Result<Done> {
    if (auto bad = bad_name(mission, "x")) return *bad;
    return body.remove_missions([&](const std::string& one) { return one == mission; }, false);
  });
}

void Worktrees::sweep(const std::set<std::string>& active, Outbox& outbox, Then<Done> then) {
  enqueue<Done>(outbox, std::move(then), [active](Body& body) {
    return body.remove_missions([&](const std::string& one) { return !active.contains(one); },
                                true);
  });
}

}  // namespace orchestrator::runtime
