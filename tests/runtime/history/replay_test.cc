// Errors for logs that cannot be replayed.
#include "runtime/history/replay.h"

#include <gtest/gtest.h>

#include "os/file_system.h"
#include "store/wal_format.h"

namespace orchestrator::runtime {
namespace {

TEST(Replay, ALogWithADamagedBeginningSaysWhere) {
  const SegmentEnd end = Replay().read_bytes("this is no log, and never was one", "x.wal");
  EXPECT_EQ(end.kind, SegmentEnd::Kind::damaged);
  ASSERT_TRUE(end.damage);
  EXPECT_EQ(end.damage->offset, 0U);
  EXPECT_NE(end.damage->reason, "");
}

TEST(Replay, ALogOfANewerVersionIsNotDamaged) {
  const std::string bytes = store::wal_header(store::kWalVersion + 1);
  const SegmentEnd end = Replay().read_bytes(bytes, "x.wal");
  EXPECT_EQ(end.kind, SegmentEnd::Kind::newer);
  EXPECT_FALSE(end.damage);
}

TEST(Replay, AFileThatCannotBeReadIsNotDamaged) {
  const SegmentEnd end = Replay().read(os::posix_file_system(), "/nowhere/at/all.wal");
  EXPECT_EQ(end.kind, SegmentEnd::Kind::unreadable);
  EXPECT_FALSE(end.damage);
}

}  // namespace
}  // namespace orchestrator::runtime
