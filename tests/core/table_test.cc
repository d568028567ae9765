// Every row of the two transition tables is taken by some scenario.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

TEST(Tables, NoRowIsWithoutAScenario) {
  for (const Scenario& scenario : scenarios()) {
    SCOPED_TRACE(scenario.name);
    scenario.run();
  }
  const Trace& taken = taken_rows();
  for (const core::PhaseMove& row : core::kPhaseMoves) {
    EXPECT_TRUE(std::ranges::any_of(taken.phases,
                                    [&](const core::PhaseMove& move) {
                                      return move.from == row.from && move.cause == row.cause &&
                                             move.to == row.to;
                                    }))
        << to_name(row.from) << " -> " << to_name(row.to) << " by cause "
        << static_cast<int>(row.cause);
  }
  for (const core::TaskMove& row : core::kTaskMoves) {
    EXPECT_TRUE(std::ranges::any_of(
        taken.tasks,
        [&](const core::TaskMove& move) { return move.from == row.from && move.to == row.to; }))
        << to_name(row.from) << " -> " << to_name(row.to);
  }
}

}  // namespace
}  // namespace orchestrator::test
