#include "runtime/history/receipt_chain.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "orchestrator/step.h"

namespace orchestrator::runtime {
namespace {

/// A log of runs, each linked to the one before.
std::vector<Event> chain(State state, int runs) {
  std::vector<Event> log;
  for (int i = 0; i < runs; ++i) {
    CommandRan ran{SessionId("ses"), "npm test", "", 0, "out" + std::to_string(i), "files"};
    ran.begun_hash = "files";
    const TimeMs at = 1000 + i;
    add_link(state, ran, at);
    log.push_back(Event{static_cast<std::uint64_t>(i + 1), at, ran});
    (void)step(state, log.back());
  }
  return log;
}

State mission(const char* name) {
  State state;
  state.mission = MissionId(name);
  return state;
}

/// The first thing that is wrong with it.
std::string problem_of(State state, const std::vector<Event>& log) {
  for (const Event& event : log) {
    std::string why = why_not_next_link(state, std::get<CommandRan>(event.what), event.at_ms);
    if (!why.empty()) return why;
    (void)step(state, event);
  }
  return "";
}

TEST(ReceiptChain, AnUnchangedChainIsValid) {
  EXPECT_EQ(problem_of(mission("m-a"), chain(mission("m-a"), 5)), "");
}

TEST(ReceiptChain, EveryFieldIsPartOfTheHash) {
  const std::vector<std::function<void(CommandRan&)>> forgeries = {
      [](CommandRan& r) { r.session = SessionId("other"); },
      [](CommandRan& r) { r.task = TaskId("T9"); },
      [](CommandRan& r) { r.command = "true"; },
      [](CommandRan& r) { r.workdir = "sub"; },
      [](CommandRan& r) { r.exit_code = 1; },
      [](CommandRan& r) { r.output_hash = "x"; },
      [](CommandRan& r) { r.begun_hash = "x"; },
      [](CommandRan& r) { r.files_hash = "x"; },
      [](CommandRan& r) { r.previous = "x"; },
      [](CommandRan& r) { r.chain_hash = "x"; },
      [](CommandRan& r) { r.chain_hash.clear(); },
  };
  for (std::size_t i = 0; i < forgeries.size(); ++i) {
    std::vector<Event> log = chain(mission("m-a"), 3);
    forgeries[i](std::get<CommandRan>(log[1].what));
    EXPECT_NE(problem_of(mission("m-a"), log), "") << "forgery " << i;
  }
  std::vector<Event> log = chain(mission("m-a"), 3);
  log[1].at_ms += 1;
  EXPECT_NE(problem_of(mission("m-a"), log), "") << "its time";
}

TEST(ReceiptChain, AMissingMovedOrForeignReceiptIsFound) {
  std::vector<Event> log = chain(mission("m-a"), 4);
  log.erase(log.begin() + 1);
  EXPECT_NE(problem_of(mission("m-a"), log).find("does not follow"), std::string::npos);
  log = chain(mission("m-a"), 4);
  std::swap(log[1], log[2]);
  EXPECT_NE(problem_of(mission("m-a"), log), "");
  EXPECT_NE(problem_of(mission("m-b"), chain(mission("m-a"), 4)), "");
}

TEST(ReceiptChain, AnOlderLogMayContinueWithAChain) {
  State state = mission("m-a");
  CommandRan old{SessionId("ses"), "make", "", 0, "", ""};
  EXPECT_EQ(why_not_next_link(state, old, 1), "");
  (void)step(state, Event{1, 1, old});
  EXPECT_EQ(problem_of(state, chain(state, 2)), "");
}

}  // namespace
}  // namespace orchestrator::runtime
