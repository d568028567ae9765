// Simulated missions run as they were recorded: the same messages both ways, the same files at the
// end. A change that means to change no behaviour leaves the record as it is. A change that does
// mean to: look at a run before and after (`simulate --seed S --runs 1 --trace 100000` on both
// commits), then `ORCH_RECORD=1 sim_test --gtest_filter='*RecordedRuns.*'` writes the new record.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "sim/simulation.h"

namespace orchestrator::sim {
namespace {

constexpr std::uint64_t kFirstSeed = 50'001;
constexpr std::uint64_t kRuns = 1'000;
/// So many runs in one test: each takes a few seconds.
constexpr std::uint64_t kRunsInTest = 200;
constexpr std::size_t kShown = 5;

std::string record_path() { return std::string(ORCH_SOURCE_DIR) + "/tests/sim/recorded_runs.txt"; }

/// Its seed, how it ended, missions, messages, and the hash of all that happened.
std::string line_of(std::uint64_t seed) {
  RunOptions options;
  options.seed = seed;
  const RunResult result = simulate(options);
  char hash[20];
  std::snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(result.trace_hash));
  return std::to_string(seed) + " " + (result.violation ? "violated" : result.outcome) + " " +
         std::to_string(result.missions) + " " + std::to_string(result.messages) + " " + hash;
}

std::vector<std::string> recorded() {
  std::ifstream in(record_path());
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

void write_record() {
  std::ofstream out(record_path());
  for (std::uint64_t i = 0; i < kRuns; ++i) out << line_of(kFirstSeed + i) << '\n';
  ASSERT_TRUE(out.good()) << record_path();
}

/// The parameter is the index of the first run.
class RecordedRuns : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RecordedRuns, EverySeedRunsAsRecorded) {
  if (std::getenv("ORCH_RECORD") != nullptr) {
    if (GetParam() == 0) write_record();
    return;
  }
  const std::vector<std::string> lines = recorded();
  ASSERT_EQ(lines.size(), kRuns) << record_path();
  std::size_t differ = 0;
  for (std::uint64_t i = GetParam(); i < GetParam() + kRunsInTest && differ < kShown; ++i) {
    const std::string now = line_of(kFirstSeed + i);
    if (now == lines[i]) continue;
    ++differ;
    ADD_FAILURE() << "recorded: " << lines[i] << "\nnow:      " << now;
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, RecordedRuns, testing::Range(std::uint64_t{0}, kRuns, kRunsInTest));

}  // namespace
}  // namespace orchestrator::sim
