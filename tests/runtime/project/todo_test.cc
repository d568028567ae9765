// A person's hand in .opencode/todo.md, on a real disk.
#include "runtime/support/damage_story.h"

namespace orchestrator::runtime {
namespace {

class TodoFileTest : public DamageTest {
 protected:
  static constexpr const char* kTodo = ".opencode/todo.md";

  void begin_and_show() {
    begin();
    turn_timers();
  }
  /// As an editor saves; then something happens, and the time passes in which a file settles.
  void edit(const std::string& text) {
    overwrite(kTodo, text);
    say({{"type", "turn_started"}, {"session", "reviewer"}});
    outbox.clock_ms += 200;
    turn_timers();
    turn_timers();
  }
  [[nodiscard]] json task(const std::string& id) const {
    const json state = snapshot();
    for (const json& one : state["tasks"]) {
      if (one["id"] == id) return one;
    }
    return nullptr;
  }
};

TEST_F(TodoFileTest, AnEditIsTakenAndTheFileIsWrittenAgain) {
  begin_and_show();
  const std::string before = read(kTodo);
  EXPECT_NE(before.find("- [~] T1 One (agent: worker; files: src/**)"), std::string::npos);
  edit("Notes.\n" + before + "- [ ] add a CSV export\n");
  EXPECT_EQ(task("P1")["title"], "add a CSV export");
  expect_told("todo.md: P1 is new");
  EXPECT_NE(read(kTodo).find(" P1 add a CSV export (agent: worker)"), std::string::npos);
  EXPECT_EQ(read(kTodo).find("Notes."), std::string::npos);
  edit(read(kTodo).replace(read(kTodo).find("[~] T1"), 3, "[x]"));
  EXPECT_EQ(task("T1")["status"], "done");
  EXPECT_EQ(task("T1")["review"]["accepted_manually"], true);
  expect_log_tells_all();
}

TEST_F(TodoFileTest, AnEditByACommandOfTheMissionIsIgnored) {
  begin_and_show();
  const std::string before = read(kTodo);
  const std::string ticked = std::string(before).replace(before.find("[~] T1"), 3, "[x]");
  const std::string command = "sed -i 's/.~. T1/[x] T1/' .opencode/todo.md";
  // While it runs, and when it has just ended.
  ask({{"type", "command_asked"}, {"session", "reviewer"}, {"call", "c1"}, {"command", command}});
  edit(ticked);
  EXPECT_NE(task("T1")["status"], "done");
  EXPECT_EQ(read(kTodo), before);
  say({{"type", "command_ran"},
       {"session", "reviewer"},
       {"call", "c1"},
       {"command", command},
       {"workdir", ""},
       {"exit_code", 0},
       {"output", ""}});
  edit(ticked);
  EXPECT_NE(task("T1")["status"], "done");
  expect_told("not by you");
  EXPECT_EQ(snapshot()["unattributed"][0]["path"], ".opencode/todo.md");
  outbox.clock_ms += 10'000;
  edit(ticked);
  EXPECT_EQ(task("T1")["status"], "done") << "a person, later";
}

TEST_F(TodoFileTest, NotesBetweenTheLinesAreNoEdit) {
  begin_and_show();
  const json state = snapshot();
  edit("Notes.\n" + read(kTodo));
  EXPECT_EQ(read(kTodo).substr(0, 6), "Notes.");
  EXPECT_EQ(snapshot()["last_seq"], state["last_seq"].get<int>() + 1);  // the turn that began
}

TEST_F(TodoFileTest, AFileThatIsBeingWrittenIsWaitedFor) {
  begin_and_show();
  const std::string before = read(kTodo);
  overwrite(kTodo, "");  // the editor has emptied it
  say({{"type", "turn_started"}, {"session", "reviewer"}});
  EXPECT_EQ(read(kTodo), "");
  overwrite(kTodo, before + "- [ ] more\n");
  turn_timers();
  EXPECT_EQ(task("P1"), nullptr);  // it has only just changed once more
  outbox.clock_ms += 200;
  turn_timers();
  turn_timers();
  EXPECT_EQ(task("P1")["title"], "more");
  EXPECT_TRUE(kept_aside().empty());
}

TEST_F(TodoFileTest, AFileThatIsNoTodoListIsSetAsideAndWrittenAgain) {
  begin_and_show();
  const std::string before = read(kTodo);
  edit("my shopping list\n");
  EXPECT_EQ(read(kTodo), before);
  ASSERT_EQ(kept_aside().size(), 1U);
  EXPECT_EQ(kept_aside()[0].substr(0, 16), "todo.md.damaged-");
  expect_told("todo.md: has lost its heading (the engine restores it); the old text is kept as " +
              kept_aside()[0]);
  EXPECT_EQ(task("T1")["status"], "reviewing");
}

TEST_F(TodoFileTest, TheListOfAnotherMissionIsNotTaken) {
  begin_and_show();
  const std::string before = read(kTodo);
  std::string other = before;
  other.replace(other.find(mission), mission.size(), "m-other");
  edit(other.replace(other.find("[~] T1"), 3, "[x]"));
  EXPECT_EQ(task("T1")["status"], "reviewing");
  EXPECT_EQ(read(kTodo), before);
  expect_told("todo.md: is of mission m-other, not of " + mission);
}

TEST_F(TodoFileTest, ARemovedFileRemovesNoTask) {
  begin_and_show();
  const std::string before = read(kTodo);
  fs::remove(root() + "/" + kTodo);
  say({{"type", "turn_started"}, {"session", "reviewer"}});
  outbox.clock_ms += 200;
  turn_timers();
  EXPECT_EQ(read(kTodo), before);
  EXPECT_EQ(task("T1")["status"], "reviewing");
}

TEST_F(TodoFileTest, AnEditOfAnOlderTextUndoesNothing) {
  begin_and_show();
  const std::string old = read(kTodo);
  expect_passes();  // T1 is done meanwhile
  edit(old + "- [ ] more\n");
  // The person's text still says that T1 runs, which is what the engine had told them.
  EXPECT_EQ(task("T1")["status"], "done");
  EXPECT_EQ(task("P1")["title"], "more");
}

}  // namespace
}  // namespace orchestrator::runtime
