#include "runtime/git/worktrees_impl.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

#include "os/file_system.h"
#include "runtime/git/nofollow_fs.h"

namespace orchestrator::runtime {
namespace {

namespace files = std::filesystem;
using base::Error;
using base::Result;

/// The mission's own files, of which no Worker has a copy.
constexpr std::array<std::string_view, 3> kStatePaths = {
    ".opencode/orchestrator", ".opencode/mission_loop.json", ".opencode/todo.md"};
/// What the host puts into a directory of its configuration.
constexpr std::array<std::string_view, 5> kHostPaths = {
    ".opencode/node_modules", ".opencode/package.json", ".opencode/package-lock.json",
    ".opencode/bun.lock", ".opencode/.gitignore"};

bool is_under(std::string_view path, std::string_view directory) {
  return path == directory || (path.size() > directory.size() && path.starts_with(directory) &&
                               path[directory.size()] == '/');
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

}  // namespace

bool is_state_path(std::string_view path) {
  if (path.ends_with('/')) path.remove_suffix(1);
  return std::ranges::any_of(kStatePaths, [&](auto state) { return is_under(path, state); }) ||
         // Its temporary names.
         path.starts_with(".opencode/mission_loop.json.") || path.starts_with(".opencode/todo.md.");
}

bool is_host_path(std::string_view path) {
  return std::ranges::any_of(kHostPaths, [&](auto host) { return is_under(path, host); });
}

bool is_plain_name(std::string_view name, bool dots) {
  const auto fits = [dots](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || (dots && c == '.');
  };
  return !name.empty() && name.size() <= 100 && std::ranges::all_of(name, fits) &&
         name.front() != '.' && name.front() != '-' && name.back() != '.' &&
         name.find("..") == std::string_view::npos && !name.ends_with(".lock");
}

bool is_object_id(std::string_view id) {
  return (id.size() == 40 || id.size() == 64) &&
         id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

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
    return Error{none ? "it is not in a git repository" : top.error().what, project_,
                 none ? "run git init there" : ""};
  }
  std::error_code error;
  if (files::canonical(top.value(), error).string() != project_ || error) {
    return Error{"it is a sub-directory of the git repository " + top.value(), project_,
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
        "changed in them is not merged.");
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
      return Error{"it is a symbolic link, and no worktree is made through one", path,
                   "make it a directory"};
    }
  }
  return {};
}

Result<void> Worktrees::Body::make_home() {
  if (auto ours = home_is_ours(); !ours.ok()) return ours;
  std::error_code error;
  files::create_directories(home_, error);
  if (error) return Error{error.message(), home_, ""};
  const std::string ignore = project_ + "/" + ".opencode/orchestrator/.gitignore";
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
  const Descriptor from(open(index.c_str(), O_RDONLY | O_CLOEXEC));
  if (!from.ok() && errno == ENOENT) return copy;  // git begins with an empty one
  struct stat info {};
  if (!from.ok() || fstat(from.get(), &info) != 0) return errno_at(index);
  const Descriptor to(open(copy.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
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
    if (entry.is_gitlink() || is_state_path(entry.path)) continue;
    if (entry.new_mode == RawEntry::kNothing) {
      gone += entry.path + '\0';
    } else {
      paths.push_back(entry.path);
    }
  }
  std::uint64_t untracked = 0;
  for (const std::string& path : nul_separated(others.value())) {
    if (is_state_path(path) || is_host_path(path)) continue;
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

// ---- what was made in a worktree

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
    const auto kind = entry.old_mode == RawEntry::kNothing   ? PathChange::Kind::added
                      : entry.new_mode == RawEntry::kNothing ? PathChange::Kind::removed
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
  if (mode == RawEntry::kGitlink) return side;
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
    return Error{"it reported conflicts without naming any", "git merge-tree", ""};
  auto commit_made = commit(mission, parts.front(), {ours, theirs},
                            merged.conflicts.empty() ? "Merged" : "Merged, with conflicts");
  if (!commit_made.ok()) return commit_made.error();
  merged.commit = std::move(commit_made).value();
  return merged;
}

// ---- into the project's files -------------------------------------------------------------------

Result<Worktrees::Applied> Worktrees::Body::apply(const std::string& from, const std::string& to) {
  if (auto ready = prepare(); !ready.ok()) return ready.error();
  auto wanted = difference(from, to);
  if (!wanted.ok()) return wanted.error();
  Applied applied;
  std::vector<std::pair<RawEntry, FileStamp>> todo;
  for (RawEntry& entry : wanted.value()) {
    if (entry.is_gitlink()) {
      applied.refused.push_back({entry.path, "it is a submodule"});
    } else if (!stays_inside(entry.path) || is_state_path(entry.path)) {
      applied.refused.push_back({entry.path, "missions must not write there"});
    } else {
      std::string leaf;
      const Descriptor parent = parent_of(project_, entry.path, false, leaf);
      const FileStamp stamp = parent.ok() ? stamp_at(parent.get(), leaf) : FileStamp{};
      todo.emplace_back(std::move(entry), stamp);
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
          entry.old_mode == RawEntry::kNothing && item.second.exists && !item.second.is_directory();
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
  for (const auto& [entry, stamp] : todo) {
    if (entry.new_mode != RawEntry::kNothing) written.push_back(entry.path);
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
  const auto note_result = [&](const RawEntry& entry, const std::string& why) {
    if (why.empty()) {
      applied.paths.push_back(entry.path);
    } else {
      applied.refused.push_back({entry.path, why});
    }
  };
  // First what goes: a directory's files before the file of its name.
  for (auto it = todo.rbegin(); it != todo.rend(); ++it) {
    if (it->first.new_mode == RawEntry::kNothing)
      note_result(it->first, take_away(project_, it->first.path, it->second));
  }
  for (const auto& [entry, stamp] : todo) {
    if (entry.new_mode != RawEntry::kNothing)
      note_result(entry, put(stage + "/" + entry.path, project_, entry.path, stamp,
                             entry.new_mode == "100755"));
  }
  std::ranges::sort(applied.paths);
  if (auto removed = remove_tree(stage); !removed.ok()) return removed.error();
  return applied;
}

}  // namespace orchestrator::runtime
