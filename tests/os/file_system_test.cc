#include "os/file_system.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "support/broken_disk.h"
#include "support/failing_file_system.h"
#include "support/temporary_directory.h"

namespace orchestrator::os {
namespace {

using orchestrator::testing::FailingFileSystem;
using orchestrator::testing::TemporaryDirectory;

class FileSystemTest : public ::testing::Test {
 protected:
  std::string content(const std::string& path) {
    auto bytes = fs_.read(path, 1 << 20);
    return bytes ? std::move(bytes).value() : "error: " + bytes.error().text();
  }
  std::vector<std::string> names() {
    std::vector<std::string> names;
    auto entries = fs_.list(dir_.path());
    for (const auto& entry : entries.value()) names.push_back(entry.name);
    return names;
  }

  TemporaryDirectory dir_;
  FileSystem& fs_ = posix_file_system();
  const std::string path_ = dir_.file("f");
};

TEST_F(FileSystemTest, AppendsAndReadsBack) {
  auto file = fs_.open_append(path_, true);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file.value()->append("one "));
  ASSERT_TRUE(file.value()->append(std::string("t\0o", 3)));
  ASSERT_TRUE(file.value()->sync());
  EXPECT_EQ(content(path_), std::string("one t\0o", 7));
}

TEST_F(FileSystemTest, OpeningWhatIsNotThereFailsUnlessItMayCreate) {
  const auto file = fs_.open_append(path_, false);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().where, path_);
  EXPECT_NE(file.error().what.find("No such file"), std::string::npos);
}

TEST_F(FileSystemTest, ReadRefusesFilesOverTheLimit) {
  ASSERT_TRUE(atomic_replace(fs_, path_, "12345"));
  EXPECT_TRUE(fs_.read(path_, 5));
  EXPECT_FALSE(fs_.read(path_, 4));
}

TEST_F(FileSystemTest, TruncateCuts) {
  ASSERT_TRUE(atomic_replace(fs_, path_, "12345"));
  ASSERT_TRUE(fs_.truncate(path_, 2));
  EXPECT_EQ(content(path_), "12");
}

TEST_F(FileSystemTest, ListsSortedAndStatDoesNotFollowLinks) {
  ASSERT_TRUE(atomic_replace(fs_, dir_.file("b"), "x"));
  ASSERT_TRUE(fs_.create_directories(dir_.file("a/deep")));
  ASSERT_EQ(::symlink("nowhere", dir_.file("c").c_str()), 0);
  EXPECT_EQ(names(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(fs_.stat(dir_.file("a")).value().kind, FileInfo::Kind::directory);
  EXPECT_EQ(fs_.stat(dir_.file("b")).value().kind, FileInfo::Kind::file);
  EXPECT_EQ(fs_.stat(dir_.file("b")).value().size_bytes, 1U);
  EXPECT_EQ(fs_.stat(dir_.file("c")).value().kind, FileInfo::Kind::link);
  EXPECT_TRUE(fs_.exists(dir_.file("c")));
}

TEST_F(FileSystemTest, RemovingWhatIsNotThereIsSuccess) {
  EXPECT_TRUE(fs_.remove(path_));
  ASSERT_TRUE(fs_.create_directories(dir_.file("full/x")));
  EXPECT_FALSE(fs_.remove(dir_.file("full")));
}

TEST_F(FileSystemTest, CanonicalMeetsThroughLinks) {
  ASSERT_EQ(::symlink(".", dir_.file("link").c_str()), 0);
  const auto canonical = fs_.canonical(dir_.file("link/link/."));
  ASSERT_TRUE(canonical);
  EXPECT_EQ(canonical.value(), fs_.canonical(dir_.path()).value());
  EXPECT_FALSE(fs_.canonical(dir_.file("missing")));
}

TEST_F(FileSystemTest, AtomicReplaceSyncsTheFileThenItsName) {
  FailingFileSystem spy(fs_);
  ASSERT_TRUE(atomic_replace(spy, path_, "new"));
  EXPECT_EQ(spy.calls, (std::vector<std::string>{"open_append", "append", "sync", "rename",
                                                 "sync_directory"}));
  EXPECT_EQ(content(path_), "new");
}

TEST_F(FileSystemTest, AtomicReplaceThatFailsLeavesTheOldContentAndNothingElse) {
  ASSERT_TRUE(atomic_replace(fs_, path_, "old"));
  for (const char* call : {"open_append", "append", "sync", "rename"}) {
    FailingFileSystem failing(fs_);
    failing.fail(call);
    EXPECT_FALSE(atomic_replace(failing, path_, "new")) << call;
    EXPECT_EQ(content(path_), "old") << call;
    EXPECT_EQ(names(), std::vector<std::string>{"f"}) << call;
  }
}

TEST_F(FileSystemTest, AtomicReplaceFromManyThreadsNeverShowsAMix) {
  const std::string a(100'000, 'a');
  const std::string b(100'000, 'b');
  std::thread one([&] {
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(atomic_replace(fs_, path_, a));
  });
  std::thread two([&] {
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(atomic_replace(fs_, path_, b));
  });
  one.join();
  two.join();
  const std::string last = content(path_);
  EXPECT_TRUE(last == a || last == b);
  EXPECT_EQ(names(), std::vector<std::string>{"f"});
}

TEST_F(FileSystemTest, DurableDirectoriesSyncEveryNameUpToTheRoot) {
  const TemporaryDirectory root;
  for (int time = 0; time < 2; ++time) {  // those that are there already may never have been synced
    FailingFileSystem spy(fs_);
    ASSERT_TRUE(create_durable_directories(spy, root.path(), root.file("a/b")));
    EXPECT_EQ(spy.calls,
              (std::vector<std::string>{"create_directories", "sync_directory", "sync_directory"}));
    EXPECT_TRUE(fs_.exists(root.file("a/b")));
  }
  FailingFileSystem failing(fs_);
  failing.fail("sync_directory", 1);
  EXPECT_FALSE(create_durable_directories(failing, root.path(), root.file("a/b")));
}

TEST_F(FileSystemTest, ACrashAtAnyPointOfAtomicReplaceLeavesOldOrNew) {
  const std::string path = dir_.path() + "/f";
  bool crashed = true;
  bool seen_old = false;
  for (std::uint64_t calls = 1; crashed; ++calls) {
    ASSERT_LT(calls, 20U);
    ASSERT_TRUE(atomic_replace(fs_, path, "old"));
    orchestrator::testing::BrokenDisk dying(fs_);
    dying.crash_after(calls);
    const bool done = atomic_replace(dying, path, "new content").ok();
    crashed = dying.crashed();
    const std::string now = content(path);
    EXPECT_TRUE(now == "old" || now == "new content") << now;
    EXPECT_TRUE(!done || now == "new content");
    seen_old = seen_old || now == "old";
  }
  EXPECT_TRUE(seen_old);
}

TEST(ParentDirectory, OfNamesRootsAndPaths) {
  EXPECT_EQ(parent_directory("/a/b"), "/a");
  EXPECT_EQ(parent_directory("/a"), "/");
  EXPECT_EQ(parent_directory("a"), ".");
}

}  // namespace
}  // namespace orchestrator::os
