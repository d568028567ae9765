// What a line of a mission's story says, and what of it may reach a terminal.
#include "runtime/history/mission_timeline.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace orchestrator::runtime {
namespace {

using std::string_literals::operator""s;

TEST(Printable, CommandsOfATerminalBecomeQuestionMarks) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", ""},
      {"a b~", "a b~"},                        // 0x20 and 0x7E are the first and last of ASCII
      {"\0|\x01|\t|\x1B|\x1F"s, "?|?|?|?|?"},  // C0
      {"a\r\nb", "a??b"},
      {"a\x7F", "a?"},
      {"\xC2\x7F|", "\xC2?|"},  // not of C1: DEL itself
      {"\xC2\x80|\xC2\x8D|\xC2\x9B|\xC2\x9F|", "?|?|?|?|"},
      {"\xC2\xA0|\xC2\xBF|", "\xC2\xA0|\xC2\xBF|"},
      {"\xC3\x80|\xC3\x9B|", "\xC3\x80|\xC3\x9B|"},
      // U+202A to U+202E, and their neighbours
      {"\xE2\x80\xA9|", "\xE2\x80\xA9|"},
      {"\xE2\x80\xAA|\xE2\x80\xAC|\xE2\x80\xAE|", "?|?|?|"},
      {"\xE2\x80\xAF|", "\xE2\x80\xAF|"},
      // U+2066 to U+2069, and their neighbours
      {"\xE2\x81\xA5|", "\xE2\x81\xA5|"},
      {"\xE2\x81\xA6|\xE2\x81\xA7|\xE2\x81\xA9|", "?|?|?|"},
      {"\xE2\x81\xAA|", "\xE2\x81\xAA|"},
      // Each of the two ranges with the other's second byte, and both with a third one.
      {"\xE2\x80\xA6|\xE2\x80\xA8|", "\xE2\x80\xA6|\xE2\x80\xA8|"},
      {"\xE2\x81\xAC|\xE2\x81\xAE|", "\xE2\x81\xAC|\xE2\x81\xAE|"},
      {"\xE2\x82\xAC|\xE2\x82\xA8|", "\xE2\x82\xAC|\xE2\x82\xA8|"},
      {"\xE3\x80\xAA|\xE1\x81\xA8|", "\xE3\x80\xAA|\xE1\x81\xA8|"},
      // Cut within a character: never a byte behind the end.
      {"\xC2", "\xC2"},
      {"\xE2", "\xE2"},
      {"\xE2\x80", "\xE2\x80"},
      {"\xE2\x81", "\xE2\x81"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(printable(text), expected) << ::testing::PrintToString(text);
    if (text.find('\n') == std::string::npos) {
      EXPECT_EQ(printable_lines(text), expected) << ::testing::PrintToString(text);
    }
  }
}

TEST(Printable, OnlyLineFeedsAreKeptWhereLinesAre) {
  EXPECT_EQ(printable("\na\n\nb\n"), "?a??b?");
  EXPECT_EQ(printable_lines("\na\n\r\tb\n"), "\na\n??b\n");
}

class TimelineTest : public ::testing::Test {
 protected:
  std::optional<TimelineEntry> tell(Happening what) {
    return timeline.next(Event{7, 1'000, std::move(what)}, state);
  }
  /// What it says beyond its name; "(no line)" where it has none.
  std::string said(Happening what) {
    const auto entry = tell(std::move(what));
    return entry ? entry->what : "(no line)";
  }

  State state;
  MissionTimeline timeline;
};

TEST_F(TimelineTest, EveryEventSaysWhatAReaderNeeds) {
  const std::vector<std::string> two = {"one", "another"};
  MissionRequested begun;
  begun.mission = MissionId{"m1"};
  begun.arguments = "Build it\nwell";
  EXPECT_EQ(said(begun), "mission m1: Build it");
  EXPECT_EQ(said(StopRequested{{}, SessionId{"s"}, "--pause"}), "--pause");
  EXPECT_EQ(said(ResumeRequested{{}, SessionId{"s"}, "", {}}), "from session s");
  EXPECT_EQ(said(ProcessStarted{HostMode::run}), "a new process, mode run");
  EXPECT_EQ(said(RunCalled{{}, {}, {}, {}}), "the mission is to be run");
  EXPECT_EQ(said(RunCalled{{}, {}, {}, {"one"}}),
            "the mission is to be run, refused for 1 mistake");
  EXPECT_EQ(said(RunCalled{{}, {}, {}, two}), "the mission is to be run, refused for 2 mistakes");

  PlanSubmitted plan;
  plan.args.summary = "Steps";
  EXPECT_EQ(said(plan), "0 tasks: Steps");
  plan.args.tasks.resize(1);
  plan.harvested = true;
  EXPECT_EQ(said(plan), "1 task: Steps (harvested)");
  plan.problems = two;
  EXPECT_EQ(said(plan), "1 task: Steps (harvested), refused for 2 mistakes");

  WorkSubmitted work;
  work.args.files = two;
  EXPECT_EQ(said(work), "2 files");
  work.harvested = true;
  work.problems = {"one"};
  EXPECT_EQ(said(work), "2 files (harvested), refused for 1 mistake");

  ReviewSubmitted review;
  EXPECT_EQ(said(review), "no verdict, 0 findings");
  review.args.verdict = Verdict::pass;
  review.args.findings.resize(1);
  review.harvested = true;
  review.problems = {"one"};
  EXPECT_EQ(said(review), "pass, 1 finding (harvested), refused for 1 mistake");

  TodoUpdated todo;
  todo.args.add.emplace();
  todo.args.add->id = TaskId{"T9"};
  EXPECT_EQ(said(todo), "new task T9");
  todo.args.id = TaskId{"T1"};
  EXPECT_EQ(said(todo), "T1, new task T9");
  todo.args.add.reset();
  todo.args.status = TodoStatus::retry;
  todo.problems = {"one"};
  EXPECT_EQ(said(todo), "T1 to retry, refused for 1 mistake");

  DelegateCalled part;
  part.args.title = "A part";
  EXPECT_EQ(said(part), "A part");
  part.problems = two;
  EXPECT_EQ(said(part), "A part, refused for 2 mistakes");
  CancelCalled cancel;
  cancel.args.task = TaskId{"T1"};
  EXPECT_EQ(said(cancel), "T1");
  cancel.problems = two;
  EXPECT_EQ(said(cancel), "T1, refused for 2 mistakes");

  CommandRan ran;
  ran.command = "npm test\nls";
  ran.exit_code = -1;
  EXPECT_EQ(said(ran), "exit -1: npm test");
  EXPECT_EQ(said(SessionCreated{1, SessionId{"s1"}}), "session s1");
  EXPECT_EQ(said(SessionDeleted{SessionId{"s1"}}), "session s1");
  EXPECT_EQ(said(EffectFailed{1, "no such model"}), "no such model");
  EXPECT_EQ(said(SessionErrored{SessionId{"s1"}, "APIError", "busy", 529}), "APIError: busy");
  EXPECT_EQ(said(SessionRetried{SessionId{"s1"}, "once more", 1, 2}), "once more");
  EXPECT_EQ(said(SessionsFound{1, std::vector<FoundSession>(1)}), "1 session found in the host");
  EXPECT_EQ(said(SessionsFound{1, {}}), "0 sessions found in the host");
  TodoEdited edited;
  edited.lines.resize(3);
  edited.before.resize(2);
  EXPECT_EQ(said(edited), "todo.md was edited: 3 lines");
  EXPECT_EQ(said(FilesChanged{two, 3, {}}), "5 files changed outside of the tools");
  EXPECT_EQ(said(FilesChanged{{"a"}, 0, {}}), "1 file changed outside of the tools");
  EXPECT_EQ(said(StorageFailed{"no space\nat all"}), "no space");
}

TEST_F(TimelineTest, AnAnswerOfGitSaysTheWorstOfIt) {
  WorktreesAnswered answer;
  EXPECT_EQ(said(answer), "done");
  answer.commit = "abc";
  EXPECT_EQ(said(answer), "commit abc");
  answer.paths = {"a", "b"};
  EXPECT_EQ(said(answer), "2 files");
  answer.directory = "/w";
  EXPECT_EQ(said(answer), "a worktree is ready");
  answer.refused = {"a: why"};
  EXPECT_EQ(said(answer), "1 file refused");
  answer.conflicts.resize(2);
  EXPECT_EQ(said(answer), "2 files in conflict");
  answer.problem = "no git";
  EXPECT_EQ(said(answer), "git: no git");
}

TEST_F(TimelineTest, TextsOfOthersAreClippedAt100Bytes) {
  const std::string fits(100, 'x');
  EXPECT_EQ(said(StorageFailed{fits}), fits);
  EXPECT_EQ(said(StorageFailed{fits + "y"}), std::string(97, 'x') + "…");
}

TEST_F(TimelineTest, AnEventThatMovesNothingAndSaysNothingHasNoLine) {
  EXPECT_EQ(said(PromptAccepted{1}), "(no line)");
  state.iteration = 2;
  const auto entry = tell(PromptAccepted{1});
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->moves, std::vector<std::string>{"iteration 2"});
  EXPECT_EQ(entry->what, "");
  EXPECT_EQ(said(PromptAccepted{1}), "(no line)") << "a move is listed once";
}

TEST_F(TimelineTest, MovesOfPhaseIterationAndTasksAreListedOnce) {
  const auto moves = [&] {
    const auto entry = tell(StorageFailed{"x"});
    return entry ? entry->moves : std::vector<std::string>{"(no line)"};
  };
  using Moves = std::vector<std::string>;
  EXPECT_EQ(moves(), Moves{});
  state.phase = Phase::planning;
  EXPECT_EQ(moves(), Moves{"none -> planning"});
  EXPECT_EQ(moves(), Moves{});
  state.phase = Phase::executing;
  state.reason = std::string(101, 'r');
  EXPECT_EQ(moves(), Moves{"planning -> executing (" + std::string(97, 'r') + "…)"});
  state.iteration = 3;
  state.tasks.resize(2);
  state.tasks[0].id = TaskId{"T1"};
  state.tasks[0].title = "One\nline";
  state.tasks[1].id = TaskId{"T2"};
  state.tasks[1].status = TaskStatus::ready;
  EXPECT_EQ(moves(), (Moves{"iteration 3", "T1 pending: One", "T2 ready: "}));
  EXPECT_EQ(moves(), Moves{});
  state.tasks[0].title = "Another";
  state.tasks[1].status = TaskStatus::running;
  EXPECT_EQ(moves(), Moves{"T2 ready -> running"});
  state.tasks[0].id = TaskId{"N1"};  // of a new plan
  EXPECT_EQ(moves(), Moves{"N1 pending: Another"});
  state.tasks.clear();
  EXPECT_EQ(moves(), Moves{});
}

TEST_F(TimelineTest, ALineNamesItsEventAndItsSession) {
  state.phase = Phase::executing;
  state.root_session = SessionId{"root"};
  state.sessions.resize(2);
  state.sessions[0].id = SessionId{"w"};
  state.sessions[0].role = Role::worker;
  state.sessions[0].task = TaskId{"T2"};
  state.sessions[1].id = SessionId{"p"};
  state.sessions[1].role = Role::planner;
  const auto by = [&](const char* session) {
    const auto entry = tell(StopRequested{{}, SessionId{session}, "--pause"});
    return entry ? entry->who : "(no line)";
  };
  const auto entry = tell(StopRequested{{}, SessionId{"w"}, "--pause"});
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->seq, 7U);
  EXPECT_EQ(entry->at_ms, 1'000U);
  EXPECT_EQ(entry->phase, "executing");
  EXPECT_EQ(entry->event, "stop_requested");
  EXPECT_EQ(by("w"), "worker T2");
  EXPECT_EQ(by("p"), "planner");
  EXPECT_EQ(by("root"), "commander");
  EXPECT_EQ(by("another"), "");
  EXPECT_EQ(tell(StorageFailed{"x"})->who, "") << "it has no session";
}

}  // namespace
}  // namespace orchestrator::runtime
