// The snapshot as a file: what is taken from it, and what is not.
#include "runtime/history/snapshot_file.h"

#include <gtest/gtest.h>

#include "codec/message.h"
#include "support/temporary_directory.h"

namespace orchestrator::runtime {
namespace {

State mission() {
  State state;
  state.mission = MissionId("m-1");
  state.phase = Phase::planning;
  state.objective = "Build it";
  state.last_seq = 7;
  return state;
}

std::string fault_of(const std::string& text) {
  const auto read = parse_snapshot(text, "f");
  return read.ok() ? read.value().fault : "error: " + read.error().text();
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(SnapshotFile, WhatIsWrittenIsRead) {
  const auto read = parse_snapshot(snapshot_text(mission()), "f");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value().fault, "");
  ASSERT_TRUE(read.value().state);
  EXPECT_EQ(codec::dump_state(*read.value().state), codec::dump_state(mission()));
  EXPECT_FALSE(read.value().missing);
}

TEST(SnapshotFile, AChangedByteDoesNotFitTheChecksum) {
  const std::string text = snapshot_text(mission());
  const std::string unfit = "its content does not fit its checksum";
  EXPECT_EQ(fault_of(replaced(text, "Build it", "Build at")), unfit);
  EXPECT_EQ(fault_of(text + " "), unfit);
  EXPECT_EQ(fault_of(text.substr(0, text.size() - 1)), unfit);
  const std::size_t checksum = text.find(": \"") + 3;
  std::string other = text;
  other[checksum] = other[checksum] == 'a' ? 'b' : 'a';
  EXPECT_EQ(fault_of(other), unfit);
  EXPECT_EQ(fault_of(text.substr(0, checksum + 10)), unfit) << "cut in the checksum";
}

TEST(SnapshotFile, OneWithoutAChecksumIsTakenAsItIs) {
  const auto read = parse_snapshot(codec::dump_state(mission()), "f");
  ASSERT_TRUE(read.ok() && read.value().state);
  EXPECT_EQ(read.value().state->last_seq, 7U);
}

TEST(SnapshotFile, ContentThatIsNoMissionHasAFault) {
  EXPECT_NE(fault_of("[]"), "");
  EXPECT_NE(fault_of("{"), "");
  EXPECT_NE(fault_of(""), "");
  State none = mission();
  none.phase = Phase::none;
  EXPECT_EQ(fault_of(snapshot_text(none)), "it holds no mission");
  State nameless = mission();
  nameless.mission = MissionId();
  EXPECT_EQ(fault_of(snapshot_text(nameless)), "mission: is no mission's name");
}

TEST(SnapshotFile, OneOfANewerVersionIsAnErrorAndNoFault) {
  State newer = mission();
  newer.schema = 3;
  EXPECT_EQ(fault_of(snapshot_text(newer)).substr(0, 60),
            "error: f: the snapshot's schema 3 is newer than this program");
  // Also where this program cannot read the rest of it.
  const std::string strange = replaced(codec::dump_state(newer), "\"phase\": \"planning\"",
                                       "\"phase\": [\"of a later version\"]");
  EXPECT_NE(fault_of(strange).find("schema 3 is newer"), std::string::npos) << fault_of(strange);
}

TEST(SnapshotFile, AMissingFileIsNoFault) {
  const orchestrator::testing::TemporaryDirectory dir;
  const auto read = read_snapshot(os::posix_file_system(), dir.file("mission_loop.json"));
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(read.value().missing);
  EXPECT_FALSE(read.value().state);
  EXPECT_EQ(read.value().fault, "");
  EXPECT_FALSE(read_snapshot(os::posix_file_system(), dir.path()).ok()) << "a directory";
}

}  // namespace
}  // namespace orchestrator::runtime
