// The simulator itself: the same seed is the same run, nothing is violated, and what was once found
// stays mended. `opencode-orchestrator simulate` runs as many as one likes.
#include "sim/simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace orchestrator::sim {
namespace {

std::string story(const RunResult& result) {
  std::string text;
  if (result.violation) text = result.violation->invariant + ": " + result.violation->text + "\n";
  for (const std::string& line : result.trace) text += "  " + line + "\n";
  return text;
}

void expect_sound(std::uint64_t seed) {
  const RunResult result = simulate({seed, std::nullopt, 0});
  if (!result.violation) return;
  const RunResult again = simulate({seed, std::nullopt, 30});
  ADD_FAILURE() << "simulate --runs 1 --seed " << seed << "\n" << story(again);
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(Simulation, NothingIsViolated) {
  const std::uint64_t runs = from_environment("ORCH_SIM_RUNS", 200);
  for (std::uint64_t seed = 1; seed <= runs && !HasFailure(); ++seed) expect_sound(seed);
}

TEST(Simulation, TheSameSeedIsTheSameRun) {
  std::uint64_t differ = 0;
  std::uint64_t before = 0;
  for (std::uint64_t seed = 900; seed < 920; ++seed) {
    const RunResult one = simulate({seed, std::nullopt, 100'000});
    const RunResult two = simulate({seed, std::nullopt, 100'000});
    EXPECT_EQ(one.trace, two.trace) << seed;
    EXPECT_EQ(one.trace_hash, two.trace_hash) << seed;
    EXPECT_EQ(one.hits, two.hits) << seed;
    differ += one.trace_hash != before ? 1U : 0U;
    before = one.trace_hash;
  }
  EXPECT_EQ(differ, 20U) << "other seeds are other runs";
}

TEST(Simulation, OnlyTheFaultsThatWereNamedHappen) {
  const RunResult all = simulate({3, std::nullopt, 0});
  ASSERT_GT(all.hits.size(), 2U);
  const RunResult same = simulate({3, all.hits, 0});
  EXPECT_EQ(same.hits, all.hits);
  EXPECT_EQ(same.trace_hash, all.trace_hash);
  EXPECT_TRUE(simulate({3, std::vector<Hit>{}, 0}).hits.empty());
  EXPECT_EQ(simulate({3, std::vector<Hit>{all.hits.front()}, 0}).hits,
            std::vector<Hit>{all.hits.front()});
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

/// What each seed found, at the commit that mended it. A seed's run changes with the models and
/// the host, so each of them has a test of its own beside what it mended; here they stay as runs
/// that were once worth looking at.
TEST(Simulation, SeedsThatFoundSomethingStaySound) {
  for (const std::uint64_t seed : {
           5ULL,      // progress was shown before its event was durable
           505ULL,    // a prompt that failed late set a session going that had handed in its work
           10172ULL,  // /stop and /task in one batch, and a crash between them
       }) {
    expect_sound(seed);
  }
}

}  // namespace
}  // namespace orchestrator::sim
