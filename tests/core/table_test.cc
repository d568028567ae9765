// Every row of the core's tables is taken by some scenario; the report names those that are not.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <iostream>

#include "core/state/moves.h"
#include "core/state/phases.h"
#include "core/state/sessions.h"
#include "core/state/tasks.h"
#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

/// How often each row of a table was taken; a row that never was is a failure.
template <class Row, std::size_t N, class Same, class Name>
void report(const char* table, const std::array<Row, N>& rows, const std::vector<Row>& taken,
            Same same, Name name) {
  std::size_t missing = 0;
  for (const Row& row : rows) {
    const auto times =
        std::ranges::count_if(taken, [&](const Row& move) { return same(move, row); });
    if (times > 0) continue;
    missing += 1;
    ADD_FAILURE() << table << ": no scenario takes " << name(row);
  }
  std::cout << table << ": " << rows.size() << " rows, " << missing << " never taken, "
            << taken.size() << " moves\n";
}

template <std::size_t N>
void report_tasks(const char* table, const std::array<core::TaskMove, N>& rows,
                  const std::vector<core::TaskMove>& taken) {
  report(
      table, rows, taken,
      [](const core::TaskMove& a, const core::TaskMove& b) {
        return a.from == b.from && a.to == b.to;
      },
      [](const core::TaskMove& row) {
        return std::string(to_name(row.from)) + " -> " + std::string(to_name(row.to));
      });
}

TEST(Tables, EveryRowHasAScenario) {
  for (const Scenario& scenario : scenarios()) {
    SCOPED_TRACE(scenario.name);
    scenario.run();
  }
  const MovesMade& taken = taken_rows();
  report(
      "kPhaseMoves", core::kPhaseMoves, taken.phases,
      [](const core::PhaseMove& a, const core::PhaseMove& b) {
        return a.from == b.from && a.cause == b.cause && a.to == b.to;
      },
      [](const core::PhaseMove& row) {
        return std::string(to_name(row.from)) + " -> " + std::string(to_name(row.to)) +
               " by cause " + std::to_string(static_cast<int>(row.cause));
      });
  report_tasks("kTaskMoves", core::kTaskMoves, taken.tasks);
  report_tasks("kWordMoves", core::kWordMoves, taken.words);
  report(
      "kSessionMoves", core::kSessionMoves, taken.sessions,
      [](const core::SessionMove& a, const core::SessionMove& b) {
        return a.from == b.from && a.to == b.to;
      },
      [](const core::SessionMove& row) {
        return std::string(to_name(row.from)) + " -> " + std::string(to_name(row.to));
      });
}

}  // namespace
}  // namespace orchestrator::test
