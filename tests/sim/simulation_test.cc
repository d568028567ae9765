// Tests of the simulator: the same seed is the same run, no invariant is violated, and seeds that
// once found a bug stay clean. `opencode-orchestrator simulate` runs any number of missions.
#include "sim/simulation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "sim/disk.h"
#include "sim/faults.h"

namespace orchestrator::sim {
namespace {

RunResult run(std::uint64_t seed, std::size_t trace_lines,
              std::optional<std::vector<Hit>> only = std::nullopt) {
  RunOptions options;
  options.seed = seed;
  options.only = std::move(only);
  options.trace_lines = trace_lines;
  return simulate(options);
}

std::string story(const RunResult& result) {
  std::string text;
  if (result.violation) text = result.violation->invariant + ": " + result.violation->text + "\n";
  for (const std::string& line : result.trace) text += "  " + line + "\n";
  return text;
}

void expect_sound(std::uint64_t seed) {
  const RunResult result = run(seed, 0);
  if (!result.violation) return;
  const RunResult again = run(seed, 30);
  ADD_FAILURE() << "simulate --runs 1 --seed " << seed << "\n" << story(again);
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(SimulatedDisk, EveryFileWithAFlippedBitCountsAsWrittenWhole) {
  Faults faults(1, std::vector<Hit>{});
  Disk disk(faults);
  disk.put("/p/a/todo.md", "one");
  disk.put("/p/b/todo.md", "two");
  disk.rot("/p/a/todo.md", Random(1));
  disk.rot("/p/b/todo.md", Random(2));
  EXPECT_TRUE(disk.is_whole("/p/a/todo.md"));
  EXPECT_TRUE(disk.is_whole("/p/b/todo.md"));
}

TEST(Simulation, NoInvariantIsViolated) {
  const std::uint64_t runs = from_environment("ORCH_SIM_RUNS", 200);
  for (std::uint64_t seed = 1; seed <= runs && !HasFailure(); ++seed) expect_sound(seed);
}

TEST(Simulation, TheSameSeedIsTheSameRun) {
  std::uint64_t differ = 0;
  std::uint64_t before = 0;
  for (std::uint64_t seed = 900; seed < 920; ++seed) {
    const RunResult one = run(seed, 100'000);
    const RunResult two = run(seed, 100'000);
    EXPECT_EQ(one.trace, two.trace) << seed;
    EXPECT_EQ(one.trace_hash, two.trace_hash) << seed;
    EXPECT_EQ(one.hits, two.hits) << seed;
    differ += one.trace_hash != before ? 1U : 0U;
    before = one.trace_hash;
  }
  EXPECT_EQ(differ, 20U) << "other seeds are other runs";
}

TEST(Simulation, OnlyTheListedFaultsHappen) {
  const RunResult all = run(3, 0);
  ASSERT_GT(all.hits.size(), 2U);
  const RunResult same = run(3, 0, all.hits);
  EXPECT_EQ(same.hits, all.hits);
  EXPECT_EQ(same.trace_hash, all.trace_hash);
  EXPECT_TRUE(run(3, 0, std::vector<Hit>{}).hits.empty());
  EXPECT_EQ(run(3, 0, std::vector<Hit>{all.hits.front()}).hits, std::vector<Hit>{all.hits.front()});
}

TEST(Simulation, FaultsAreReadAsTheyAreWritten) {
  const std::vector<Hit> hits{{Fault::die_at_write, 3}, {Fault::event_lost, 17}};
  EXPECT_EQ(to_text(hits), "die_at_write:3,event_lost:17");
  EXPECT_EQ(parse_hits(to_text(hits)), hits);
  EXPECT_EQ(parse_hits(""), std::vector<Hit>{});
  EXPECT_FALSE(parse_hits("die_at_write"));
  EXPECT_FALSE(parse_hits("no_such_fault:1"));
  EXPECT_FALSE(parse_hits("die:x"));
}

/// A mission that lives on and on: neither what is written at each change nor what a new process
/// reads grows with its age, and its log grows as its events do.
TEST(Simulation, TheAgeOfAMissionCostsNothing) {
  std::vector<Sample> samples;
  RunOptions options;
  options.endless_hours = 12;
  options.sampled = [&](const Sample& sample) { samples.push_back(sample); };
  const RunResult result = simulate(options);
  EXPECT_FALSE(result.violation) << story(result);
  ASSERT_GE(samples.size(), 11U);
  const auto most = [&](std::size_t first, std::size_t last) {
    std::uint64_t bytes = 0;
    for (std::size_t i = first; i < last; ++i) bytes = std::max(bytes, samples[i].snapshot_bytes);
    return bytes;
  };
  EXPECT_GT(samples.back().events, 2'000U);
  EXPECT_LE(most(7, 11), most(2, 6) * 5 / 4);
  const Sample& half = samples[5];
  const double early = static_cast<double>(half.log_bytes) / static_cast<double>(half.events);
  const double late = static_cast<double>(samples.back().log_bytes - half.log_bytes) /
                      static_cast<double>(samples.back().events - half.events);
  EXPECT_LE(late, early * 1.5);
}

/// Seeds that found a bug, with the bug that each found. The run of a seed changes with the models
/// and the host, so each bug also has a test of its own; here the seeds stay as runs.
TEST(Simulation, SeedsThatFoundBugsStayClean) {
  for (const std::uint64_t seed : {
           5ULL,       // progress was shown before its event was durable
           505ULL,     // a prompt that failed late set a session going that had handed in its work
           10172ULL,   // /stop and /task in one batch, and a crash between them
           118134ULL,  // the simulated host let a turn begin while no plugin was there to answer it
           167692ULL,  // two turns, found after a reload, where a rate limit had left room for one
           1027518ULL,   // the log of a process that died before its name was durable
           4305586ULL,   // a late end of a turn told the model that was asked before
           8072128ULL,   // a session was made again for a model that it was not allowed to ask
           7010164ULL,   // the same, in the middle of the next turn
           6024925ULL,   // a turn that had waited went on although its model was asked enough
           6028190ULL,   // what a cancelled part had written was claimed twice
           6081647ULL,   // a word into a turn that waits could not be said
           3025922ULL,   // a Worker wrote on in a mission that had just been stopped
           50910374ULL,  // two turns, found after a reload, passed the cap of their model
           70018977ULL,  // the disk kept an event that a failed sync had taken back
           51605707ULL,  // a stopped mission acted on events that a full disk had kept from its log
       }) {
    expect_sound(seed);
  }
}

}  // namespace
}  // namespace orchestrator::sim
