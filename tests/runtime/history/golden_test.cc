// Logs of each format that was ever written keep replaying: tests/store/golden/<name>/ holds the
// segments of one mission and what it came to.

#include "runtime/support/damage_story.h"

namespace orchestrator::runtime {
namespace {

const fs::path kGolden = fs::path(ORCH_TESTS_DIR) / "store" / "golden";

constexpr std::string_view kWhatNow =
    "What `step` makes of old events has changed. As long as no version with this format was "
    "released: ORCH_WRITE_GOLDEN=1 runtime_test --gtest_filter='GoldenWriter.*'; after that, "
    "`step` must go on doing with them what it did.";

/// Replays all that a directory holds.
Replay replayed(const fs::path& directory) {
  std::string mission;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".wal")
      mission = mission_of_log(entry.path().filename().string());
  }
  Replay replay;
  os::FileSystem& disk = os::posix_file_system();
  for (const LogFile& file : log_files(disk, directory.string(), mission)) {
    const SegmentEnd end = replay.read(disk, file.path);
    EXPECT_EQ(end.kind, SegmentEnd::Kind::whole) << file.path;
    EXPECT_EQ(end.scan.torn_bytes, 0U) << file.path;
  }
  EXPECT_TRUE(replay.known()) << directory;
  EXPECT_EQ(replay.skipped(), 0U);
  return replay;
}

void expect_outcome(const Replay& replay, const fs::path& directory) {
  std::ifstream file(directory / "outcome.json");
  const json outcome = json::parse(file);
  EXPECT_EQ(replay.events(), outcome["events"]);
  EXPECT_EQ(to_name(replay.state().phase), outcome["phase"].get<std::string>());
  json tasks = json::object();
  for (const Task& task : replay.state().tasks)
    tasks[task.id.value] = std::string(to_name(task.status));
  EXPECT_EQ(tasks, outcome["tasks"]);
}

TEST(Golden, AVersion1LogReplaysToItsOutcome) {
  const Replay replay = replayed(kGolden / "v1");
  expect_outcome(replay, kGolden / "v1");
  EXPECT_EQ(replay.witnesses(), 0U);
}

// Its closing sessions were asked once more for a text: `step` makes other timers of the same
// events.
TEST(Golden, AVersion2LogWithWrapUpRequestsReplaysToItsOutcome) {
  const Replay replay = replayed(kGolden / "v2-wrap-up");
  expect_outcome(replay, kGolden / "v2-wrap-up");
}

// The digest of each step is still the same; the hashes of states are not: a state holds the texts
// of prompts, which have other words since.
TEST(Golden, AVersion2LogInSegmentsReplaysToItsOutcome) {
  const Replay replay = replayed(kGolden / "v2");
  expect_outcome(replay, kGolden / "v2");
  EXPECT_EQ(replay.witnesses(), replay.events());
  EXPECT_EQ(replay.marks(), 0U) << "hashes of states";
  EXPECT_FALSE(replay.divergence()) << replay.divergence()->what;
}

TEST(Golden, AVersion3LogInSegmentsMatchesEachDigest) {
  const Replay replay = replayed(kGolden / "v3");
  expect_outcome(replay, kGolden / "v3");
  EXPECT_EQ(replay.witnesses(), replay.events());
  EXPECT_GE(replay.marks(), 8U);
  EXPECT_FALSE(replay.divergence()) << replay.divergence()->what << "\n" << kWhatNow;
}

class GoldenWriter : public DamageTest {};

/// Writes the version 3 log again, on request.
TEST_F(GoldenWriter, WritesTheLogOfAWholeMission) {
  project.reset();
  log_limits = {30, 1U << 20U, 4};
  start();
  begin();
  for (int i = 0; i < 10; ++i) chatter(12);
  run("reviewer", "check", 0);
  ASSERT_TRUE(pass("reviewer")["ok"]);
  create("master");
  run("master", "check", 0);
  call("submit_review", "master",
       {{"task", "mission"},
        {"verdict", "pass"},
        {"findings", json::array()},
        {"evidence", json::array()}});
  ASSERT_EQ(snapshot()["phase"], "sealed");
  const auto files = log_files(*disk, paths().directory, mission);
  ASSERT_GE(files.size(), 3U);
  const Replay replay = replayed(paths().directory);
  EXPECT_FALSE(replay.divergence());
  EXPECT_EQ(replay.witnesses(), replay.events());
  if (std::getenv("ORCH_WRITE_GOLDEN") == nullptr) return;
  fs::remove_all(kGolden / "v3");
  fs::create_directories(kGolden / "v3");
  for (const LogFile& file : files)
    fs::copy(file.path, kGolden / "v3" / fs::path(file.path).filename());
  std::ofstream(kGolden / "v3" / "outcome.json")
      << json{{"phase", "sealed"}, {"events", replay.events()}, {"tasks", {{"T1", "done"}}}}.dump()
      << "\n";
}

}  // namespace
}  // namespace orchestrator::runtime
