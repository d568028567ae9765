// Loading of missions whose files were removed or damaged while no process ran them.

#include "codec/json.h"
#include "codec/legacy_state.h"
#include "codec/log_record.h"
#include "runtime/history/mission_store.h"
#include "runtime/support/damage_story.h"
#include "store/wal_format.h"
#include "store/wal_reader.h"

namespace orchestrator::runtime {
namespace {

/// Where the n-th event's record begins, from 0.
std::uint64_t offset_of_event(const std::string& bytes, int index) {
  std::uint64_t offset = 0;
  const auto scan =
      store::scan_wal_bytes(bytes, "x",
                            [&](const store::WalRecord& record) {
                              if (record.kind == store::WalKind::event && index-- == 0)
                                offset = record.offset;
                              return true;
                            },
                            {});
  EXPECT_TRUE(scan.ok());
  return offset;
}

TEST_F(DamageTest, AnUndamagedMissionIsLoadedWithoutAMessage) {
  begin();
  die();
  start();
  EXPECT_EQ(toasts(), "");
  EXPECT_TRUE(kept_aside().empty());
  expect_goes_on();
  expect_log_tells_all();
}

TEST_F(DamageTest, ARemovedSnapshotIsRebuiltFromTheLog) {
  begin();
  die();
  fs::remove(paths().snapshot);
  start();
  expect_told("mission_loop.json was gone");
  expect_goes_on();
  expect_log_tells_all();
}

TEST_F(DamageTest, ASnapshotThatIsNoJsonIsSetAsideAndRebuilt) {
  for (const char* garbage :
       {"", "garbage", "{\"schema\": 1, \"mission\":", "{}", "[]", "\xff\xfe"}) {
    SCOPED_TRACE(garbage);
    afresh();
    begin();
    die();
    overwrite(".opencode/mission_loop.json", garbage);
    start();
    expect_told("it is kept as mission_loop.json.damaged-");
    ASSERT_EQ(kept_aside().size(), 1U);
    EXPECT_EQ(read(".opencode/" + kept_aside()[0]), garbage);
    expect_goes_on();
    expect_log_tells_all();
  }
}

TEST_F(DamageTest, ASnapshotWithAnInvalidStateIsSetAsideAndRebuilt) {
  const std::vector<std::function<void(json&)>> edits = {
      [](json& s) { s["tasks"][0]["deps"] = {"T1"}; },
      [](json& s) { s["tasks"].push_back(s["tasks"][0]); },
      [](json& s) { s["last_seq"] = 18446744073709551615U; },
      [](json& s) { s["parallel_max"] = 4294967295U; },
      [](json& s) { s["phase"] = "blocked"; },
      [](json& s) { s["mission"] = "../../escape"; },
      [](json& s) { s["sessions"].push_back(s["sessions"][0]); },
      [](json& s) { s["updated_at"] = 9223372036854775807; }};
  for (std::size_t i = 0; i < edits.size(); ++i) {
    SCOPED_TRACE(i);
    afresh();
    begin();
    die();
    json edited = snapshot();
    edits[i](edited);
    overwrite(".opencode/mission_loop.json", edited.dump());
    start();
    expect_told("it is kept as mission_loop.json.damaged-");
    expect_goes_on();
  }
}

TEST_F(DamageTest, ASnapshotThatDoesNotFitItsChecksumIsKeptAsideAndRebuilt) {
  begin();
  die();
  const std::string sound = read(".opencode/mission_loop.json");
  const std::string field = "\"objective\": \"";
  const std::size_t at = sound.find(field);
  ASSERT_NE(at, std::string::npos);
  std::string rotten = sound;
  rotten[at + field.size()] ^= 1;
  overwrite(".opencode/mission_loop.json", rotten);
  start();
  expect_told("its content does not fit its checksum");
  ASSERT_EQ(kept_aside().size(), 1U);
  EXPECT_EQ(read(".opencode/" + kept_aside()[0]), rotten);
  EXPECT_EQ(snapshot()["objective"], json::parse(sound)["objective"]);
  expect_goes_on();
}

TEST_F(DamageTest, ASnapshotWithoutAChecksumIsOneOfAnEarlierVersion) {
  begin();
  die();
  overwrite(".opencode/mission_loop.json", snapshot().dump());
  start();
  EXPECT_EQ(toasts(), "");
  expect_goes_on();
}

TEST_F(DamageTest, ASnapshotOfANewerVersionIsRefusedAndUntouched) {
  begin();
  die();
  json newer = snapshot();
  newer["schema"] = 3;
  newer["phase"] = "a phase of the future";
  overwrite(".opencode/mission_loop.json", newer.dump());
  const std::string log = read(wal());
  start();
  expect_told("schema 3 is newer");
  for (const json& reply : {start_mission(), resume()}) {
    EXPECT_FALSE(reply["ok"]);
    EXPECT_NE(reply["text"].get<std::string>().find("update the plugin"), std::string::npos);
  }
  EXPECT_EQ(read(".opencode/mission_loop.json"), newer.dump());
  EXPECT_EQ(read(wal()), log);
  EXPECT_TRUE(kept_aside().empty());
}

TEST_F(DamageTest, ALogOfANewerVersionIsRefusedAndUntouched) {
  begin();
  die();
  const std::string snapshot_text = read(".opencode/mission_loop.json");
  const std::string newer = store::wal_header(store::kWalVersion + 1) + "of the future";
  overwrite(wal(), newer);
  start();
  expect_told("log format version 4");
  for (const json& reply : {start_mission(), resume()}) EXPECT_FALSE(reply["ok"]);
  EXPECT_EQ(read(wal()), newer);
  EXPECT_EQ(read(".opencode/mission_loop.json"), snapshot_text);
  EXPECT_TRUE(kept_aside().empty());
}

TEST_F(DamageTest, ARemovedLogIsRestartedFromTheSnapshot) {
  begin();
  die();
  fs::remove(root() + "/" + wal());
  start();
  expect_told(mission + ".wal was gone");
  expect_goes_on();
}

TEST_F(DamageTest, ALogDamagedInItsMiddleIsKeptAsideAndTheSnapshotIsUsed) {
  begin();
  die();
  const std::uint64_t offset = offset_of_event(read(wal()), 3);
  spoil(wal(), offset + 20);
  const std::string damaged = read(wal());
  start();
  expect_told("damaged at byte " + std::to_string(offset));
  ASSERT_EQ(kept_aside().size(), 1U);
  EXPECT_EQ(read(".opencode/orchestrator/" + kept_aside()[0]), damaged);
  expect_goes_on();
  // What was sound of it stays in the timeline.
  const auto files = log_files(os::posix_file_system(), paths().directory, mission);
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].first_seq, 1U);
}

TEST_F(DamageTest, AForeignFileInPlaceOfTheLogIsSetAside) {
  begin();
  die();
  overwrite(wal(), "a text of another program");
  start();
  expect_told("damaged at byte 0");
  ASSERT_EQ(kept_aside().size(), 1U);
  expect_goes_on();
}

TEST_F(DamageTest, ALogCutShortLosesNothingThatIsInTheSnapshot) {
  begin();
  die();
  const std::string all = read(wal());
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{7}, store::kWalHeaderBytes,
                                   offset_of_event(all, 2), offset_of_event(all, 4) + 9}) {
    SCOPED_TRACE(size);
    project.reset();
    outbox = FakeOutbox();
    overwrite(wal(), all.substr(0, size));
    start();
    EXPECT_NE(toasts().find("the mission goes on from event"), std::string::npos);
    EXPECT_EQ(snapshot()["tasks"][0]["status"], "reviewing");
  }
  expect_goes_on();
}

TEST_F(DamageTest, ATornTailIsCutWithoutAMessage) {
  begin();
  die();
  overwrite(wal(), read(wal()) + std::string(100, '\0') + "torn");
  start();
  EXPECT_EQ(toasts(), "");
  EXPECT_TRUE(kept_aside().empty());
  expect_goes_on();
  expect_log_tells_all();
}

TEST_F(DamageTest, ARecordWhoseEventCannotBeReadIsDamageAtItsOffset) {
  begin();
  die();
  std::string all = read(wal());
  const std::uint64_t offset = all.size();
  const std::uint64_t seq = snapshot()["last_seq"].get<std::uint64_t>() + 1;
  store::append_wal_record(all, {store::WalKind::event, true, seq, "....no event", 0});
  overwrite(wal(), all);
  start();
  expect_told("damaged at byte " + std::to_string(offset));
  expect_goes_on();
}

TEST_F(DamageTest, ALogThatDiffersFromTheSnapshotIsUsedAndReported) {
  begin();
  die();
  fs::remove(paths().snapshot);
  // A witness that does not fit, in a record that is sound.
  const std::string all = read(wal());
  std::string other = store::wal_header();
  (void)store::scan_wal_bytes(
      all, "x",
      [&](const store::WalRecord& record) {
        std::string payload(record.payload);
        if (record.seq == 4 && record.kind == store::WalKind::event) codec::set_witness(payload, 1);
        store::append_wal_record(other, {record.kind, true, record.seq, payload, 0});
        return true;
      },
      {});
  overwrite(wal(), other);
  start();
  expect_told("event 4 (");
  expect_told("the mission goes on with what replay gives");
  expect_goes_on();
}

TEST_F(DamageTest, TheArchivedSegmentIsUsedIfSnapshotAndLogAreUnusable) {
  project.reset();
  log_limits = {20, 1U << 20U, 4};
  start();
  begin();
  for (int i = 0; i < 8; ++i) chatter(15);
  die();
  const auto files = log_files(os::posix_file_system(), paths().directory, mission);
  ASSERT_GE(files.size(), 3U);
  overwrite(".opencode/mission_loop.json", "gone wrong");
  spoil(wal(), 40);  // in its checkpoint
  start();
  expect_told("mission_loop.json");
  expect_told("damaged at byte 16");
  EXPECT_EQ(kept_aside().size(), 2U);
  expect_goes_on();
}

TEST_F(DamageTest, AMissionWhoseSnapshotWasNeverWrittenIsFoundByItsLog) {
  ASSERT_TRUE(start_mission()["ok"]);
  ASSERT_TRUE(ask({{"type", "stop_requested"}, {"session", "root"}, {"arguments", ""}})["ok"]);
  const std::string old = read(".opencode/mission_loop.json");
  begin();
  die();
  overwrite(".opencode/mission_loop.json", old);  // as if no save had worked since
  start();
  expect_told("was still that of mission");
  expect_goes_on();
  expect_log_tells_all();
}

TEST_F(DamageTest, AFinishedMissionIsNotResumedByItsLog) {
  ASSERT_TRUE(start_mission()["ok"]);
  ASSERT_TRUE(ask({{"type", "stop_requested"}, {"session", "root"}, {"arguments", ""}})["ok"]);
  die();
  fs::remove(paths().snapshot);
  start();
  EXPECT_EQ(toasts(), "");
  EXPECT_TRUE(start_mission()["ok"]);
}

// Its snapshot is written at its end; what its log takes in later may be acknowledged before the
// next snapshot is.
TEST_F(DamageTest, EventsLoggedAfterTheSnapshotOfAFinishedMissionAreRead) {
  begin();
  die();
  State state;
  {
    MissionStore store(os::posix_file_system(), root());
    ASSERT_TRUE(store.load(state, 1).ok());
    const auto happens = [&](Happening happening) {
      ASSERT_TRUE(store.apply(state, Event{store.next_seq(), 2, std::move(happening)}).ok());
      ASSERT_TRUE(store.sync().ok());
    };
    happens(StopRequested{RequestId("r1"), SessionId("root"), ""});
    ASSERT_EQ(state.phase, Phase::cancelled);
    ASSERT_TRUE(store.save(state).ok());
    happens(StopRequested{RequestId("r2"), SessionId("root"), ""});
  }
  State again;
  MissionStore store(os::posix_file_system(), root());
  ASSERT_TRUE(store.load(again, 3).ok());
  EXPECT_EQ(again.last_seq, state.last_seq);
  EXPECT_EQ(state_hash(again), state_hash(state));
  EXPECT_FALSE(store.is_open());
}

TEST_F(DamageTest, AFinishedMissionWithAnUnreadableLogIsLoadedFromItsSnapshot) {
  ASSERT_TRUE(start_mission()["ok"]);
  ASSERT_TRUE(ask({{"type", "stop_requested"}, {"session", "root"}, {"arguments", ""}})["ok"]);
  die();
  mission = snapshot()["mission"];
  overwrite(wal(), "no log at all");
  start();
  EXPECT_EQ(toasts(), "");
  EXPECT_EQ(read(wal()), "no log at all");
  EXPECT_TRUE(start_mission()["ok"]);
}

TEST_F(DamageTest, ASnapshotOfSchema1WithASessionOfTheStatePartingGoesOn) {
  begin();
  die();
  const auto written = read_snapshot(os::posix_file_system(), paths().snapshot);
  ASSERT_TRUE(written.ok() && written.value().state);
  const State before = *written.value().state;
  codec::legacy::State old = codec::legacy::to_legacy(before);
  for (codec::legacy::Session& session : old.sessions) {
    if (session.role == Role::worker) session.state = SessionState::parting;
    session.unused_answer = "Taken: T1 goes to review.";
  }
  overwrite(".opencode/mission_loop.json", codec::dump(old));
  EXPECT_EQ(snapshot()["schema"], 1);
  const auto read_again = read_snapshot(os::posix_file_system(), paths().snapshot);
  ASSERT_TRUE(read_again.ok() && read_again.value().state);
  EXPECT_EQ(read_again.value().state->schema, 2U);
  EXPECT_EQ(read_again.value().state->tasks.at(0).spec.verify, before.tasks.at(0).spec.verify);
  EXPECT_EQ(read_again.value().state->clock.next_effect, before.clock.next_effect);
  for (const Session& session : read_again.value().state->sessions)
    EXPECT_TRUE(session.role != Role::worker || session.state == SessionState::closing);
  start();
  EXPECT_EQ(toasts(), "");
  expect_goes_on();
}

TEST_F(DamageTest, TemporaryFilesOfADeadProcessAreRemoved) {
  begin();
  die();
  overwrite(".opencode/mission_loop.json.tmp-1-1", "half");
  overwrite(wal() + ".tmp-1-2", "half");
  start();
  EXPECT_FALSE(fs::exists(root() + "/.opencode/mission_loop.json.tmp-1-1"));
  EXPECT_FALSE(fs::exists(root() + "/" + wal() + ".tmp-1-2"));
  expect_goes_on();
}

TEST_F(DamageTest, AVersion1LogGoesOnAsVersion2) {
  begin();
  die();
  // The same events as version 1 wrote them.
  std::string old = store::wal_header(1);
  (void)store::scan_wal_bytes(read(wal()), "x",
                              [&](const store::WalRecord& record) {
                                if (record.kind == store::WalKind::event) {
                                  const store::WalFrame frame{store::WalKind::event, false,
                                                              record.seq, record.payload.substr(4),
                                                              0};
                                  store::append_wal_record(old, frame);
                                }
                                return true;
                              },
                              {});
  overwrite(wal(), old);
  start();
  EXPECT_EQ(toasts(), "");
  expect_goes_on();
  EXPECT_EQ(store::wal_version_of(read(wal())), store::kWalVersion);
  expect_log_tells_all();
}

/// Every call of the disk that a start with damaged files makes may be its last.
TEST_F(DamageTest, ACrashAtAnyPointOfTheRepairLosesNothing) {
  begin();
  die();
  const fs::path original = root() + "/.opencode";
  const fs::path kept = directory.path() + "-kept";
  fs::copy(original, kept, fs::copy_options::recursive);
  orchestrator::testing::BrokenDisk broken(os::posix_file_system());
  bool crashed = true;
  for (std::uint64_t calls = 1; crashed; ++calls) {
    SCOPED_TRACE(calls);
    ASSERT_LT(calls, 200U);
    project.reset();
    fs::remove_all(original);
    fs::copy(kept, original, fs::copy_options::recursive);
    overwrite(".opencode/mission_loop.json", "garbage");
    broken.crash_after(calls);
    disk = &broken;
    outbox = FakeOutbox();
    start();
    crashed = broken.crashed();
    project.reset();
    disk = &os::posix_file_system();
    outbox = FakeOutbox();
    start();
    ASSERT_EQ(snapshot()["tasks"][0]["status"], "reviewing");
    ASSERT_TRUE(resume()["ok"]);
  }
  fs::remove_all(kept);
}

}  // namespace
}  // namespace orchestrator::runtime
