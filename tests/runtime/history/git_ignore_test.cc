#include "runtime/history/git_ignore.h"

#include <gtest/gtest.h>

#include "support/temporary_directory.h"

namespace orchestrator::runtime {
namespace {

class GitIgnoreTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(fs_.create_directories(dir_.file(".opencode"))); }
  std::string content() { return fs_.read(path_, 1 << 16).value(); }
  void put(const std::string& text) { ASSERT_TRUE(os::atomic_replace(fs_, path_, text)); }

  os::FileSystem& fs_ = os::posix_file_system();
  orchestrator::testing::TemporaryDirectory dir_;
  const std::string path_ = dir_.file(".opencode/.gitignore");
};

TEST_F(GitIgnoreTest, WritesTheHostsLinesAndOurs) {
  ASSERT_TRUE(hide_state_from_git(fs_, dir_.file("")));
  EXPECT_EQ(content(),
            "node_modules\npackage.json\npackage-lock.json\nbun.lock\n.gitignore\n"
            "/mission_loop.json*\n/todo.md*\n");
}

TEST_F(GitIgnoreTest, AddsToTheHostsFileOnce) {
  put("node_modules\n.gitignore");
  ASSERT_TRUE(hide_state_from_git(fs_, dir_.file("")));
  ASSERT_TRUE(hide_state_from_git(fs_, dir_.file("")));
  EXPECT_EQ(content(), "node_modules\n.gitignore\n/mission_loop.json*\n/todo.md*\n");
}

TEST_F(GitIgnoreTest, LeavesAPersonsOwnFileAlone) {
  put("secrets\n");
  ASSERT_TRUE(hide_state_from_git(fs_, dir_.file("")));
  EXPECT_EQ(content(), "secrets\n");
}

}  // namespace
}  // namespace orchestrator::runtime
