// The log and the snapshot of a mission on a disk of which one call fails.
#include "runtime/history/mission_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/history/replay.h"
#include "store/wal_format.h"
#include "support/failing_file_system.h"
#include "support/temporary_directory.h"

namespace orchestrator::runtime {
namespace {

namespace filesystem = std::filesystem;

class MissionStoreTest : public ::testing::Test {
 protected:
  using Back = MissionStore::Back;

  MissionStoreTest() { open_store({}); }

  void open_store(LogLimits limits) {
    store.reset();
    store = std::make_unique<MissionStore>(disk, root(), limits);
  }
  [[nodiscard]] std::string root() const {
    return filesystem::canonical(directory.path()).string();
  }
  [[nodiscard]] MissionPaths paths() const { return MissionPaths(root()); }
  [[nodiscard]] std::string wal(const std::string& mission = "m1") const {
    return log_path(paths().directory, mission);
  }
  [[nodiscard]] std::string archived(std::uint64_t first_seq) const {
    return archived_log_path(paths().directory, "m1", first_seq);
  }
  void apply(Happening what) {
    const auto done = store->apply(state, Event{store->next_seq(), ++clock_ms, std::move(what)});
    ASSERT_TRUE(done.ok()) << done.error().text();
  }
  /// An event that moves little, of about so many bytes.
  void apply_bytes(std::size_t bytes) {
    apply(UserSpoke{SessionId{"root"}, std::string(bytes, 'w')});
  }
  void begin(const std::string& mission = "m1", const std::string& arguments = "Build it") {
    state = State{};
    ASSERT_TRUE(store->begin(MissionId{mission}).ok());
    EXPECT_EQ(store->next_seq(), 1U);
    MissionRequested asked;
    asked.session = SessionId{"root"};
    asked.arguments = arguments;
    asked.mission = MissionId{mission};
    apply(asked);
    EXPECT_EQ(state.mission.value, mission);
  }
  void sync() {
    const auto done = store->sync();
    ASSERT_TRUE(done.ok()) << done.error().text();
    durable = state;
  }
  /// What a new process finds, with what it says of it.
  void expect_found(const State& expected) {
    store.reset();
    MissionStore other(os::posix_file_system(), root());
    State found;
    const auto loaded = other.load(found, 1);
    ASSERT_TRUE(loaded.ok()) << loaded.error().text();
    EXPECT_TRUE(loaded.value().found);
    EXPECT_EQ(loaded.value().notices, std::vector<std::string>{});
    EXPECT_EQ(state_hash(found), state_hash(expected));
    other.close();
    expect_log_gives(expected);
  }
  /// The log alone gives the state: no segment is missing, none is damaged.
  void expect_log_gives(const State& expected) {
    Replay replay;
    for (const LogFile& file :
         log_files(os::posix_file_system(), paths().directory, expected.mission.value)) {
      const SegmentEnd end = replay.read(os::posix_file_system(), file.path);
      EXPECT_EQ(end.kind, SegmentEnd::Kind::whole) << file.path;
      EXPECT_EQ(end.scan.torn_bytes, 0U) << file.path;
    }
    EXPECT_FALSE(replay.divergence());
    EXPECT_EQ(replay.skipped(), 0U);
    EXPECT_EQ(state_hash(replay.state()), state_hash(expected));
  }
  [[nodiscard]] std::uint64_t now() const { return static_cast<std::uint64_t>(clock_ms); }
  [[nodiscard]] std::uint64_t marks() {
    Replay replay;
    (void)replay.read(os::posix_file_system(), wal());
    return replay.marks();
  }

  testing::TemporaryDirectory directory;
  testing::FailingFileSystem disk{os::posix_file_system()};
  std::unique_ptr<MissionStore> store;
  State state;
  State durable;
  TimeMs clock_ms = 1'700'000'000'000;
};

TEST_F(MissionStoreTest, WhatIsSyncedIsFoundAgain) {
  EXPECT_FALSE(store->is_open());
  EXPECT_FALSE(store->lock_is_seen());
  EXPECT_EQ(store->next_seq(), 1U);
  EXPECT_TRUE(store->sync().ok()) << "there is nothing to be written";
  begin();
  EXPECT_TRUE(store->is_open());
  EXPECT_TRUE(store->lock_is_seen());
  sync();
  apply_bytes(10);
  EXPECT_EQ(store->next_seq(), 3U);
  EXPECT_EQ(state.last_seq, 2U);
  sync();
  const auto before = disk.calls;
  EXPECT_TRUE(store->sync().ok());
  EXPECT_EQ(disk.calls, before) << "nothing is pending: no call of the system";
  EXPECT_TRUE(store->save(state).ok());
  expect_found(durable);
}

TEST_F(MissionStoreTest, TheDirectoryIsAnotherProcesssUntilItIsClosed) {
  begin();
  sync();
  ASSERT_TRUE(store->save(state).ok());
  MissionStore other(os::posix_file_system(), root());
  State seen;
  EXPECT_FALSE(other.load(seen, 1).ok());
  EXPECT_EQ(seen.mission.value, "m1") << "it is shown";
  EXPECT_FALSE(other.is_open());
  EXPECT_FALSE(other.begin(MissionId{"m2"}).ok());
  store->close();
  EXPECT_FALSE(store->is_open());
  EXPECT_FALSE(store->lock_is_seen());
  EXPECT_TRUE(other.load(seen, 1).ok());
  EXPECT_TRUE(other.is_open());
  EXPECT_EQ(other.next_seq(), 2U);
}

TEST_F(MissionStoreTest, AnEventThatIsTooLargeHasNotHappened) {
  begin();
  sync();
  const auto refused =
      store->apply(state, Event{2, 1, UserSpoke{{}, std::string(store::kWalPayloadBytesMax, 'x')}});
  EXPECT_FALSE(refused.ok());
  EXPECT_EQ(state.last_seq, 1U);
  EXPECT_EQ(store->next_seq(), 2U);
  apply_bytes(10);
  sync();
  ASSERT_TRUE(store->save(state).ok());
  expect_found(durable);
}

TEST_F(MissionStoreTest, AMissionWhoseLogCannotBeMadeLeavesTheDirectoryFree) {
  for (const char* call : {"create_directories", "lock", "open_append", "append", "sync"}) {
    SCOPED_TRACE(call);
    filesystem::remove_all(root() + "/.opencode");
    open_store({});
    disk.fail(call);
    EXPECT_FALSE(store->begin(MissionId{"m1"}).ok());
    EXPECT_FALSE(store->is_open());
    EXPECT_FALSE(store->lock_is_seen());
    MissionStore other(os::posix_file_system(), root());
    EXPECT_TRUE(other.begin(MissionId{"m2"}).ok());
  }
}

// ---- a failed sync ------------------------------------------------------------------------------

TEST_F(MissionStoreTest, AFailedSyncIsForGood) {
  for (const char* call : {"append", "sync"}) {
    SCOPED_TRACE(call);
    filesystem::remove_all(root() + "/.opencode");
    open_store({});
    begin();
    sync();
    const auto size = filesystem::file_size(wal());
    apply_bytes(3'000);
    disk.fail(call);
    const auto failed = store->sync();
    ASSERT_FALSE(failed.ok());
    EXPECT_NE(failed.error().text().find(std::string("made to fail: ") + call), std::string::npos);
    EXPECT_FALSE(store->sync().ok()) << "though the disk works again";
    apply_bytes(10);
    EXPECT_FALSE(store->sync().ok());
    const auto healed = store->heal(state, 1);
    ASSERT_TRUE(healed.ok());
    EXPECT_TRUE(healed.value().notices.empty()) << "nothing is repaired meanwhile";

    const auto back = store->fall_back(state);
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(back.value(), Back::durable);
    EXPECT_EQ(state_hash(state), state_hash(durable));
    EXPECT_EQ(filesystem::file_size(wal()), size) << "what was not synced is cut off";
    EXPECT_FALSE(store->is_open());
    ASSERT_TRUE(store->go_on(state, now()).ok());
    EXPECT_TRUE(store->is_open());
    EXPECT_EQ(store->next_seq(), 2U);
    apply_bytes(10);
    sync();
    EXPECT_TRUE(filesystem::exists(archived(1))) << "never behind a failed sync in the same file";
    expect_found(durable);
  }
}

TEST_F(MissionStoreTest, AMissionWithoutADurableEventHasNotBegun) {
  // Also where an earlier one of the same process had many.
  begin("m0");
  sync();
  for (int i = 0; i < 5; ++i) apply_bytes(10);
  sync();
  store->close();
  begin("m1");
  disk.fail("sync");
  ASSERT_FALSE(store->sync().ok());
  const auto back = store->fall_back(state);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back.value(), Back::no_mission);
  EXPECT_EQ(state_hash(state), state_hash(State{}));
  EXPECT_FALSE(filesystem::exists(wal()));
  EXPECT_FALSE(store->is_open());
  EXPECT_FALSE(store->lock_is_seen());
  begin("m1");
  sync();
  EXPECT_TRUE(store->save(state).ok());
  expect_found(durable);
}

TEST_F(MissionStoreTest, FilesThatHoldLessThanWasDurableAreSaidToDiffer) {
  begin();
  sync();
  const auto size = filesystem::file_size(wal());
  const State held = state;
  apply_bytes(10);
  sync();
  apply_bytes(10);
  disk.fail("sync");
  ASSERT_FALSE(store->sync().ok());
  filesystem::resize_file(wal(), size);
  const auto back = store->fall_back(state);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back.value(), Back::differs);
  EXPECT_EQ(state_hash(state), state_hash(held));
}

TEST_F(MissionStoreTest, WhateverFailsInGoingOnItGoesOnAtTheNextTry) {
  for (const bool first_event_of_a_segment : {false, true}) {
    for (const char* call : {"create_directories", "lock", "open_append", "append", "sync",
                             "rename", "sync_directory", "truncate", "remove"}) {
      bool failed = true;
      for (int skip = 0; failed; ++skip) {
        SCOPED_TRACE(std::string(call) + " " + std::to_string(skip));
        ASSERT_LT(skip, 10);
        filesystem::remove_all(root() + "/.opencode");
        open_store({});
        begin();
        sync();
        apply_bytes(10);
        sync();
        if (first_event_of_a_segment) {  // the log then holds none that counts
          apply_bytes(10);
          disk.fail("sync");
          ASSERT_FALSE(store->sync().ok());
          ASSERT_TRUE(store->fall_back(state).ok());
          ASSERT_TRUE(store->go_on(state, now()).ok());
        }
        apply_bytes(10);
        disk.fail("sync");
        ASSERT_FALSE(store->sync().ok());
        disk.fail("truncate");  // left to go_on
        ASSERT_TRUE(store->fall_back(state).ok());
        EXPECT_EQ(state_hash(state), state_hash(durable));

        disk.calls.clear();
        disk.fail(call, skip);
        failed = !store->go_on(state, now()).ok();
        EXPECT_EQ(store->is_open(), !failed);
        disk.fail("none");
        if (failed) {
          ASSERT_TRUE(store->go_on(state, now()).ok());
        }
        ASSERT_TRUE(store->is_open());
        const State was = durable;
        apply_bytes(10);
        EXPECT_EQ(state.last_seq, was.last_seq + 1);
        sync();
        expect_found(durable);
        if (HasFailure()) return;
      }
    }
  }
}

// ---- segments -----------------------------------------------------------------------------------

TEST_F(MissionStoreTest, ASegmentEndsAtItsNumberOfEvents) {
  open_store({4, 1U << 30U, 64});
  begin();
  sync();
  for (int events = 2; events <= 3; ++events) {
    apply_bytes(20'000);
    sync();
    ASSERT_TRUE(store->save(state).ok());
    EXPECT_FALSE(filesystem::exists(archived(1))) << events;
  }
  apply_bytes(20'000);
  ASSERT_TRUE(store->save(durable).ok());
  EXPECT_FALSE(filesystem::exists(archived(1))) << "the fourth is not durable yet";
  sync();
  ASSERT_TRUE(store->save(state).ok());
  EXPECT_TRUE(filesystem::exists(archived(1)));
  EXPECT_EQ(store->next_seq(), 5U);
  for (int i = 0; i < 4; ++i) apply_bytes(20'000);
  sync();
  ASSERT_TRUE(store->save(state).ok());
  EXPECT_TRUE(filesystem::exists(archived(5)));
  expect_found(durable);
}

TEST_F(MissionStoreTest, ASegmentEndsAtItsSize) {
  open_store({1'000, 60'000, 1'000});
  begin();
  sync();
  while (filesystem::file_size(wal()) < 60'000) {
    ASSERT_TRUE(store->save(state).ok());
    EXPECT_FALSE(filesystem::exists(archived(1)));
    apply_bytes(15'000);
    sync();
  }
  ASSERT_TRUE(store->save(state).ok());
  EXPECT_TRUE(filesystem::exists(archived(1)));
  EXPECT_LT(filesystem::file_size(wal()), 60'000U);
  expect_found(durable);
}

TEST_F(MissionStoreTest, WhateverFailsInANewSegmentTheLogGoesOn) {
  for (const char* call : {"open_append", "append", "sync", "rename", "sync_directory"}) {
    bool failed = true;
    for (int skip = 0; failed; ++skip) {
      SCOPED_TRACE(std::string(call) + " " + std::to_string(skip));
      ASSERT_LT(skip, 10);
      filesystem::remove_all(root() + "/.opencode");
      open_store({2, 1U << 30U, 64});
      begin();
      apply_bytes(20'000);
      sync();
      disk.fail(call, skip);
      failed = !store->save(state).ok();
      disk.fail("none");
      EXPECT_EQ(filesystem::exists(archived(1)), !failed);
      EXPECT_TRUE(filesystem::exists(wal()));
      const auto healed = store->heal(state, now());
      ASSERT_TRUE(healed.ok());
      EXPECT_TRUE(healed.value().notices.empty()) << healed.value().notices.front();
      apply_bytes(20'000);
      EXPECT_EQ(state.last_seq, 3U);
      sync();
      ASSERT_TRUE(store->save(state).ok());
      EXPECT_TRUE(filesystem::exists(archived(1)));
      expect_found(durable);
      if (HasFailure()) return;
    }
  }
}

TEST_F(MissionStoreTest, AFileAtTheNameOfAnOldSegmentIsNotReplaced) {
  open_store({2, 1U << 30U, 64});
  begin();
  apply_bytes(20'000);
  sync();
  std::ofstream(archived(1)) << "another's";
  const auto refused = store->save(state);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().text().find("is in the way of a new segment"), std::string::npos);
  EXPECT_EQ(filesystem::file_size(archived(1)), 9U);
  filesystem::remove(archived(1));
  apply_bytes(10);
  sync();
  EXPECT_TRUE(store->save(state).ok());
  expect_found(durable);
}

TEST_F(MissionStoreTest, MarksComeWithPhasesAndWhereEnoughHasBeenLogged) {
  open_store({1'000, 1U << 30U, 4});
  begin("m1", std::string(3'000, 'x'));
  sync();
  EXPECT_EQ(marks(), 1U) << "the first event begins a phase";
  for (int i = 0; i < 3; ++i) apply_bytes(20'000);
  sync();
  EXPECT_EQ(marks(), 1U) << "enough bytes, too few events";
  apply_bytes(10);
  sync();
  EXPECT_EQ(marks(), 2U);
  for (int i = 0; i < 5; ++i) apply(TurnStarted{SessionId{"another"}, ""});
  sync();
  EXPECT_EQ(marks(), 2U) << "enough events, fewer bytes than the state has";
  apply_bytes(20'000);
  sync();
  EXPECT_EQ(marks(), 3U);
  ASSERT_TRUE(store->save(state).ok());
  expect_found(durable);
}

// ---- replay -------------------------------------------------------------------------------------

TEST_F(MissionStoreTest, AReplayStopsWhereItsWatchSaysSo) {
  begin();
  for (int i = 0; i < 5; ++i) apply_bytes(10);
  sync();
  std::vector<std::uint64_t> seen;
  Replay replay;
  replay.watch([&](const codec::LoggedEvent& logged, const Effects&) {
    seen.push_back(logged.event.seq);
    return logged.event.seq < 3;
  });
  EXPECT_EQ(replay.read(os::posix_file_system(), wal()).kind, SegmentEnd::Kind::stopped);
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(replay.state().last_seq, 3U);
  EXPECT_EQ(replay.events(), 3U);

  Replay until;
  until.stop_after(4);
  EXPECT_EQ(until.read(os::posix_file_system(), wal()).kind, SegmentEnd::Kind::stopped);
  EXPECT_EQ(until.state().last_seq, 4U);
  Replay all;
  all.stop_after(6);
  EXPECT_EQ(all.read(os::posix_file_system(), wal()).kind, SegmentEnd::Kind::whole);
  EXPECT_EQ(all.state().last_seq, 6U);
}

TEST_F(MissionStoreTest, ALogIsReadUpToAnEventWhateverTheSnapshotHolds) {
  open_store({3, 1U << 30U, 64});
  begin();
  for (int i = 0; i < 8; ++i) {
    apply_bytes(20'000);
    sync();
    if (i == 3) {
      ASSERT_TRUE(store->save(state).ok());
    }
  }
  ASSERT_GE(log_files(os::posix_file_system(), paths().directory, "m1").size(), 2U);
  for (const std::uint64_t until : {1U, 2U, 4U, 5U, 6U, 8U, 9U, 99U}) {
    const auto found = recover_until(os::posix_file_system(), paths(), MissionId{"m1"}, until);
    ASSERT_TRUE(found.ok());
    EXPECT_TRUE(found.value().found);
    EXPECT_EQ(found.value().state.last_seq, std::min<std::uint64_t>(until, 9)) << until;
  }
  EXPECT_FALSE(recover_until(os::posix_file_system(), paths(), MissionId{"m2"}, 5).value().found);
}

}  // namespace
}  // namespace orchestrator::runtime
