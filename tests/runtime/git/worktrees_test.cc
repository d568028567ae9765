// Worktrees with the machine's own git, in repositories made for the purpose.
#include "runtime/git/worktrees.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "os/program.h"
#include "runtime/support/git_repository.h"
#include "runtime/support/project_story.h"

namespace orchestrator::runtime {
namespace {

using Kind = PathChange::Kind;
using Names = std::vector<std::string>;

constexpr const char* kMission = "m-abc-def";

/// Runs the pool's work on request.
class PatientOutbox final : public engine::Outbox {
 public:
  void send(std::string /*json*/) override {}
  void start_timer(std::uint64_t /*id*/, std::uint64_t /*delay_ms*/) override {}
  void cancel_timer(std::uint64_t /*id*/) override {}
  void watch_session(const std::string& /*session*/) override {}
  void unwatch_session(const std::string& /*session*/) override {}
  void set_session_info(const std::string& /*session*/, std::string /*text*/) override {}
  std::uint64_t now_ms() override { return 1; }
  void run_on_pool(std::function<void()> work, std::function<void(engine::Outbox&)> done) override {
    jobs.emplace_back(std::move(work), std::move(done));
  }
  void run_next() {
    auto job = std::move(jobs.front());
    jobs.erase(jobs.begin());
    job.first();
    job.second(*this);
  }
  std::vector<std::pair<std::function<void()>, std::function<void(engine::Outbox&)>>> jobs;
};

class WorktreesTest : public ::testing::Test {
 protected:
  WorktreesTest() { make_git_repository(root()); }

  void SetUp() override {
    const auto usable = check();
    ASSERT_TRUE(usable.ok()) << usable.error().text();
  }

  [[nodiscard]] std::string root() const {
    return fs::canonical(directory.path()).string() + "/project";
  }
  std::string git(const std::vector<std::string>& arguments, const std::string& where = "") {
    return run_git(where.empty() ? root() : where, arguments);
  }
  void write(const std::string& path, const std::string& text) {
    const fs::path whole = path.starts_with('/') ? fs::path(path) : fs::path(root()) / path;
    fs::create_directories(whole.parent_path());
    std::ofstream(whole, std::ios::binary) << text;
  }
  [[nodiscard]] std::string read(const std::string& path) const {
    const fs::path whole = path.starts_with('/') ? fs::path(path) : fs::path(root()) / path;
    std::ifstream in(whole, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return in ? text.str() : "(none)";
  }
  void commit_all(const std::string& where = "") {
    git({"add", "--all"}, where);
    git({"commit", "--quiet", "--allow-empty", "--message", "A commit"}, where);
  }

  /// The answer of one call.
  template <class T, class Call>
  base::Result<T> answer(Call call) {
    std::optional<base::Result<T>> given;
    call(Worktrees::Then<T>(
        [&](base::Result<T> result, engine::Outbox&) { given = std::move(result); }));
    if (!given) return base::Error{"no answer", "", ""};
    return std::move(*given);
  }
  template <class T>
  T good(base::Result<T> result) {
    EXPECT_TRUE(result.ok()) << result.error().text();
    return result.ok() ? std::move(result).value() : T{};
  }
  base::Result<Worktrees::Usable> check() {
    return answer<Worktrees::Usable>([&](auto then) { trees->check(outbox, then); });
  }
  std::string snapshot(const std::string& after = "") {
    return good(answer<Worktrees::Snapshot>(
                    [&](auto then) { trees->snapshot(kMission, after, outbox, then); }))
        .commit;
  }
  base::Result<Worktrees::Added> try_add(const std::string& name, const std::string& base) {
    return answer<Worktrees::Added>(
        [&](auto then) { trees->add(kMission, name, base, outbox, then); });
  }
  std::string add(const std::string& name, const std::string& base) {
    return good(try_add(name, base)).directory;
  }
  base::Result<Worktrees::Collected> try_collect(const std::string& name) {
    return answer<Worktrees::Collected>(
        [&](auto then) { trees->collect(kMission, name, outbox, then); });
  }
  Worktrees::Collected collect(const std::string& name) { return good(try_collect(name)); }
  Worktrees::Merged merge(const std::string& ours, const std::string& theirs) {
    return good(answer<Worktrees::Merged>(
        [&](auto then) { trees->merge(kMission, ours, theirs, outbox, then); }));
  }
  Worktrees::Applied apply(const std::string& from, const std::string& to) {
    return good(
        answer<Worktrees::Applied>([&](auto then) { trees->apply(from, to, outbox, then); }));
  }
  void remove(const std::string& name) {
    good(answer<Worktrees::Done>([&](auto then) { trees->remove(kMission, name, outbox, then); }));
  }
  void remove_all() {
    good(answer<Worktrees::Done>([&](auto then) { trees->remove_all(kMission, outbox, then); }));
  }
  void sweep(const std::set<std::string>& active) {
    good(answer<Worktrees::Done>([&](auto then) { trees->sweep(active, outbox, then); }));
  }
  /// A Worker's whole task, from a base to its commit.
  std::string work(const std::string& name, const std::string& base,
                   const std::function<void(const std::string& directory)>& deed) {
    deed(add(name, base));
    return collect(name).commit;
  }

  /// All that is the user's: files and index as git sees them, the index's bytes, HEAD, branches,
  /// stash, configuration.
  std::string users() {
    std::string all = read(".git/index") + read(".git/HEAD") + read(".git/config");
    all += git({"--no-optional-locks", "status", "--porcelain=v2", "-z", "--branch"});
    for (const char* part : {"refs/heads", "refs/tags", "refs/stash", "refs/remotes"})
      all += git({"for-each-ref", "--format=%(refname) %(objectname)", part});
    return all + read(".git/logs/HEAD");
  }
  std::string our_refs() { return git({"for-each-ref", "refs/opencode-orchestrator"}); }
  std::string worktree_list() { return git({"worktree", "list", "--porcelain"}); }

  testing::TemporaryDirectory directory;
  FakeOutbox outbox;
  std::unique_ptr<Worktrees> trees = std::make_unique<Worktrees>(root(), "/usr/bin:/bin");
};

Names names_of(const std::vector<PathChange>& changes) {
  Names names;
  for (const PathChange& change : changes) {
    const char* kind = change.kind == Kind::added ? "+" : change.kind == Kind::removed ? "-" : "*";
    names.push_back(kind + change.path);
  }
  return names;
}

Names refusals(const Worktrees::Applied& applied) {
  Names names;
  for (const Worktrees::Refused& refused : applied.refused)
    names.push_back(refused.path + ": " + refused.why);
  return names;
}

bool is_executable(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && (info.st_mode & 0100U) != 0;
}

TEST_F(WorktreesTest, TheWorkOfTwoWorkersIsMergedAndTheUsersGitIsUnchanged) {
  write(".gitignore", "build/\n");
  write("src/a.js", "1\n2\n3\n4\n5\n6\n7\n");
  write("src/gone.js", "gone\n");
  commit_all();
  write("src/staged.js", "staged\n");
  git({"add", "src/staged.js"});
  git({"stash", "push", "--quiet", "--message", "kept"});
  write("src/a.js", "1\n2\n3\n4\n5\n6\nseven\n");
  write("src/staged.js", "staged again\n");
  git({"add", "src/staged.js"});
  write("src/new.js", "untracked\n");
  write("build/out.o", "ignored\n");
  const std::string before = users();

  ASSERT_TRUE(check().ok());
  const std::string base = snapshot();
  EXPECT_EQ(git({"ls-tree", "-r", "--name-only", base}),
            ".gitignore\nsrc/a.js\nsrc/gone.js\nsrc/new.js\nsrc/staged.js\n");
  EXPECT_EQ(git({"rev-parse", base + "^"}), git({"rev-parse", "HEAD"}));
  EXPECT_EQ(users(), before);

  const std::string one = add("T1-1", base);
  const std::string two = add("T2-1", base);
  EXPECT_EQ(one, root() + "/.opencode/orchestrator/worktrees/m-abc-def.T1-1");
  EXPECT_EQ(read(one + "/src/new.js"), "untracked\n");
  write(one + "/src/a.js", "one\n2\n3\n4\n5\n6\nseven\n");
  write(one + "/src/made/deep.js", "deep\n");
  write(one + "/build/out.o", "ignored there too\n");
  write(two + "/src/a.js", "1\n2\n3\n4\n5\n6\nSEVEN\n");
  fs::remove(two + "/src/gone.js");
  const auto first = collect("T1-1");
  EXPECT_EQ(names_of(first.changes), (Names{"*src/a.js", "+src/made/deep.js"}));
  const auto second = collect("T2-1");
  EXPECT_EQ(names_of(second.changes), (Names{"*src/a.js", "-src/gone.js"}));
  EXPECT_EQ(users(), before);

  const auto merged = merge(first.commit, second.commit);
  EXPECT_TRUE(merged.conflicts.empty());
  EXPECT_EQ(users(), before);
  const auto applied = apply(base, merged.commit);
  EXPECT_EQ(refusals(applied), Names{});
  EXPECT_EQ(applied.paths, (Names{"src/a.js", "src/gone.js", "src/made/deep.js"}));
  EXPECT_EQ(read("src/a.js"), "one\n2\n3\n4\n5\n6\nSEVEN\n");
  EXPECT_EQ(read("src/made/deep.js"), "deep\n");
  EXPECT_FALSE(fs::exists(root() + "/src/gone.js"));
  EXPECT_EQ(apply(base, merged.commit).paths, applied.paths) << "again, as after a crash";

  git({"checkout", "--quiet", "--", "src/a.js", "src/gone.js"});
  write("src/a.js", "1\n2\n3\n4\n5\n6\nseven\n");
  fs::remove_all(root() + "/src/made");
  remove_all();
  EXPECT_EQ(our_refs(), "");
  EXPECT_EQ(worktree_list().find("m-abc-def"), std::string::npos);
  EXPECT_FALSE(fs::exists(root() + "/.opencode/orchestrator/worktrees"));
  EXPECT_EQ(git({"stash", "list"}), "stash@{0}: On main: kept\n");
}

TEST_F(WorktreesTest, NoHookAndNoMonitorOfTheRepositoryRuns) {
  write("a.txt", "a\n");
  commit_all();
  const std::string ran = root() + "/../ran";
  for (const char* hook : {"post-checkout", "reference-transaction", "post-index-change",
                           "pre-commit", "commit-msg", "post-commit", "fsmonitor-watchman"}) {
    const std::string path = ".git/hooks/" + std::string(hook);
    write(path, "#!/bin/sh\ntouch " + ran + "\n");
    chmod((root() + "/" + path).c_str(), 0755);
  }
  git({"config", "core.fsmonitor", root() + "/.git/hooks/fsmonitor-watchman"});
  git({"config", "commit.gpgSign", "true"});
  git({"config", "gpg.program", root() + "/.git/hooks/pre-commit"});
  fs::remove(ran);
  const std::string base = snapshot();
  const std::string done =
      work("T1-1", base, [&](const std::string& tree) { write(tree + "/a.txt", "b\n"); });
  apply(base, done);
  remove_all();
  EXPECT_EQ(read("a.txt"), "b\n");
  EXPECT_FALSE(fs::exists(ran));
}

TEST_F(WorktreesTest, GitVariablesOfTheEnvironmentAreIgnored) {
  write("a", "a\n");
  const std::map<std::string, std::string> set = {{"GIT_DIR", "/nowhere"},
                                                  {"GIT_WORK_TREE", "/"},
                                                  {"GIT_INDEX_FILE", root() + "/index"},
                                                  {"GIT_OBJECT_DIRECTORY", root() + "/objects"},
                                                  {"GIT_AUTHOR_DATE", "nonsense"},
                                                  {"GIT_TRACE", root() + "/trace"},
                                                  {"GIT_CONFIG_COUNT", "1"},
                                                  {"GIT_CONFIG_KEY_0", "core.excludesFile"},
                                                  {"GIT_CONFIG_VALUE_0", root() + "/ignores"}};
  write("ignores", "*.o\nignores\n");
  write("a.o", "ignored by the user's own configuration\n");
  for (const auto& [name, value] : set) setenv(name.c_str(), value.c_str(), 1);
  const std::string base = snapshot();
  for (const auto& [name, value] : set) unsetenv(name.c_str());
  EXPECT_EQ(git({"ls-tree", "-r", "--name-only", base}), "a\n");
  EXPECT_EQ(git({"show", "--no-patch", "--format=%an <%ae> %cn", base}),
            "OpenCode Orchestrator <orchestrator@localhost> OpenCode Orchestrator\n");
  for (const char* name : {"/index", "/objects", "/trace"})
    EXPECT_FALSE(fs::exists(root() + name)) << name;
}

TEST_F(WorktreesTest, AMergeInProgressOfTheUserIsNotTouched) {
  write("a", "1\n");
  write("b", "1\n");
  commit_all();
  git({"checkout", "--quiet", "-b", "topic"});
  write("a", "2\n");
  fs::remove(root() + "/b");
  commit_all();
  git({"checkout", "--quiet", "main"});
  write("a", "3\n");
  write("b", "3\n");
  commit_all();
  os::ProgramRun run;
  run.argv = {"/usr/bin/git", "merge", "--quiet", "topic"};
  run.directory = root();
  EXPECT_EQ(os::run_program(run).value().exit_code, 1);
  fs::remove(root() + "/b");
  write("new", "new\n");
  git({"add", "--intent-to-add", "new"});
  const std::string before = users();
  const std::string base = snapshot();
  EXPECT_EQ(git({"ls-tree", "-r", "--name-only", base}), "a\nnew\n");
  EXPECT_EQ(git({"show", base + ":a"}), read("a"));
  EXPECT_EQ(users(), before);
}

TEST_F(WorktreesTest, ARepositoryWithoutACommitWorks) {
  write("a.txt", "a\n");
  const std::string base = snapshot();
  EXPECT_EQ(git({"rev-list", "--count", base}), "1\n");
  const std::string done =
      work("T1-1", base, [&](const std::string& tree) { write(tree + "/b.txt", "b\n"); });
  apply(base, done);
  EXPECT_EQ(read("b.txt"), "b\n");
  EXPECT_EQ(git({"status", "--porcelain"}), "?? a.txt\n?? b.txt\n");
  EXPECT_FALSE(fs::exists(root() + "/.git/index"));
}

TEST_F(WorktreesTest, TheMissionsOwnFilesAreNotCollected) {
  write(".opencode/mission_loop.json", "{}");
  write(".opencode/todo.md", "- [ ] T1\n");
  write(".opencode/orchestrator/m-x.wal", "log");
  write(".opencode/agents.json", "{}\n");
  git({"add", "--force", ".opencode"});
  commit_all();
  write(".opencode/todo.md", "- [x] T1\n");
  write(".opencode/mission_loop.json", "{\"phase\":\"executing\"}");
  const std::string base = snapshot();
  EXPECT_EQ(git({"ls-tree", "-r", "--name-only", base}), ".opencode/agents.json\n");
  const std::string done = work("T1-1", base, [&](const std::string& tree) {
    write(tree + "/.opencode/todo.md", "mine\n");
    write(tree + "/.opencode/orchestrator/x", "mine\n");
    git({"add", "--force", ".opencode/orchestrator/x"}, tree);
    write(tree + "/a", "a\n");
  });
  const auto applied = apply(base, done);
  EXPECT_EQ(applied.paths, Names{"a"});
  EXPECT_EQ(refusals(applied), Names{});
  EXPECT_EQ(read(".opencode/todo.md"), "- [x] T1\n");
}

TEST_F(WorktreesTest, AChangedModeIsAChange) {
  write("tool.sh", "old\n");
  write("plain.sh", "old\n");
  commit_all();
  const std::string base = snapshot();
  const std::string done = work("T1-1", base, [&](const std::string& tree) {
    for (const char* name : {"/tool.sh", "/plain.sh"}) write(tree + name, "new\n");
    chmod((tree + "/tool.sh").c_str(), 0755);
  });
  for (const char* name : {"tool.sh", "plain.sh"}) write(name, "new\n");
  const auto applied = apply(base, done);
  EXPECT_EQ(applied.paths, Names{"plain.sh"});
  EXPECT_EQ(refusals(applied), Names{"tool.sh: it was changed in the project meanwhile"});
  EXPECT_FALSE(is_executable(root() + "/tool.sh"));
}

TEST_F(WorktreesTest, TheHostFindsItsIgnoredSettingsAndNeedsNoPackages) {
  write(".gitignore", "opencode.json\n.opencode/agent/\nAGENTS.md\n");
  write("opencode.json", "{\"plugin\":[]}\n");
  write("AGENTS.md", "Be kind.\n");
  write(".opencode/agent/own.md", "# Own\n");
  write(".opencode/package.json", "{}\n");
  write(".opencode/.gitignore", "node_modules\npackage.json\n.gitignore\n");
  write(".opencode/node_modules/x/index.js", "x\n");
  write(".opencode/command/tracked.md", "# Tracked\n");
  commit_all();
  const std::string base = snapshot();
  const std::string tree = add("T1-1", base);
  EXPECT_EQ(read(tree + "/opencode.json"), "{\"plugin\":[]}\n");
  EXPECT_EQ(read(tree + "/AGENTS.md"), "Be kind.\n");
  EXPECT_EQ(read(tree + "/.opencode/agent/own.md"), "# Own\n");
  EXPECT_EQ(read(tree + "/.opencode/package.json"), "{}\n");
  EXPECT_EQ(read(tree + "/.opencode/node_modules/x/index.js"), "x\n");
  EXPECT_TRUE(fs::exists(tree + "/.opencode/package-lock.json"));
  EXPECT_FALSE(fs::exists(tree + "/.opencode/orchestrator"));
  EXPECT_EQ(names_of(collect("T1-1").changes), Names{});
  // What a task has deleted does not come back with the next worktree.
  const std::string done = work("T2-1", base, [&](const std::string& it) {
    fs::remove(it + "/.opencode/command/tracked.md");
  });
  EXPECT_FALSE(fs::exists(add("T3-1", done) + "/.opencode/command/tracked.md"));
  remove("T1-1");
  EXPECT_EQ(read(".opencode/node_modules/x/index.js"), "x\n");
}

TEST_F(WorktreesTest, ModesLinksRenamesAndStrangeNamesArrive) {
  const std::string odd = "-dash \"quote\"\nline \xff\xfe.txt";
  write("old.txt", "the same words\nin another place\n");
  write("run.sh", "#!/bin/sh\n");
  write("private.txt", "p\n");
  chmod((root() + "/private.txt").c_str(), 0600);
  write("was-file", "file\n");
  write("was-dir/a", "a\n");
  write("was-dir/b", "b\n");
  write(odd, "odd\n");
  commit_all();
  const std::string base = snapshot();
  const std::string done = work("T1-1", base, [&](const std::string& tree) {
    fs::rename(tree + "/old.txt", tree + "/new.txt");
    chmod((tree + "/run.sh").c_str(), 0755);
    write(tree + "/private.txt", "q\n");
    fs::create_symlink("run.sh", tree + "/link");
    write(tree + "/" + odd, "odder\n");
    fs::remove(tree + "/was-file");
    write(tree + "/was-file/inside", "inside\n");
    fs::remove_all(tree + "/was-dir");
    write(tree + "/was-dir", "now a file\n");
    // Also what it has committed itself, and where its HEAD stands, is its work.
    git({"config", "user.name", "x"}, tree);
    commit_all(tree);
    write(tree + "/after", "after\n");
  });
  const auto applied = apply(base, done);
  EXPECT_EQ(refusals(applied), Names{});
  EXPECT_EQ(applied.paths.size(), 12U);
  EXPECT_EQ(read("new.txt"), "the same words\nin another place\n");
  EXPECT_FALSE(fs::exists(root() + "/old.txt"));
  EXPECT_TRUE(is_executable(root() + "/run.sh"));
  EXPECT_FALSE(is_executable(root() + "/private.txt"));
  struct stat info {};
  ASSERT_EQ(stat((root() + "/private.txt").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_EQ(fs::read_symlink(root() + "/link"), "run.sh");
  EXPECT_EQ(read(odd), "odder\n");
  EXPECT_EQ(read("was-file/inside"), "inside\n");
  EXPECT_EQ(read("was-dir"), "now a file\n");
  EXPECT_EQ(read("after"), "after\n");
}

TEST_F(WorktreesTest, ConflictsShowBothSidesAndTheirBase) {
  write("text", "1\ntwo\n3\n");
  write("deleted", "was\n");
  write("binary", std::string("\0a", 2));
  commit_all();
  const std::string base = snapshot();
  const std::string one = work("T1-1", base, [&](const std::string& tree) {
    write(tree + "/text", "1\nOURS\n3\n");
    fs::remove(tree + "/deleted");
    write(tree + "/binary", std::string("\0b", 2));
    write(tree + "/both", "ours\n");
    write(tree + "/fine", "fine\n");
  });
  const std::string two = work("T2-1", base, [&](const std::string& tree) {
    write(tree + "/text", "1\nTHEIRS\n3\n");
    write(tree + "/deleted", "is\n");
    write(tree + "/binary", std::string("\0c", 2));
    write(tree + "/both", "theirs\n");
  });
  const auto merged = merge(one, two);
  ASSERT_EQ(merged.conflicts.size(), 4U);
  const auto of = [&](const std::string& path) {
    const auto at = std::ranges::find(merged.conflicts, path, &MergeConflict::path);
    return at == merged.conflicts.end() ? MergeConflict{} : *at;
  };
  EXPECT_EQ(of("text").kind, "content");
  EXPECT_EQ(of("text").base.text, "1\ntwo\n3\n");
  EXPECT_EQ(of("text").ours.text, "1\nOURS\n3\n");
  EXPECT_EQ(of("text").theirs.text, "1\nTHEIRS\n3\n");
  EXPECT_EQ(of("deleted").kind, "modify/delete");
  EXPECT_FALSE(of("deleted").ours.exists);
  EXPECT_EQ(of("deleted").theirs.text, "is\n");
  EXPECT_EQ(of("binary").kind, "binary");
  EXPECT_TRUE(of("binary").ours.binary);
  EXPECT_EQ(of("binary").ours.text, "");
  EXPECT_EQ(of("both").kind, "add/add");
  EXPECT_FALSE(of("both").base.exists);

  // Solved in a worktree that has git's marks, it goes into what was integrated meanwhile.
  const std::string three =
      work("T3-1", base, [&](const std::string& tree) { write(tree + "/third", "third\n"); });
  const std::string meanwhile = merge(one, three).commit;
  const std::string solved = work("T4-1", merged.commit, [&](const std::string& tree) {
    EXPECT_NE(read(tree + "/text").find("<<<<<<<"), std::string::npos);
    write(tree + "/text", "1\nboth\n3\n");
    write(tree + "/binary", std::string("\0d", 2));
    write(tree + "/both", "both\n");
  });
  const auto all = merge(meanwhile, solved);
  EXPECT_TRUE(all.conflicts.empty());
  EXPECT_EQ(git({"show", all.commit + ":text"}), "1\nboth\n3\n");
  EXPECT_EQ(git({"show", all.commit + ":third"}), "third\n");
  EXPECT_EQ(git({"show", all.commit + ":fine"}), "fine\n");
}

TEST_F(WorktreesTest, LongSidesAreCutAndManyConflictsAreOnlyNamed) {
  const std::string words(100'000, 'x');
  for (int i = 0; i < 30; ++i) write("f" + std::to_string(i), "was\n");
  commit_all();
  const std::string base = snapshot();
  const auto all = [&](const std::string& what) {
    return [this, what](const std::string& tree) {
      for (int i = 0; i < 30; ++i) write(tree + "/f" + std::to_string(i), what);
    };
  };
  const std::string one = work("T1-1", base, all("ours " + words));
  const std::string two = work("T2-1", base, all("theirs\n"));
  const auto merged = merge(one, two);
  ASSERT_EQ(merged.conflicts.size(), 30U);
  EXPECT_TRUE(merged.conflicts.front().ours.cut);
  EXPECT_EQ(merged.conflicts.front().ours.text.size(), Worktrees::kSideBytesMax);
  EXPECT_EQ(merged.conflicts.back().ours.text, "");
  EXPECT_TRUE(merged.conflicts.back().ours.exists);
}

TEST_F(WorktreesTest, AnApplyDoesNotOverwriteAPersonsChanges) {
  write(".gitignore", "*.log\n");
  for (const char* name : {"edited", "removed", "mode", "same", "fine"}) write(name, "was\n");
  write("dir/inside", "was\n");
  commit_all();
  const std::string base = snapshot();
  const std::string done = work("T1-1", base, [&](const std::string& tree) {
    for (const char* name : {"edited", "removed", "mode", "same", "fine", "dir/inside"})
      write(tree + "/" + name, "worker\n");
    write(tree + "/taken", "worker\n");
    write(tree + "/out.log", "worker\n");
    git({"add", "--force", "out.log"}, tree);
  });
  const std::string outside = fs::canonical(directory.path()).string() + "/outside";
  fs::create_directories(outside);
  write("edited", "person\n");
  fs::remove(root() + "/removed");
  chmod((root() + "/mode").c_str(), 0755);
  write("same", "worker\n");
  write("taken", "person\n");
  write("out.log", "person\n");
  fs::remove_all(root() + "/dir");
  fs::create_directory_symlink(outside, root() + "/dir");
  const auto applied = apply(base, done);
  EXPECT_EQ(applied.paths, (Names{"fine", "same"}));
  const std::string changed = ": it was changed in the project meanwhile";
  EXPECT_EQ(refusals(applied), (Names{"dir/inside" + changed, "edited" + changed, "mode" + changed,
                                      "out.log: a file that git ignores is there",
                                      "removed" + changed, "taken" + changed}));
  EXPECT_EQ(read("edited"), "person\n");
  EXPECT_EQ(read("taken"), "person\n");
  EXPECT_EQ(read("out.log"), "person\n");
  EXPECT_EQ(read("fine"), "worker\n");
  EXPECT_FALSE(fs::exists(outside + "/inside"));
}

/// Git tells by its index's time that it must look at the bytes.
TEST_F(WorktreesTest, AChangeOfTheSameSizeInTheSameSecondIsSeen) {
  for (int i = 0; i < 20; ++i) write("f" + std::to_string(i), "1\n");
  commit_all();
  for (int i = 0; i < 20; ++i) write("f" + std::to_string(i), "2\n");
  usleep(1'100'000);
  const std::string base = snapshot();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(git({"show", base + ":f" + std::to_string(i)}), "2\n");
}

TEST_F(WorktreesTest, APersonsChangesAreMergedLikeThoseOfAWorker) {
  write("a", "1\n2\n3\n4\n5\n");
  write("b", "1\n");
  commit_all();
  const std::string base = snapshot();
  EXPECT_EQ(snapshot(base), base) << "nothing has changed";
  const std::string done = work("T1-1", base, [&](const std::string& tree) {
    write(tree + "/a", "worker\n2\n3\n4\n5\n");
    write(tree + "/b", "worker\n");
  });
  write("a", "1\n2\n3\n4\nperson\n");
  write("new", "new\n");
  std::string now = snapshot(base);
  const auto merged = merge(done, now);
  EXPECT_TRUE(merged.conflicts.empty());
  EXPECT_EQ(refusals(apply(now, merged.commit)), Names{});
  EXPECT_EQ(read("a"), "worker\n2\n3\n4\nperson\n");
  EXPECT_EQ(read("b"), "worker\n");
  EXPECT_EQ(snapshot(merged.commit), merged.commit);
  // Where both have changed the same lines, that is a conflict as between tasks.
  const std::string next = work("T2-1", merged.commit, [&](const std::string& tree) {
    EXPECT_EQ(read(tree + "/new"), "new\n");
    write(tree + "/b", "worker again\n");
  });
  write("b", "person\n");
  now = snapshot(merged.commit);
  const auto both = merge(next, now);
  ASSERT_EQ(both.conflicts.size(), 1U);
  EXPECT_EQ(both.conflicts[0].ours.text, "worker again\n");
  EXPECT_EQ(both.conflicts[0].theirs.text, "person\n");
  // One who comes between the look and the writing is refused first, and merged then.
  const std::string last = work("T3-1", now, [&](const std::string& tree) {
    write(tree + "/a", "worker at last\n2\n3\n4\nperson\n");
    write(tree + "/new", "worker\n");
  });
  write("a", "worker\n2\n3\n4\nperson again\n");
  EXPECT_EQ(refusals(apply(now, last)), Names{"a: it was changed in the project meanwhile"});
  const std::string then = snapshot(now);
  const auto again = merge(last, then);
  EXPECT_TRUE(again.conflicts.empty());
  EXPECT_EQ(refusals(apply(then, again.commit)), Names{});
  EXPECT_EQ(read("a"), "worker at last\n2\n3\n4\nperson again\n");
  EXPECT_EQ(read("new"), "worker\n");
}

TEST_F(WorktreesTest, NothingIsWrittenThroughALink) {
  const std::string outside = fs::canonical(directory.path()).string() + "/outside";
  fs::create_directories(outside);
  write("a", "a\n");
  commit_all();
  const std::string base = snapshot();
  const std::string done =
      work("T1-1", base, [&](const std::string& tree) { write(tree + "/cache/made", "made\n"); });
  // Git ignores it, so it does not see that the directory is a link.
  write(".git/info/exclude", "cache\n");
  fs::create_directory_symlink(outside, root() + "/cache");
  const auto applied = apply(base, done);
  EXPECT_EQ(refusals(applied), Names{"cache/made: a part of its path is no directory"});
  EXPECT_TRUE(fs::is_empty(outside));
}

TEST_F(WorktreesTest, NothingIsWrittenOrRemovedThroughALinkOfTheRepository) {
  const std::string outside = fs::canonical(directory.path()).string() + "/outside";
  write(outside + "/precious.txt", "precious\n");
  write(outside + "/index-1-1", "precious\n");
  for (const char* link : {".opencode/orchestrator/worktrees", ".opencode/orchestrator"}) {
    fs::remove_all(root() + "/.opencode");
    write(".opencode/x", "x\n");
    fs::create_directories((root() / fs::path(link)).parent_path());
    fs::create_directory_symlink(outside, root() / fs::path(link));
    trees = std::make_unique<Worktrees>(root(), "/usr/bin:/bin");
    EXPECT_FALSE(check().ok());
    fs::create_directories(outside + "/worktrees");
    EXPECT_FALSE(answer<Worktrees::Done>([&](auto then) { trees->sweep({}, outbox, then); }).ok());
    EXPECT_FALSE(answer<Worktrees::Snapshot>([&](auto then) {
                   trees->snapshot(kMission, "", outbox, then);
                 }).ok());
    EXPECT_EQ(read(outside + "/precious.txt"), "precious\n");
    EXPECT_EQ(read(outside + "/index-1-1"), "precious\n");
  }
  // Nor is a worktree's place believed that its Worker has made a link of.
  fs::remove_all(root() + "/.opencode");
  const std::string base = snapshot();
  const std::string tree = add("T1-1", base);
  fs::remove_all(tree);
  fs::create_directory_symlink(outside, tree);
  EXPECT_FALSE(try_collect("T1-1").ok());
  remove("T1-1");
  EXPECT_EQ(read(outside + "/precious.txt"), "precious\n");
}

TEST_F(WorktreesTest, ARepositoryMadeByAWorkerInADirectoryChangesNothing) {
  write("part/a", "a\n");
  commit_all();
  const std::string base = snapshot();
  const std::string tree = add("T1-1", base);
  git({"init", "--quiet", "part"}, tree);
  git({"init", "--quiet", "fresh"}, tree);
  write(tree + "/part/a", "changed\n");
  write(tree + "/part/b", "b\n");
  write(tree + "/fresh/c", "c\n");
  const auto collected = collect("T1-1");
  EXPECT_EQ(names_of(collected.changes), (Names{"*part/a", "+part/b"}));
  EXPECT_EQ(collected.left_out, Names{"fresh"});
}

TEST_F(WorktreesTest, AnExistingWorktreeIsReusedAndAHalfMadeOneIsReplaced) {
  write("a", "a\n");
  commit_all();
  const std::string base = snapshot();
  const std::string tree = add("T1-1", base);
  write(tree + "/a", "worked\n");
  trees = std::make_unique<Worktrees>(root(), "/usr/bin:/bin");
  auto again = good(try_add("T1-1", base));
  EXPECT_TRUE(again.existed);
  EXPECT_EQ(read(tree + "/a"), "worked\n");
  const std::string done = collect("T1-1").commit;
  EXPECT_FALSE(try_add("T1-1", done).ok()) << "it has another base";

  // Killed before it was whole: in the middle of the files, before git knew its place, after it.
  git({"worktree", "add", "--quiet", "--detach", tree + ".x", base});
  fs::remove_all(tree + ".x");
  const std::string home = root() + "/.opencode/orchestrator/worktrees/";
  fs::create_directories(home + "m-abc-def.T2-1/src");
  write(home + "m-abc-def.T2-1/junk", "junk\n");
  write(".git/worktrees/m-abc-def.T3-1/locked", "initializing");
  git({"worktree", "add", "--quiet", "--detach", home + "m-abc-def.T4-1", base});
  fs::remove(home + "m-abc-def.T4-1/a");
  for (const char* name : {"T2-1", "T3-1", "T4-1"}) {
    const auto made = good(try_add(name, base));
    EXPECT_FALSE(made.existed) << name;
    EXPECT_EQ(read(made.directory + "/a"), "a\n") << name;
    EXPECT_FALSE(fs::exists(made.directory + "/junk"));
    EXPECT_EQ(collect(name).changes.size(), 0U) << name;
  }
  EXPECT_TRUE(fs::exists(root() + "/.git/worktrees/m-abc-def.T3-1"));
  EXPECT_FALSE(fs::exists(root() + "/.git/worktrees/m-abc-def.T3-11"));
}

TEST_F(WorktreesTest, AnUnusedWorktreeIsMovedToAnotherBase) {
  write(".gitignore", "out\n");
  write("a", "a\n");
  write("gone", "gone\n");
  commit_all();
  const std::string first = snapshot();
  const std::string tree = add("spare-1", first);
  write(tree + "/out", "of the host\n");
  write("a", "changed\n");
  write("new/b", "b\n");
  fs::remove(root() + "/gone");
  const std::string second = snapshot(first);
  ASSERT_NE(second, first);
  for (int again = 0; again < 2; ++again) {
    const auto moved = good(try_add("spare-1", second));
    EXPECT_TRUE(moved.existed);
    EXPECT_EQ(moved.directory, tree);
  }
  EXPECT_EQ(read(tree + "/a"), "changed\n");
  EXPECT_EQ(read(tree + "/new/b"), "b\n");
  EXPECT_FALSE(fs::exists(tree + "/gone"));
  EXPECT_EQ(read(tree + "/out"), "of the host\n");
  EXPECT_EQ(collect("spare-1").commit, second) << "nothing is anybody's work";
  write(tree + "/a", "worked\n");
  EXPECT_EQ(names_of(collect("spare-1").changes), Names{"*a"});
  EXPECT_FALSE(try_add("spare-1", first).ok()) << "it has changes";
  EXPECT_EQ(read(tree + "/a"), "worked\n");
}

TEST_F(WorktreesTest, AWorktreeWhoseMoveCrashedIsReplaced) {
  write("a", "a\n");
  commit_all();
  const std::string first = snapshot();
  const std::string tree = add("spare-1", first);
  write("a", "changed\n");
  const std::string second = snapshot(first);
  // What a git that was killed leaves; the next one refuses to work beside it.
  write(".git/worktrees/" + fs::path(tree).filename().string() + "/index.lock", "");
  EXPECT_FALSE(try_add("spare-1", second).ok());
  write(tree + "/a", "chan");
  EXPECT_FALSE(good(try_add("spare-1", second)).existed);
  EXPECT_EQ(read(tree + "/a"), "changed\n");
  EXPECT_EQ(collect("spare-1").commit, second);
}

TEST_F(WorktreesTest, TheGitFileInAWorktreeIsNotTrusted) {
  write("a", "a\n");
  commit_all();
  const std::string base = snapshot();
  const std::string tree = add("T1-1", base);
  write(tree + "/b", "b\n");
  fs::remove(tree + "/.git");
  EXPECT_EQ(names_of(collect("T1-1").changes), Names{"+b"});
  const std::string ran = root() + "/../ran";
  fs::create_directories(tree + "/.git");
  git({"init", "--quiet"}, tree);
  write(tree + "/evil.sh", "#!/bin/sh\ntouch " + ran + "\ncat\n");
  chmod((tree + "/evil.sh").c_str(), 0755);
  git({"config", "filter.evil.clean", tree + "/evil.sh"}, tree);
  write(tree + "/.gitattributes", "* filter=evil\n");
  EXPECT_EQ(names_of(collect("T1-1").changes), (Names{"+.gitattributes", "+b", "+evil.sh"}));
  EXPECT_FALSE(fs::exists(ran));
  remove("T1-1");
  EXPECT_FALSE(fs::exists(tree));
  EXPECT_EQ(worktree_list().find("T1-1"), std::string::npos);
}

TEST_F(WorktreesTest, TheUsersOwnFiltersAreHonoured) {
  git({"config", "filter.upper.clean", "tr a-z A-Z"});
  git({"config", "filter.upper.smudge", "tr A-Z a-z"});
  git({"config", "core.autocrlf", "true"});
  write(".gitattributes", "*.low filter=upper\n");
  write("a.low", "abc\r\n");
  write("b.txt", "1\r\n2\r\n");
  commit_all();
  const std::string base = snapshot();
  EXPECT_EQ(git({"show", base + ":a.low"}), "ABC\n");
  const std::string done = work("T1-1", base, [&](const std::string& tree) {
    EXPECT_EQ(read(tree + "/a.low"), "abc\r\n");
    write(tree + "/a.low", "def\r\n");
    write(tree + "/b.txt", "1\r\ntwo\r\n");
  });
  EXPECT_EQ(refusals(apply(base, done)), Names{});
  EXPECT_EQ(read("a.low"), "def\r\n");
  EXPECT_EQ(read("b.txt"), "1\r\ntwo\r\n");
}

TEST_F(WorktreesTest, NestedRepositoriesAreReportedAndNotChanged) {
  const std::string library = fs::canonical(directory.path()).string() + "/library";
  fs::create_directories(library);
  git({"init", "--quiet"}, library);
  git({"config", "user.name", "x"}, library);
  git({"config", "user.email", "x@localhost"}, library);
  write(library + "/l", "l\n");
  commit_all(library);
  write("a", "a\n");
  git({"-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "sub"});
  commit_all();
  fs::create_directories(root() + "/nested");
  git({"init", "--quiet"}, root() + "/nested");
  write("nested/n", "n\n");
  const auto usable = check();
  ASSERT_TRUE(usable.ok()) << usable.error().text();
  ASSERT_EQ(usable.value().notes.size(), 1U);
  const auto taken = good(
      answer<Worktrees::Snapshot>([&](auto then) { trees->snapshot(kMission, "", outbox, then); }));
  EXPECT_EQ(taken.left_out, Names{"nested"});
  write("sub/l", "changed\n");
  const std::string done = work("T1-1", taken.commit, [&](const std::string& tree) {
    EXPECT_TRUE(fs::is_empty(tree + "/sub"));
    write(tree + "/a", "b\n");
  });
  EXPECT_EQ(apply(taken.commit, done).paths, Names{"a"});
  EXPECT_EQ(read("sub/l"), "changed\n");
  EXPECT_EQ(read("nested/n"), "n\n");
}

TEST_F(WorktreesTest, ASweepRemovesOnlyLeftoversOfCrashes) {
  write("a", "a\n");
  commit_all();
  const std::string users_own = fs::canonical(directory.path()).string() + "/users-own";
  git({"worktree", "add", "--quiet", "-b", "topic", users_own});
  const std::string base = snapshot();
  const std::string kept = add("T1-1", base);
  for (const char* mission : {"m-old-one", "m-old-two"}) {
    good(answer<Worktrees::Added>(
        [&](auto then) { trees->add(mission, "T1-1", base, outbox, then); }));
    good(answer<Worktrees::Snapshot>(
        [&](auto then) { trees->snapshot(mission, "", outbox, then); }));
  }
  const std::string home = root() + "/.opencode/orchestrator/worktrees/";
  fs::create_directories(home + "m-old-two.T1-1/locked");
  write(home + "m-old-two.T1-1/locked/f", "f\n");
  chmod((home + "m-old-two.T1-1/locked").c_str(), 0555);
  fs::remove_all(home + "m-old-one.T1-1");  // by hand
  write(home + "index-1-1", "left");
  fs::rename(users_own, users_own + ".away");  // a disk that is not there just now
  sweep({kMission});
  EXPECT_TRUE(fs::exists(kept));
  EXPECT_FALSE(fs::exists(home + "m-old-two.T1-1"));
  EXPECT_FALSE(fs::exists(home + "index-1-1"));
  EXPECT_FALSE(fs::exists(root() + "/.git/worktrees/m-old-one.T1-1"));
  EXPECT_TRUE(fs::exists(root() + "/.git/worktrees/users-own"));
  EXPECT_EQ(our_refs().find("m-old"), std::string::npos);
  EXPECT_NE(our_refs().find(kMission), std::string::npos);
  sweep({});
  EXPECT_EQ(our_refs(), "");
  EXPECT_FALSE(fs::exists(home));
}

TEST_F(WorktreesTest, ALinkedWorktreeOfTheUserIsAProjectOfItsOwn) {
  write("a", "a\n");
  commit_all();
  const std::string linked = fs::canonical(directory.path()).string() + "/linked";
  git({"worktree", "add", "--quiet", "-b", "topic", linked});
  const std::string base = snapshot();
  trees = std::make_unique<Worktrees>(linked, "/usr/bin:/bin");
  ASSERT_TRUE(check().ok());
  const std::string there = snapshot();
  const std::string tree = add("T1-1", there);
  EXPECT_TRUE(tree.starts_with(linked + "/"));
  write(tree + "/a", "b\n");
  EXPECT_EQ(apply(there, collect("T1-1").commit).paths, Names{"a"});
  EXPECT_EQ(read(linked + "/a"), "b\n");
  sweep({});
  EXPECT_EQ(our_refs().find("linked-"), std::string::npos);
  EXPECT_NE(our_refs().find(base), std::string::npos) << "the other project's is not swept";
}

TEST_F(WorktreesTest, TheReasonWhyWorktreesAreImpossibleIsReported) {
  write("sub/a", "a\n");
  commit_all();
  const auto why = [&](const std::string& project, const std::string& path) {
    trees = std::make_unique<Worktrees>(project, path);
    const auto usable = check();
    return usable.ok() ? std::string() : usable.error().text();
  };
  EXPECT_EQ(why(root(), "/usr/bin:/bin"), "");
  EXPECT_EQ(why(root(), "/nowhere:relative"),
            "there is no git on PATH (install git 2.38 or later)");
  const std::string top = fs::canonical(directory.path()).string();
  write(top + "/old/git", "#!/bin/sh\necho git version 2.30.2\n");
  chmod((top + "/old/git").c_str(), 0755);
  EXPECT_EQ(why(root(), top + "/old:/usr/bin"),
            top + "/old/git: git is 2.30.2, and 2.38 is needed (install git 2.38 or later)");
  EXPECT_EQ(why(root() + "/sub", "/usr/bin:/bin"),
            root() + "/sub: it is a sub-directory of the git repository " + root() +
                " (open OpenCode in that directory)");
  EXPECT_EQ(why(top + "/old", "/usr/bin:/bin"),
            top + "/old: it is not in a git repository (run git init there)");
  // One that the project brings along is not run.
  write("git", "#!/bin/sh\necho git version 99.0\n");
  chmod((root() + "/git").c_str(), 0755);
  EXPECT_EQ(why(root(), root()), "there is no git on PATH (install git 2.38 or later)");
  trees = std::make_unique<Worktrees>(top + "/old", "");
  sweep({});
}

TEST_F(WorktreesTest, InvalidNamesAndCommitsAreRefused) {
  write("a", "a\n");
  const std::string base = snapshot();
  for (const char* name : {"", "..", "a/b", ".x", "-x", "x.lock", "a..b", "a b"})
    EXPECT_FALSE(try_add(name, base).ok()) << name;
  EXPECT_FALSE(try_add("T1-1", "--force").ok());
  EXPECT_FALSE(try_add("T1-1", "HEAD").ok());
  EXPECT_FALSE(try_collect("T9-9").ok());
}

TEST_F(WorktreesTest, CallsRunInOrderAndNotAfterTheEnd) {
  write("a", "a\n");
  PatientOutbox patient;
  Names order;
  trees->check(patient, [&](auto, engine::Outbox&) { order.emplace_back("check"); });
  trees->snapshot(kMission, "", patient,
                  [&](auto, engine::Outbox&) { order.emplace_back("snapshot"); });
  EXPECT_EQ(patient.jobs.size(), 1U);
  patient.run_next();
  EXPECT_EQ(order, Names{"check"});
  ASSERT_EQ(patient.jobs.size(), 1U);
  trees.reset();
  patient.run_next();
  EXPECT_EQ(order, Names{"check"});
}

}  // namespace
}  // namespace orchestrator::runtime
