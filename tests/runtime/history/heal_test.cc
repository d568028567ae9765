// Running missions whose files another program removes or changes, or whose disk is full.

#include <algorithm>
#include <array>

#include "runtime/support/damage_story.h"
#include "store/wal_reader.h"

namespace orchestrator::runtime {
namespace {

/// Any event of the host: the engine looks at its files with each.
void look(const std::function<void(const json&)>& say) {
  say({{"type", "turn_started"}, {"session", "reviewer"}});
}

class HealTest : public DamageTest {
 protected:
  void something_happens() {
    look([this](const json& message) { say(message); });
  }
  /// A new process that takes the mission over finds it complete.
  void expect_survives_a_crash() {
    die();
    start();
    EXPECT_EQ(toasts(), "");
    expect_goes_on();
  }
};

TEST_F(HealTest, UntouchedFilesAreLeftAlone) {
  begin();
  chatter(20);
  EXPECT_EQ(toasts(), "");
  EXPECT_TRUE(kept_aside().empty());
  expect_log_tells_all();
}

TEST_F(HealTest, ARemovedSnapshotIsWrittenAgain) {
  begin();
  fs::remove(paths().snapshot);
  something_happens();
  expect_told("mission_loop.json was removed; it is written again");
  EXPECT_EQ(snapshot()["tasks"][0]["status"], "reviewing");
  expect_survives_a_crash();
}

TEST_F(HealTest, AnOverwrittenSnapshotIsSetAsideAndWrittenAgain) {
  begin();
  overwrite(".opencode/mission_loop.json", "garbage");
  something_happens();
  expect_told("it is kept as mission_loop.json.damaged-");
  ASSERT_EQ(kept_aside().size(), 1U);
  EXPECT_EQ(read(".opencode/" + kept_aside()[0]), "garbage");
  EXPECT_EQ(snapshot()["mission"], mission);
  expect_survives_a_crash();
}

TEST_F(HealTest, ASnapshotWithANewTimeOnlyIsNotDamaged) {
  begin();
  overwrite(".opencode/mission_loop.json", read(".opencode/mission_loop.json"));
  overwrite(".opencode/todo.md", read(".opencode/todo.md"));
  fs::last_write_time(root() + "/" + wal(), fs::file_time_type::clock::now());
  something_happens();
  EXPECT_EQ(toasts(), "");
  EXPECT_TRUE(kept_aside().empty());
  expect_survives_a_crash();
}

TEST_F(HealTest, ARemovedLogIsRestartedWithTheWholeState) {
  begin();
  fs::remove(root() + "/" + wal());
  something_happens();
  expect_told(".wal was removed; a new one begins with the whole state");
  EXPECT_TRUE(fs::exists(root() + "/" + wal()));
  expect_survives_a_crash();
  expect_log_tells_all();
}

TEST_F(HealTest, AnOverwrittenLogIsSetAside) {
  begin();
  overwrite(wal(), "garbage");
  something_happens();
  expect_told(".wal was changed by another program; it is kept as");
  EXPECT_EQ(kept_aside().size(), 1U);
  expect_survives_a_crash();
}

TEST_F(HealTest, ALogWithForeignBytesAtItsEndIsSetAside) {
  begin();
  overwrite(wal(), read(wal()) + "a line of another program\n");
  something_happens();
  expect_told("was changed by another program");
  expect_survives_a_crash();
}

TEST_F(HealTest, ATruncatedLogIsSetAside) {
  begin();
  fs::resize_file(root() + "/" + wal(), 100);
  something_happens();
  expect_told("was changed by another program");
  expect_survives_a_crash();
}

TEST_F(HealTest, ARemovedTodoIsWrittenAgain) {
  begin();
  const std::string before = read(".opencode/todo.md");
  ASSERT_NE(before, "");
  fs::remove(paths().todo);
  something_happens();
  expect_told("todo.md was removed");
  EXPECT_EQ(read(".opencode/todo.md"), before);
}

TEST_F(HealTest, ARemovedDirectoryIsWrittenAgain) {
  begin();
  fs::remove_all(root() + "/.opencode");
  something_happens();
  expect_told("the directory is locked anew");
  EXPECT_EQ(snapshot()["tasks"][0]["status"], "reviewing");
  EXPECT_TRUE(fs::exists(root() + "/" + wal()));
  EXPECT_EQ(read(".opencode/orchestrator/.gitignore"), "*\n");
  EXPECT_NE(read(".opencode/todo.md"), "");
  expect_survives_a_crash();
}

TEST_F(HealTest, ARemovedLockIsTakenAgain) {
  begin();
  fs::remove(paths().lock);
  something_happens();
  expect_told("the lock file was removed");
  EXPECT_FALSE(os::posix_file_system().lock(paths().lock).ok());
  expect_survives_a_crash();
}

TEST_F(HealTest, AProcessThatLostItsDirectoryChangesNothingMore) {
  begin();
  fs::remove(paths().lock);
  const auto other = os::posix_file_system().lock(paths().lock);
  ASSERT_TRUE(other.ok());
  const std::string log = read(wal());
  run("reviewer", "check", 0);
  const json reply = pass("reviewer");
  EXPECT_FALSE(reply["ok"]);
  EXPECT_NE(reply["text"].get<std::string>().find("cannot be changed by this process any more"),
            std::string::npos);
  expect_told("cannot be changed by this process any more");
  for (const auto& [id, delay] : std::map(outbox.timers)) project->on_timer(id, outbox);
  EXPECT_EQ(read(wal()), log) << "the other process writes it now";
}

TEST_F(HealTest, StandingAnswersAreTakenBackWhenTheDirectoryIsLost) {
  begin();
  EXPECT_NE(outbox.session_info["root"], "");
  say({{"type", "turn_started"}, {"session", "reviewer"}});
  fs::remove(paths().lock);
  const auto other = os::posix_file_system().lock(paths().lock);
  ASSERT_TRUE(other.ok());
  // The first that looks is the timer of what follows from the state.
  const auto derives =
      std::ranges::find(outbox.timers, 100U, [](const auto& t) { return t.second; });
  ASSERT_NE(derives, outbox.timers.end());
  project->on_timer(derives->first, outbox);
  EXPECT_EQ(outbox.session_info["root"], "");
  EXPECT_EQ(outbox.session_info["reviewer"], "");
}

TEST_F(HealTest, ASubmissionInTheSameMomentIsNotLost) {
  begin();
  run("reviewer", "check", 0);
  fs::remove(root() + "/" + wal());
  fs::remove(paths().snapshot);
  EXPECT_TRUE(pass("reviewer")["ok"]);
  die();
  start();
  EXPECT_EQ(snapshot()["tasks"][0]["status"], "done");
}

// ---- a disk that fails --------------------------------------------------------------------------

class FullDiskTest : public HealTest {
 protected:
  FullDiskTest() {
    project.reset();
    disk = &broken;
    outbox = FakeOutbox();
    start();
  }
  ~FullDiskTest() override { project.reset(); }  // before the disk
  std::size_t prompts() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        outbox.sent, [](const json& message) { return message["type"] == "prompt_session"; }));
  }
  orchestrator::testing::BrokenDisk broken{os::posix_file_system()};
};

TEST_F(FullDiskTest, AMissionThatCannotBeWrittenDoesNotStart) {
  broken.fail();
  const json reply = start_mission();
  EXPECT_FALSE(reply["ok"]);
  EXPECT_NE(reply["text"].get<std::string>().find("No space left"), std::string::npos);
  broken.repair();
  EXPECT_TRUE(start_mission()["ok"]);
}

TEST_F(FullDiskTest, AMissionWhoseFirstEventCannotBeWrittenHasNotBegun) {
  // The log can be made, and then not be written.
  outbox = FakeOutbox();
  bool refused = false;
  for (std::uint64_t calls = 1; !refused; ++calls) {
    SCOPED_TRACE(calls);
    ASSERT_LT(calls, 60U);
    afresh();
    broken.crash_after(calls);
    const json reply = start_mission();
    refused = reply["ok"] == true;
    if (!refused) {
      EXPECT_FALSE(reply.is_null());
      project.reset();
      broken.crash_after(1U << 30U);
      start();
      // Written, though its sync had failed, it is there again; else nothing is in the way.
      if (start_mission()["ok"] != true) {
        EXPECT_TRUE(
            ask({{"type", "stop_requested"}, {"session", "root"}, {"arguments", ""}})["ok"]);
        EXPECT_TRUE(start_mission()["ok"]);
      }
    }
    broken.crash_after(1U << 30U);
  }
}

TEST_F(FullDiskTest, ACallThatCannotBeWrittenIsRefusedAndChangesNothing) {
  begin();
  run("reviewer", "check", 0);
  turn_timers();
  const std::size_t before = prompts();
  broken.fail();
  const json reply = pass("reviewer");
  ASSERT_FALSE(reply["ok"]) << reply;
  const std::string text = reply["text"];
  EXPECT_NE(text.find("No space left"), std::string::npos) << text;
  EXPECT_NE(text.find("free some space"), std::string::npos) << text;
  expect_told("cannot be written");
  EXPECT_EQ(outbox.last("abort_session")["session"], "reviewer");
  // Nothing changes, and every call is refused with the reason.
  EXPECT_FALSE(resume()["ok"]);
  EXPECT_FALSE(ask({{"type", "stop_requested"}, {"session", "root"}, {"arguments", ""}})["ok"]);
  EXPECT_NE(ask({{"type", "mission_status"}})["text"].get<std::string>().find("No space left"),
            std::string::npos);
  turn_timers();
  turn_timers();
  EXPECT_FALSE(resume()["ok"]);
  EXPECT_EQ(prompts(), before);
  // As soon as there is space it is paused, with the reason, and a person goes on.
  broken.repair();
  turn_timers();
  EXPECT_EQ(snapshot()["phase"], "paused");
  EXPECT_NE(snapshot()["reason"].get<std::string>().find("No space left"), std::string::npos);
  EXPECT_EQ(snapshot()["tasks"][0]["status"], "reviewing");
  expect_goes_on();
  expect_log_tells_all();
}

TEST_F(FullDiskTest, AStopThatCannotBeWrittenIsRefusedEvenBeforeANewMission) {
  begin();
  broken.fail();
  const std::array batch{
      json{{"type", "stop_requested"}, {"request", "stop"}, {"session", "root"}, {"arguments", ""}}
          .dump(),
      json{{"type", "mission_requested"},
           {"request", "start"},
           {"session", "root"},
           {"arguments", "Build another"},
           {"mode", "run"}}
          .dump()};
  project->on_messages(batch, outbox);
  for (const char* request : {"stop", "start"}) {
    const auto reply = std::ranges::find_if(outbox.sent, [&](const json& message) {
      return message["type"] == "reply" && message["request"] == request;
    });
    ASSERT_NE(reply, outbox.sent.end()) << request;
    EXPECT_FALSE((*reply)["ok"]) << *reply;
  }
  broken.repair();
  turn_timers();
  EXPECT_EQ(snapshot()["mission"], mission);
  EXPECT_EQ(snapshot()["phase"], "paused");
  expect_goes_on();
}

TEST_F(FullDiskTest, ACrashDuringAnOutageLosesNothingAcknowledged) {
  begin();
  run("reviewer", "check", 0);
  turn_timers();
  const std::uint64_t last = snapshot()["last_seq"];
  broken.fail();
  ASSERT_FALSE(pass("reviewer")["ok"]);
  project.reset();
  broken.repair();
  outbox = FakeOutbox();
  start();
  EXPECT_EQ(toasts(), "");
  turn_timers();
  EXPECT_EQ(snapshot()["tasks"][0]["status"], "reviewing");
  EXPECT_GE(snapshot()["last_seq"].get<std::uint64_t>(), last);
  expect_goes_on();
}

// Found by the simulator (seed 70018977): the next process counts what the disk has kept.
TEST_F(FullDiskTest, ARefusalSaysThatTheDiskMayKeepTheEventAfterAll) {
  begin();
  run("reviewer", "check", 0);
  broken.fail();
  const json refused = pass("reviewer");
  EXPECT_FALSE(refused["ok"]);
  EXPECT_TRUE(refused["text"].get<std::string>().starts_with(
      "Not done; but if this process ends before the log can be written again"))
      << refused;
  const json later = pass("reviewer");
  EXPECT_EQ(later["text"].get<std::string>().find("Not done; but"), std::string::npos)
      << "it was never written: " << later;
  broken.repair();
  turn_timers();
  expect_goes_on();
}

TEST_F(FullDiskTest, EventsOfTheHostDuringAnOutageAreRecordedLater) {
  begin();
  const std::uint64_t tokens = snapshot()["budget"]["tokens"];
  broken.fail();
  run("reviewer", "check", 0);
  ASSERT_FALSE(pass("reviewer")["ok"]);
  say({{"type", "turn_ended"},
       {"session", "reviewer"},
       {"tokens", 77},
       {"usd", 0.5},
       {"message", "late"}});
  broken.repair();
  turn_timers();
  turn_timers();
  EXPECT_EQ(snapshot()["phase"], "paused");
  EXPECT_EQ(snapshot()["budget"]["tokens"].get<std::uint64_t>(), tokens + 77);
}

TEST_F(FullDiskTest, TimersDuringAnOutageChangeNothingUnlogged) {
  begin();
  run("reviewer", "check", 0);
  broken.fail();
  ASSERT_FALSE(pass("reviewer")["ok"]);
  const auto timers = outbox.timers;
  std::size_t fired = 0;
  for (const auto& [id, delay] : timers) {
    if (id >= std::uint64_t{1} << 62U) continue;  // the engine's own
    outbox.timers.erase(id);
    project->on_timer(id, outbox);
    ++fired;
  }
  ASSERT_GT(fired, 0U);
  broken.repair();
  turn_timers();
  EXPECT_EQ(snapshot()["phase"], "paused");
  expect_goes_on();
  expect_log_tells_all();
}

TEST_F(FullDiskTest, ACommandThatEndsDuringAnOutageIsNoProof) {
  begin();
  broken.fail();
  ASSERT_FALSE(pass("reviewer")["ok"]);
  run("reviewer", "check", 0);
  broken.repair();
  turn_timers();
  turn_timers();
  const json receipts = snapshot()["receipts"];
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_TRUE(receipts[0]["changed_files"]);
}

TEST_F(FullDiskTest, FilesDamagedDuringAnOutageAreLoadedAsTheyAre) {
  begin();
  turn_timers();
  const std::uint64_t saved = snapshot()["last_seq"];
  const std::size_t logged = read(wal()).size();
  // Durable in the log, and in no snapshot.
  EXPECT_FALSE(pass("reviewer")["ok"]);
  EXPECT_FALSE(pass("reviewer")["ok"]);
  broken.fail();
  const fs::path log = root() + "/" + wal();
  const auto written = fs::last_write_time(log);
  spoil(wal(), logged + 30);
  fs::last_write_time(log, written);
  ASSERT_FALSE(pass("reviewer")["ok"]);
  turn_timers();
  EXPECT_FALSE(pass("reviewer")["ok"]);
  broken.repair();
  turn_timers();
  expect_told(wal().substr(wal().rfind('/') + 1) + " is damaged at byte");
  expect_told("goes on from event " + std::to_string(saved));
  expect_goes_on();
}

TEST_F(FullDiskTest, WhatDamagedFilesHoldIsShownWhileTheyCannotBeRepaired) {
  begin();
  turn_timers();
  const std::size_t logged = read(wal()).size();
  EXPECT_FALSE(pass("reviewer")["ok"]);
  run("reviewer", "check", 0);
  EXPECT_FALSE(call("mission_run", "root", {})["ok"]);  // durable with what came before it
  broken.fail();
  const auto written = fs::last_write_time(root() + "/" + wal());
  spoil(wal(), logged + 30);
  fs::last_write_time(root() + "/" + wal(), written);
  const json refused = pass("reviewer");
  ASSERT_FALSE(refused["ok"]);
  EXPECT_EQ(refused["text"].get<std::string>().find("Nothing that was acknowledged is lost"),
            std::string::npos)
      << refused;
  EXPECT_NE(refused["text"].get<std::string>().find("damaged"), std::string::npos) << refused;
  EXPECT_TRUE(std::ranges::any_of(outbox.sent, [](const json& message) {
    return message["type"] == "abort_session" && message["session"] == "reviewer";
  }));
  const auto shown = [&] { return ask({{"type", "mission_status"}})["text"].get<std::string>(); };
  EXPECT_NE(shown().find("T1 One: reviewing"), std::string::npos) << shown();
  for (int i = 0; i < 3; ++i) turn_timers();
  EXPECT_NE(shown().find("T1 One: reviewing"), std::string::npos) << shown();
  const std::string told = toasts();
  const std::string once = "cannot be changed by this process";
  EXPECT_NE(told.find(once), std::string::npos) << told;
  EXPECT_EQ(told.find(once), told.rfind(once)) << told;
  broken.repair();
  turn_timers();
  expect_goes_on();
}

TEST_F(FullDiskTest, ASnapshotThatCannotBeWrittenIsReportedOnce) {
  begin();
  broken.fail("mission_loop.json");
  chatter(3);
  chatter(3);
  const std::string told = toasts();
  EXPECT_NE(told.find("snapshot cannot be written"), std::string::npos);
  EXPECT_EQ(told.find("snapshot cannot be written"), told.rfind("snapshot cannot be written"));
  run("reviewer", "check", 0);
  EXPECT_TRUE(pass("reviewer")["ok"]);
  project.reset();
  broken.repair();
  outbox = FakeOutbox();
  start();
  EXPECT_EQ(toasts(), "");
  turn_timers();
  EXPECT_EQ(snapshot()["tasks"][0]["status"], "done");
}

// ---- rotation -----------------------------------------------------------------------------------

TEST_F(HealTest, ALongLogIsKeptInSegments) {
  project.reset();
  log_limits = {20, 1U << 20U, 4};
  start();
  begin();
  for (int i = 0; i < 12; ++i) chatter(15);
  const auto files = log_files(os::posix_file_system(), paths().directory, mission);
  ASSERT_GE(files.size(), 3U);
  EXPECT_TRUE(files.back().growing);
  expect_log_tells_all();
  expect_survives_a_crash();
  expect_log_tells_all();
}

TEST_F(FullDiskTest, ACrashAtAnyPointOfARotationLosesNothing) {
  log_limits = {20, 1U << 20U, 4};
  bool crashed = true;
  for (std::uint64_t calls = 1; crashed; ++calls) {
    SCOPED_TRACE(calls);
    ASSERT_LT(calls, 100U);
    broken.crash_after(1U << 30U);
    afresh();
    begin();
    // Up to the edge: the next save rotates.
    while (log_files(os::posix_file_system(), paths().directory, mission).size() < 2) {
      for (int i = 0; i < 5; ++i) {
        say({{"type", "turn_started"}, {"session", "reviewer"}});
      }
      fs::remove_all(directory.path() + "/.before");
      fs::copy(root() + "/.opencode", directory.path() + "/.before", fs::copy_options::recursive);
      turn_timers();
    }
    // Again from just before it, with a crash.
    project.reset();
    fs::remove_all(root() + "/.opencode");
    fs::rename(directory.path() + "/.before", root() + "/.opencode");
    outbox = FakeOutbox();
    start();
    ASSERT_TRUE(resume()["ok"]);
    broken.crash_after(calls);
    say({{"type", "turn_started"}, {"session", "reviewer"}});
    turn_timers();
    crashed = broken.crashed();
    project.reset();
    broken.crash_after(1U << 30U);
    outbox = FakeOutbox();
    start();
    EXPECT_EQ(toasts(), "");
    EXPECT_EQ(snapshot()["tasks"][0]["status"], "reviewing");
    expect_goes_on();
    expect_log_tells_all();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace orchestrator::runtime
