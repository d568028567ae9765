// What the core hears of git: the texts of a conflict, and how much of each.
#include "runtime/git/worktree_service.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "runtime/support/git_repository.h"
#include "runtime/support/project_story.h"

namespace orchestrator::runtime {
namespace {

constexpr const char* kNoFile = "(there is no file)";

class WorktreeServiceTest : public ::testing::Test {
 protected:
  WorktreeServiceTest() {
    make_git_repository(root());
    service = make_git_keeper(root(), "/usr/bin:/bin");
  }

  [[nodiscard]] std::string root() const {
    return fs::canonical(directory.path()).string() + "/project";
  }
  void git(const std::vector<std::string>& arguments) { run_git(root(), arguments); }
  static void write(const std::string& whole, const std::string& text) {
    fs::create_directories(fs::path(whole).parent_path());
    std::ofstream(whole, std::ios::binary) << text;
  }
  WorktreesAnswered ask(TreeCall call, const std::string& name = "", const std::string& from = "",
                        const std::string& to = "") {
    WorktreesAnswered answer;
    int answers = 0;
    const EffectId effect = ++effects;
    service->ask({effect, MissionId{"m1"}, call, name, from, to, {}}, outbox,
                 [&](WorktreesAnswered given, engine::Outbox&) {
                   answer = std::move(given);
                   ++answers;
                 });
    EXPECT_EQ(answers, 1);
    EXPECT_EQ(answer.effect, effect);
    return answer;
  }
  using Deed = std::function<void(const std::string& directory)>;
  WorktreesAnswered work(const std::string& name, const std::string& base, const Deed& deed) {
    const WorktreesAnswered added = ask(TreeCall::add, name, base);
    EXPECT_EQ(added.problem, "");
    EXPECT_EQ(added.directory, worktrees_directory(root()) + "/m1." + name);
    deed(added.directory);
    return ask(TreeCall::collect, name);
  }
  /// Two tasks' work in each other's way: `ours` first.
  std::vector<TreeConflict> conflicts(const Deed& before, const Deed& ours, const Deed& theirs) {
    before(root());
    const WorktreesAnswered base = ask(TreeCall::snapshot);
    EXPECT_EQ(base.problem, "");
    ours_commit = work("T1-1", base.commit, ours).commit;
    theirs_commit = work("T2-1", base.commit, theirs).commit;
    const WorktreesAnswered merged = ask(TreeCall::merge, "", ours_commit, theirs_commit);
    EXPECT_EQ(merged.problem, "");
    EXPECT_NE(merged.commit, "");
    return merged.conflicts;
  }
  [[nodiscard]] std::string hidden(const std::string& commit, const std::string& path) const {
    return "(not shown; `git show " + commit + ":" + path + "` gives it)";
  }

  testing::TemporaryDirectory directory;
  FakeOutbox outbox;
  std::unique_ptr<WorktreeService> service;
  std::string ours_commit;
  std::string theirs_commit;
  EffectId effects = 0;
};

/// A file as one side has it: nothing there, or this text.
using SideText = std::optional<std::string>;

TEST_F(WorktreeServiceTest, EachSideOfAConflictIsShownAsFarAsItCanBe) {
  const std::string nul("\0x", 2);
  const std::string fits(4'000, 'f');
  const std::string clipped(4'001, 'c');
  const std::string large(40'000, 'l');
  struct Case {
    const char* path;
    SideText base, ours, theirs;
    std::string told_base, told_ours, told_theirs;
  };
  // `@` stands for the words for a side that is not shown, `+` behind a text for there being more.
  const std::string shown_clip(3'997, 'c');
  const std::vector<Case> cases = {
      {"a-text", "was", "ours", "theirs", "was", "ours", "theirs"},
      {"b-both", {}, "ours", "theirs", kNoFile, "ours", "theirs"},
      {"c-deleted", "was", {}, "theirs", "was", kNoFile, "theirs"},
      {"d-deleted", "was", "ours", {}, "was", "ours", kNoFile},
      {"e-binary", "was", nul, "theirs", "was", "@", "theirs"},
      {"f-binary", nul, "ours", "theirs", "@", "ours", "theirs"},
      {"g-binary", "was", "ours", nul, "was", "ours", "@"},
      {"h-emptied", "was", "", "theirs", "was", "", "theirs"},
      {"i-fits", "was", fits, "theirs", "was", fits, "theirs"},
      {"j-long", "was", clipped, "theirs", "was", shown_clip + "…", "theirs"},
      {"k-large", "was", "ours", large, "was", "ours", std::string(3'997, 'l') + "…+"},
      {"l-bytes", "was", "\xFF|", "theirs", "was", "\xEF\xBF\xBD|", "theirs"},
  };
  const auto put_all = [&](SideText Case::*side) {
    return [&cases, side](const std::string& where) {
      for (const Case& one : cases) {
        if (one.*side) {
          write(where + "/" + one.path, *(one.*side));
        } else {
          fs::remove(where + "/" + one.path);
        }
      }
    };
  };
  const auto found = conflicts(put_all(&Case::base), put_all(&Case::ours), put_all(&Case::theirs));
  const auto words = [&](const std::string& told, const std::string& commit,
                         const std::string& path) {
    if (told == "@") return hidden(commit, path);
    if (!told.ends_with('+')) return told;
    return told.substr(0, told.size() - 1) + "\n(more of it: `git show " + commit + ":" + path +
           "`)";
  };
  ASSERT_EQ(found.size(), cases.size());
  for (const Case& one : cases) {
    SCOPED_TRACE(one.path);
    const auto at = std::ranges::find(found, one.path, &TreeConflict::path);
    ASSERT_NE(at, found.end());
    EXPECT_EQ(at->base, words(one.told_base, ours_commit, one.path));
    EXPECT_EQ(at->ours, words(one.told_ours, ours_commit, one.path));
    EXPECT_EQ(at->theirs, words(one.told_theirs, theirs_commit, one.path));
    EXPECT_NE(at->kind, "");
  }
}

TEST_F(WorktreeServiceTest, OfAFileThatBothHaveRenamedEachNameHasOneSide) {
  const std::string text = "one\ntwo\nthree\nfour\n";
  const auto rename_to = [](const char* name) {
    return [name](const std::string& where) { fs::rename(where + "/old", where + "/" + name); };
  };
  const auto found = conflicts([&](const std::string& where) { write(where + "/old", text); },
                               rename_to("by-ours"), rename_to("by-theirs"));
  const auto sides = [&](const std::string& path) {
    const auto at = std::ranges::find(found, path, &TreeConflict::path);
    return at == found.end() ? std::vector<std::string>{}
                             : std::vector{at->base, at->ours, at->theirs};
  };
  EXPECT_EQ(found.size(), 3U);
  EXPECT_EQ(sides("old"), (std::vector<std::string>{text, kNoFile, kNoFile}));
  EXPECT_EQ(sides("by-ours"), (std::vector<std::string>{kNoFile, text, kNoFile}));
  EXPECT_EQ(sides("by-theirs"), (std::vector<std::string>{kNoFile, kNoFile, text}));
}

TEST_F(WorktreeServiceTest, OfManyConflictsThereAreNoTextsAndThenNoNames) {
  constexpr int kFiles = 205;
  const auto all = [&](const std::string& text) {
    return [text](const std::string& where) {
      for (int i = 0; i < kFiles; ++i) write(where + "/f" + std::to_string(1000 + i), text);
    };
  };
  const auto found = conflicts(all("was"), all("ours"), all("theirs"));
  ASSERT_EQ(found.size(), 200U);
  EXPECT_EQ(found[19].ours, "ours");
  EXPECT_EQ(found[199].path, "f1199");
}

TEST_F(WorktreeServiceTest, ChangedPathsAreListedUpToALimitAndEachClipped) {
  const std::string part(200, 'd');
  std::string deep;
  for (int i = 0; i < 6; ++i) deep += part + "/";
  write(root() + "/old", "was");
  const WorktreesAnswered base = ask(TreeCall::snapshot);
  EXPECT_EQ(base.notes, std::vector<std::string>{});
  const WorktreesAnswered done = work("T1-1", base.commit, [&](const std::string& where) {
    write(where + "/" + deep + "file", "deep");
    write(where + "/\xFF", "x");
    for (int i = 0; i < 2'001; ++i) write(where + "/n/" + std::to_string(10'000 + i), "x");
  });
  ASSERT_EQ(done.paths.size(), 2'000U);
  EXPECT_EQ(done.paths[0], deep.substr(0, 997) + "…");
  EXPECT_EQ(done.paths[1], "n/10000");

  const WorktreesAnswered some = work("T2-1", base.commit, [&](const std::string& where) {
    write(where + "/old", "is");
    write(where + "/new\xFF", "x");
  });
  EXPECT_EQ(some.paths, (std::vector<std::string>{"new\xEF\xBF\xBD", "old"}));
  write(root() + "/old", "a person's");
  const WorktreesAnswered applied = ask(TreeCall::apply, "", base.commit, some.commit);
  EXPECT_EQ(applied.paths, std::vector<std::string>{"new\xEF\xBF\xBD"});
  ASSERT_EQ(applied.refused.size(), 1U);
  EXPECT_TRUE(applied.refused[0].starts_with("old: ")) << applied.refused[0];

  EXPECT_EQ(ask(TreeCall::remove, "T1-1").problem, "");
  EXPECT_FALSE(fs::exists(worktrees_directory(root()) + "/m1.T1-1"));
  EXPECT_TRUE(fs::exists(worktrees_directory(root()) + "/m1.T2-1"));
  EXPECT_EQ(ask(TreeCall::remove).problem, "");
  EXPECT_FALSE(fs::exists(worktrees_directory(root()) + "/m1.T2-1"));
}

TEST_F(WorktreeServiceTest, RepositoriesInsideAreNamedOnceAndProblemsAreSaid) {
  for (const char* inside : {"/one", "/two"}) {
    fs::create_directories(root() + inside);
    git({"init", "--quiet", root() + inside});
    write(root() + inside + "/file", "x");
    git({"-C", root() + inside, "add", "--all"});
    git({"-C", root() + inside, "-c", "user.name=P", "-c", "user.email=p@localhost", "commit",
         "--quiet", "--message", "A commit"});
  }
  write(root() + "/file", "x");
  const WorktreesAnswered first = ask(TreeCall::snapshot);
  ASSERT_EQ(first.notes.size(), 1U) << first.problem;
  EXPECT_EQ(first.notes[0],
            "In no worktree are these repositories inside of the project: one, two");
  EXPECT_EQ(ask(TreeCall::snapshot, "", first.commit).notes, std::vector<std::string>{});
  EXPECT_NE(ask(TreeCall::add, "T1-1", "no commit").problem, "");
  EXPECT_EQ(ask(TreeCall::check).problem, "");
  bool swept = false;
  service->sweep({"m1"}, outbox, [&](engine::Outbox&) { swept = true; });
  EXPECT_TRUE(swept);
  service = make_git_keeper(root(), "");
  EXPECT_NE(ask(TreeCall::check).problem, "");
}

}  // namespace
}  // namespace orchestrator::runtime
