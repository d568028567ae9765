#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "runtime/history/mission_recovery.h"
#include "runtime/history/replay.h"
#include "runtime/support/project_story.h"
#include "support/broken_disk.h"

namespace orchestrator::runtime {

/// A mission whose files come to harm.
class DamageTest : public ProjectTest {
 protected:
  [[nodiscard]] MissionPaths paths() const { return MissionPaths(root()); }
  /// Without its checksum: as earlier versions wrote it, so that a test may edit it.
  [[nodiscard]] json snapshot() const {
    json parsed = json::parse(read(".opencode/mission_loop.json"));
    parsed.erase("checksum");
    return parsed;
  }
  [[nodiscard]] std::string wal() const { return ".opencode/orchestrator/" + mission + ".wal"; }
  void begin() {
    until_review();
    mission = snapshot()["mission"];
  }
  void afresh() {
    project.reset();
    fs::remove_all(root() + "/.opencode");
    outbox = FakeOutbox();
    start();
  }
  /// The process is gone without a farewell, and what it has left is on the disk.
  void die() {
    turn_timers();
    project.reset();
    outbox = FakeOutbox();
  }
  /// Lets the time pass for which things wait (derived files, a failing disk).
  void turn_timers() {
    const auto due = outbox.timers;
    for (const auto& [id, delay] : due) {
      if (id < std::uint64_t{1} << 62U) continue;  // the mission's own: a stall, a lease
      outbox.timers.erase(id);
      project->on_timer(id, outbox);
    }
  }
  void overwrite(const std::string& path, const std::string& text) { write(path, text); }
  void spoil(const std::string& path, std::size_t offset) {
    std::string bytes = read(path);
    ASSERT_LT(offset, bytes.size());
    bytes[offset] = static_cast<char>(bytes[offset] ^ 0x55);
    write(path, bytes);
  }
  [[nodiscard]] std::vector<std::string> kept_aside() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(root() + "/.opencode")) {
      const std::string name = entry.path().filename().string();
      if (name.find(".damaged-") != std::string::npos) names.push_back(name);
    }
    return names;
  }
  [[nodiscard]] std::string toasts() const {
    std::string all;
    for (const json& message : outbox.sent) {
      if (message["type"] == "show_toast") all += message["text"].get<std::string>() + "\n";
    }
    return all;
  }
  void expect_told(const std::string& part) const {
    EXPECT_NE(toasts().find(part), std::string::npos) << part << "\n in: " << toasts();
  }
  json resume() {
    const json reply = ask(
        {{"type", "resume_requested"}, {"session", "root"}, {"arguments", ""}, {"mode", "run"}});
    if (!outbox.last("find_sessions").is_null()) say(found(outbox));
    return reply;
  }
  /// From the review of T1 on, in the reviewer's own session, to the end of T1.
  void expect_goes_on() {
    const json reply = resume();
    ASSERT_TRUE(reply["ok"]) << reply;
    EXPECT_EQ(outbox.last("prompt_session")["session"], "reviewer");
    expect_passes();
  }
  void expect_passes() {
    say({{"type", "prompt_accepted"}, {"effect", outbox.last("prompt_session")["effect"]}});
    say({{"type", "turn_started"}, {"session", "reviewer"}});
    run("reviewer", "check", 0);
    EXPECT_TRUE(pass("reviewer")["ok"]);
    turn_timers();
    EXPECT_EQ(snapshot()["tasks"][0]["status"], "done");
  }
  /// The log alone, read to its end, gives the state of the snapshot.
  void expect_log_tells_all() {
    turn_timers();
    Replay replay;
    for (const LogFile& file : log_files(os::posix_file_system(), paths().directory, mission)) {
      const SegmentEnd end = replay.read(os::posix_file_system(), file.path);
      EXPECT_EQ(end.kind, SegmentEnd::Kind::whole) << file.path;
    }
    EXPECT_EQ(replay.skipped(), 0U);
    EXPECT_FALSE(replay.divergence()) << replay.divergence()->what;
    const auto stored = read_snapshot(os::posix_file_system(), paths().snapshot);
    ASSERT_TRUE(stored.ok() && stored.value().state);
    EXPECT_EQ(state_hash(replay.state()), state_hash(*stored.value().state));
  }
  /// Events that move little, as a host tells them all the time.
  void chatter(int turns) {
    for (int i = 0; i < turns; ++i) {
      say({{"type", "turn_started"}, {"session", "reviewer"}});
      say({{"type", "turn_ended"},
           {"session", "reviewer"},
           {"tokens", 10},
           {"usd", 0.001},
           {"message", "m" + std::to_string(chattered++)}});
    }
    turn_timers();
  }

  std::string mission;
  int chattered = 0;
};

}  // namespace orchestrator::runtime
