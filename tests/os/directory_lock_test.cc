#include "os/directory_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "support/temporary_directory.h"

namespace orchestrator::os {
namespace {

TEST(DirectoryLock, KeepsASecondHolderOfTheSameProcessOut) {
  const orchestrator::testing::TemporaryDirectory dir;
  auto first = DirectoryLock::acquire(dir.file("lock"));
  ASSERT_TRUE(first);
  const auto second = DirectoryLock::acquire(dir.file("lock"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().what, "is in use by process " + std::to_string(::getpid()));
}

TEST(DirectoryLock, IsFreeAgainWhenTheObjectDies) {
  const orchestrator::testing::TemporaryDirectory dir;
  { ASSERT_TRUE(DirectoryLock::acquire(dir.file("lock"))); }
  EXPECT_TRUE(DirectoryLock::acquire(dir.file("lock")));
}

TEST(DirectoryLock, IsFreeAgainWhenTheHolderIsKilled) {
  const orchestrator::testing::TemporaryDirectory dir;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = DirectoryLock::acquire(dir.file("lock"));
    const char answer = lock ? 'y' : 'n';
    (void)!::write(ready[1], &answer, 1);
    for (;;) ::pause();
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  const auto held = DirectoryLock::acquire(dir.file("lock"));
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().what, "is in use by process " + std::to_string(child));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(DirectoryLock::acquire(dir.file("lock")));
  ::close(ready[0]);
  ::close(ready[1]);
}

}  // namespace
}  // namespace orchestrator::os
