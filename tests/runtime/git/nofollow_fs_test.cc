// Files of a directory that is not trusted, and which of its paths are the mission's own.
#include "runtime/git/nofollow_fs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "runtime/git/worktrees_impl.h"
#include "support/temporary_directory.h"

namespace orchestrator::runtime {
namespace {

namespace filesystem = std::filesystem;

TEST(TreePaths, TheMissionsOwnAndTheHosts) {
  for (const char* path :
       {".opencode/orchestrator", ".opencode/orchestrator/", ".opencode/orchestrator/a/b",
        ".opencode/mission_loop.json", ".opencode/mission_loop.json.tmp-1", ".opencode/todo.md",
        ".opencode/todo.md/", ".opencode/todo.md.tmp-2"})
    EXPECT_TRUE(is_state_path(path)) << path;
  for (const char* path : {"", "/", ".opencode", ".opencode/", ".opencode/orchestrator2",
                           ".opencode/orchestrato", "x/.opencode/orchestrator", "orchestrator",
                           ".opencode/todo.mdx", ".opencode/mission_loop.jsonx", "todo.md"})
    EXPECT_FALSE(is_state_path(path)) << path;
  for (const char* path :
       {".opencode/node_modules", ".opencode/node_modules/a/b.js", ".opencode/package.json",
        ".opencode/package-lock.json", ".opencode/bun.lock", ".opencode/.gitignore"})
    EXPECT_TRUE(is_host_path(path)) << path;
  for (const char* path : {".opencode", ".opencode/node_modules2", "node_modules/a",
                           ".opencode/package.json5", ".opencode/agent/a.md"})
    EXPECT_FALSE(is_host_path(path)) << path;
}

TEST(TreePaths, PlainNamesAndObjectIds) {
  for (const auto* name : {"a", "Z", "0", "_a", "a-b_c9", "az"}) {
    EXPECT_TRUE(is_plain_name(name, false)) << name;
    EXPECT_TRUE(is_plain_name(name, true)) << name;
  }
  EXPECT_TRUE(is_plain_name("m.T1", true));
  EXPECT_FALSE(is_plain_name("m.T1", false));
  for (const auto* name :
       {"", ".a", "a.", "-a", "a..b", "a.lock", "a/b", "a b", "a\n", "@", "[", "`", "{", "ä"})
    EXPECT_FALSE(is_plain_name(name, true)) << name;
  EXPECT_TRUE(is_plain_name(std::string(100, 'a'), false));
  EXPECT_FALSE(is_plain_name(std::string(101, 'a'), false));
  for (const std::size_t size : {39U, 40U, 41U, 63U, 64U, 65U})
    EXPECT_EQ(is_object_id(std::string(size, 'f')), size == 40 || size == 64) << size;
  EXPECT_FALSE(is_object_id(std::string(39, '0') + "g"));
  EXPECT_FALSE(is_object_id(std::string(39, '0') + "A"));
}

class NofollowTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string at(const std::string& path) const {
    return directory.path() + "/" + path;
  }
  void make(const std::string& path, const std::string& text = "text") {
    filesystem::create_directories(filesystem::path(at(path)).parent_path());
    std::ofstream(at(path)) << text;
  }
  [[nodiscard]] std::string text_of(const std::string& path) const {
    std::ifstream in(at(path));
    std::ostringstream text;
    text << in.rdbuf();
    return in ? text.str() : "(none)";
  }
  [[nodiscard]] static FileStamp print_of(const std::string& whole) {
    return stamp_at(AT_FDCWD, whole);
  }
  [[nodiscard]] mode_t mode_of(const std::string& path) const {
    return print_of(at(path)).mode & 07777U;
  }
  std::string put_here(const std::string& path, const FileStamp& before, bool executable = false) {
    make("staged", "new");
    return put(at("staged"), at("root"), path, before, executable);
  }

  testing::TemporaryDirectory directory;
};

TEST_F(NofollowTest, APrintTellsEveryChange) {
  make("a");
  const FileStamp before = print_of(at("a"));
  EXPECT_TRUE(before.exists);
  EXPECT_FALSE(before.is_directory());
  EXPECT_EQ(before, print_of(at("a")));
  EXPECT_EQ(before.size, 4);
  filesystem::create_directory(at("d"));
  EXPECT_TRUE(print_of(at("d")).is_directory());
  filesystem::create_directory_symlink(at("d"), at("l"));
  EXPECT_FALSE(print_of(at("l")).is_directory());
  EXPECT_TRUE(is_real_directory(at("d")));
  EXPECT_FALSE(is_real_directory(at("l")));
  EXPECT_FALSE(is_real_directory(at("none")));
  EXPECT_EQ(print_of(at("none")), FileStamp{});
  EXPECT_FALSE(FileStamp{}.is_directory());
  chmod(at("a").c_str(), 0600);
  EXPECT_NE(before, print_of(at("a")));
}

TEST_F(NofollowTest, AFileIsTakenAwayWithTheDirectoriesItLeavesEmpty) {
  make("root/keep/other");
  make("root/keep/a/b/file");
  EXPECT_EQ(take_away(at("root"), "keep/a/b/file", print_of(at("root/keep/a/b/file"))), "");
  EXPECT_FALSE(filesystem::exists(at("root/keep/a")));
  EXPECT_EQ(text_of("root/keep/other"), "text");
  make("root/top");
  EXPECT_EQ(take_away(at("root"), "top", print_of(at("root/top"))), "");
  EXPECT_FALSE(filesystem::exists(at("root/top")));
  EXPECT_EQ(take_away(at("root"), "none/of/these", FileStamp{}), "") << "it is gone already";
  EXPECT_EQ(take_away(at("root"), "none", FileStamp{}), "");
}

TEST_F(NofollowTest, WhatHasChangedOrIsBehindALinkIsNotTakenAway) {
  make("root/file");
  const FileStamp before = print_of(at("root/file"));
  make("root/file", "longer text");
  EXPECT_EQ(take_away(at("root"), "file", before), "it has just been changed");
  EXPECT_EQ(text_of("root/file"), "longer text");
  make("elsewhere/file");
  filesystem::create_directory_symlink(at("elsewhere"), at("root/link"));
  EXPECT_EQ(take_away(at("root"), "link/file", print_of(at("elsewhere/file"))),
            "a part of its path is no directory any more");
  EXPECT_EQ(text_of("elsewhere/file"), "text");
}

TEST_F(NofollowTest, AFileIsPutWhereAllIsAsItWas) {
  filesystem::create_directories(at("root"));
  EXPECT_EQ(put_here("a/b/new", FileStamp{}), "");
  EXPECT_EQ(text_of("root/a/b/new"), "new");
  make("root/old", "old");
  EXPECT_EQ(put_here("old", print_of(at("root/old"))), "");
  EXPECT_EQ(text_of("root/old"), "new");
  EXPECT_EQ(put_here("old", FileStamp{}), "it has just been changed");
  FileStamp gone = print_of(at("root/old"));
  filesystem::remove(at("root/old"));
  EXPECT_EQ(put_here("old", gone), "it has just been changed");
  filesystem::remove(at("staged"));
  EXPECT_EQ(put(at("staged"), at("root"), "x", FileStamp{}, false), "git did not write it");
}

TEST_F(NofollowTest, AnEmptyDirectoryIsReplacedAndOneWithFilesIsNot) {
  filesystem::create_directories(at("root/empty"));
  make("root/full/file");
  EXPECT_EQ(put_here("empty", print_of(at("root/empty"))), "");
  EXPECT_EQ(text_of("root/empty"), "new");
  EXPECT_EQ(put_here("full", print_of(at("root/full"))), "a directory with other files is there");
  const FileStamp was = print_of(at("root/full"));
  filesystem::remove_all(at("root/full"));
  EXPECT_EQ(put_here("full", was), "") << "it was a directory, and is gone";
  EXPECT_EQ(put_here("full", was), "it has just been changed");
}

TEST_F(NofollowTest, NothingIsPutBehindALinkOrAFile) {
  make("root/file");
  filesystem::create_directories(at("elsewhere"));
  filesystem::create_directory_symlink(at("elsewhere"), at("root/link"));
  EXPECT_EQ(put_here("link/a", FileStamp{}), "a part of its path is no directory");
  EXPECT_EQ(put_here("file/a", FileStamp{}), "a part of its path is no directory");
  EXPECT_TRUE(filesystem::is_empty(at("elsewhere")));
}

TEST_F(NofollowTest, PermissionsAreThoseOfBeforeButForBeingExecutable) {
  struct Case {
    mode_t before;
    bool executable;
    mode_t after;
  };
  filesystem::create_directories(at("root"));
  for (const Case& one : {Case{0644, false, 0644}, Case{0755, false, 0644}, Case{0644, true, 0755},
                          Case{0600, true, 0700}, Case{0640, true, 0750}, Case{0664, false, 0664},
                          Case{0700, true, 0700}}) {
    make("root/file");
    chmod(at("root/file").c_str(), one.before);
    EXPECT_EQ(put_here("file", print_of(at("root/file")), one.executable), "");
    EXPECT_EQ(mode_of("root/file"), one.after) << std::oct << one.before;
  }
  filesystem::remove(at("root/file"));
  make("staged", "new");
  chmod(at("staged").c_str(), 0751);
  EXPECT_EQ(put(at("staged"), at("root"), "file", FileStamp{}, false), "");
  EXPECT_EQ(mode_of("root/file"), 0751U) << "there was none before: as it was staged";
}

TEST_F(NofollowTest, ATreeIsRemovedWhateverMayBeWritten) {
  make("tree/a/b/file");
  make("tree/a/c/file");
  make("outside/file");
  filesystem::create_directory_symlink(at("outside"), at("tree/a/link"));
  for (const char* closed : {"tree/a/b", "tree/a/c", "tree/a"}) chmod(at(closed).c_str(), 0500);
  chmod(at("outside").c_str(), 0500);
  EXPECT_TRUE(remove_tree(at("tree")).ok());
  EXPECT_FALSE(filesystem::exists(at("tree")));
  EXPECT_EQ(text_of("outside/file"), "text");
  EXPECT_EQ(mode_of("outside"), 0500U);
  chmod(at("outside").c_str(), 0700);
  EXPECT_TRUE(remove_tree(at("tree")).ok()) << "it is gone already";
  make("file");
  EXPECT_TRUE(remove_tree(at("file")).ok());
}

}  // namespace
}  // namespace orchestrator::runtime
