// What a person writes into todo.md while a mission is there.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/support/fake_host.h"
#include "core/tools/todo_format.h"

namespace orchestrator::test {
namespace {

/// A mission of `plan` whose Workers hang until they are told otherwise; its first task runs.
struct Desk {
  FakeHost host;
  SessionId writer;  ///< whose command has written it, if it was no person
  explicit Desk(PlanArgs plan = diamond(), Options options = {}) {
    host.plan = std::move(plan);
    host.options = std::move(options);
    host.script(Role::worker, [](Turn& turn) { turn.hang(); });
    host.task_command("build it");
    host.run_until(
        [&] { return !host.started.empty() && !host.at(host.started[0].value).session.empty(); });
    host.run_for(500);
  }

  [[nodiscard]] std::string text() const { return todo_markdown(host.state); }

  /// The person saves `now`, having seen `before`.
  void save(const std::string& now, const std::string& before) {
    host.deliver(TodoEdited{core::parse_todo(now).value().lines,
                            core::parse_todo(before).value().lines, writer});
  }
  void save(const std::string& now) { save(now, text()); }

  /// The text with one part replaced.
  [[nodiscard]] std::string with(const std::string& part, const std::string& by) const {
    std::string now = text();
    const std::size_t at = now.find(part);
    EXPECT_NE(at, std::string::npos) << part << " is not in\n" << now;
    return at == std::string::npos ? now : now.replace(at, part.size(), by);
  }
  [[nodiscard]] std::string without_line_of(const std::string& id) const {
    std::string now = text();
    const std::size_t at = now.find("] " + id + " ") - 4;
    return now.erase(at, now.find('\n', at) - at + 1);
  }

  [[nodiscard]] TaskStatus status(const std::string& id) const { return host.at(id).status; }
  [[nodiscard]] std::string toast() const {
    return host.toasts.empty() ? "" : host.toasts.back().text;
  }

  void finish(Phase phase = Phase::sealed) {
    host.script(Role::worker, nullptr);
    for (const Session& session : std::vector<Session>(host.state.sessions)) {
      if (session.state == SessionState::working) host.deliver(SessionDeleted{session.id});
    }
    host.run();
    EXPECT_EQ(host.state.phase, phase) << status_text(host.state);
  }
};

MISSION_SCENARIO(TodoFile, AnUnchangedFileChangesNothing) {
  Desk desk;
  const std::string before = desk.text();
  const std::size_t toasts = desk.host.toasts.size();
  desk.save(before);
  desk.save("Prose.\n" + before + "\n\nMore prose.\n");
  EXPECT_EQ(desk.text(), before);
  EXPECT_EQ(desk.host.toasts.size(), toasts);
  desk.finish();
}

MISSION_SCENARIO(TodoFile, ANewLineBecomesATask) {
  Desk desk;
  desk.save(desk.text() +
            "- [ ] add a CSV export\n"
            "* [ ] T7 Write the docs (agent: WORKER; files: ./docs//a.md; deps: T1, T2)\n");
  EXPECT_EQ(desk.toast(), "todo.md: P1 is new, T7 is new");
  EXPECT_EQ(desk.host.at("P1").title, "add a CSV export");
  EXPECT_EQ(desk.status("P1"), TaskStatus::running);  // nothing holds it back
  const Task& docs = desk.host.at("T7");
  EXPECT_EQ(docs.title, "Write the docs");
  EXPECT_EQ(docs.agent, "worker");
  EXPECT_EQ(docs.files, std::vector<std::string>{"docs/a.md"});
  EXPECT_EQ(docs.deps, (std::vector<TaskId>{TaskId("T1"), TaskId("T2")}));
  desk.finish();
  EXPECT_EQ(desk.status("P1"), TaskStatus::done);
  EXPECT_EQ(desk.status("T7"), TaskStatus::done);
}

// Found by the fuzzer of step: a log may hold what no file does, and a snapshot of it was refused.
MISSION_SCENARIO(TodoFile, ATitleIsCutToOneLine) {
  Desk desk;
  TodoEdited edited{core::todo_lines(desk.host.state), core::todo_lines(desk.host.state), {}};
  edited.lines[0].title = "two\nlines";
  TodoLine added = edited.lines[0];
  added.id = TaskId("N1");
  added.title = "more\nlines";
  edited.lines.push_back(added);
  desk.host.deliver(edited);
  EXPECT_EQ(desk.host.at("T1").title, "two");
  EXPECT_EQ(desk.host.at("N1").title, "more");
  desk.finish();
}

MISSION_SCENARIO(TodoFile, ALineWithAnIdThatIsTakenGetsAnother) {
  Desk desk;
  const std::string before = desk.without_line_of("T6");
  // T6 came after the person had opened the file; its line is theirs, and T2's was copied.
  desk.save(before + "- [ ] T6 Mine\n- [ ] T2 Another\n- [ ] T2 Title of T2\n", before);
  EXPECT_EQ(desk.host.at("T6").title, "Title of T6");
  EXPECT_EQ(desk.host.at("T2").title, "Title of T2");
  EXPECT_EQ(desk.host.at("P1").title, "Mine");
  EXPECT_EQ(desk.host.at("P2").title, "Another");
  EXPECT_EQ(desk.host.state.tasks.size(), 8U);
  desk.finish();
}

MISSION_SCENARIO(TodoFile, ALineWithUnknownNamesIsBlockedUntilItIsCorrected) {
  Desk desk;
  desk.save(desk.text() + "- [ ] T7 Docs (deps: T9)\n- [ ] T8 Out (files: ../x)\n");
  EXPECT_EQ(desk.status("T7"), TaskStatus::blocked);
  EXPECT_TRUE(desk.host.at("T7").note.find("no task \"T9\"") != std::string::npos);
  EXPECT_TRUE(desk.host.at("T8").note.find("outside the project") != std::string::npos);
  EXPECT_TRUE(desk.toast().find("no task \"T9\"") != std::string::npos) << desk.toast();
  desk.save(desk.with("- [!] T7 Docs (agent: worker)", "- [ ] T7 Docs (deps: T1)"));
  EXPECT_EQ(desk.status("T7"), TaskStatus::pending);
  EXPECT_EQ(desk.host.at("T7").deps, std::vector<TaskId>{TaskId("T1")});
  desk.save(desk.without_line_of("T8"));
  desk.finish();
  EXPECT_EQ(desk.status("T7"), TaskStatus::done);
}

MISSION_SCENARIO(TodoFile, ATickedTaskIsAccepted) {
  Desk desk;
  const SessionId worker = desk.host.at("T1").session;
  desk.save(desk.with("[~] T1", "[x] T1"));
  EXPECT_EQ(desk.toast(), "todo.md: T1 is done: you accepted it");
  EXPECT_EQ(desk.status("T1"), TaskStatus::done);
  EXPECT_TRUE(desk.host.at("T1").review.accepted_manually);
  EXPECT_EQ(desk.host.aborted, std::vector<SessionId>{worker});
  EXPECT_TRUE(status_text(desk.host.state)
                  .find("T1 Title of T1: done – accepted by a person "
                        "in todo.md, without a review") != std::string::npos);
  EXPECT_EQ(desk.status("T2"), TaskStatus::running);  // what waited for it goes on
  desk.finish();
  EXPECT_EQ(desk.host.sessions_of(Role::reviewer, "T1"), 0U);
  EXPECT_TRUE(desk.host.at("T2").review.proved_by.size() == 1 &&
              desk.host.at("T1").review.proved_by.empty());
  EXPECT_TRUE(desk.host.told.back().find("T1 Title of T1: done – accepted by a person") !=
              std::string::npos);
}

MISSION_SCENARIO(TodoFile, AnEditByACommandOfTheMissionIsIgnored) {
  Desk desk;
  const std::string first = desk.host.started[0].value;
  desk.writer = desk.host.at(first).session;
  std::string now = desk.with("[~] " + first, "[x] " + first);
  now += "- [ ] N1 One more\n";
  desk.save(now);
  EXPECT_EQ(desk.status(first), TaskStatus::running);
  EXPECT_EQ(find_task(desk.host.state, TaskId("N1")), nullptr);
  EXPECT_NE(desk.toast().find("not by you"), std::string::npos) << desk.toast();
  ASSERT_EQ(desk.host.state.unattributed.size(), 1U);
  EXPECT_EQ(desk.host.state.unattributed[0].path, ".opencode/todo.md");
  desk.writer = {};
  desk.save(desk.with("[~] " + first, "[x] " + first));
  EXPECT_EQ(desk.status(first), TaskStatus::done);
}

MISSION_SCENARIO(TodoFile, ATickIsAcceptedInEveryStatus) {
  Desk desk(plan_of({task("T1"), task("T2"), task("T3"), task("T4"), task("T5", {"T4"}), task("T6"),
                     task("T7"), task("T8")}));
  FakeHost& host = desk.host;
  const auto set = [&](const std::string& id, TodoStatus status) {
    TodoArgs args;
    args.id = TaskId(id);
    args.status = status;
    host.deliver(TodoUpdated{RequestId("todo" + id), SessionId("root"), args, {}});
  };
  set("T6", TodoStatus::dropped);
  set("T7", TodoStatus::blocked);
  host.script(Role::reviewer, [](Turn& turn) { turn.hang(); });
  for (const char* id : {"T1", "T2", "T3"}) {  // their Reviewers and T4's Worker hold all slots
    WorkArgs work;
    work.summary = "did it";
    host.deliver(
        WorkSubmitted{RequestId(std::string("w") + id), host.at(id).session, work, {}, false, 0});
  }
  const auto tick = [&](TaskStatus status) {
    const auto it = std::find_if(host.state.tasks.begin(), host.state.tasks.end(),
                                 [&](const Task& one) { return one.status == status; });
    ASSERT_NE(it, host.state.tasks.end()) << "none is " << to_name(status);
    const std::string id = it->id.value;
    std::string now = desk.text();
    now[now.find("] " + id + " ") - 1] = 'x';
    desk.save(now);
    EXPECT_EQ(desk.status(id), TaskStatus::done) << id << " was " << to_name(status);
  };
  for (const TaskStatus status :
       {TaskStatus::pending, TaskStatus::ready, TaskStatus::blocked, TaskStatus::dropped}) {
    tick(status);
  }
  tick(TaskStatus::reviewing);
  tick(TaskStatus::running);
  host.script(Role::reviewer, nullptr);
  desk.finish();
}

MISSION_SCENARIO(TodoFile, ATickIsAcceptedBeforeTheReview) {
  Options options;
  options.review.shadow = ShadowReview::off;  // what is submitted waits for the other Worker
  Desk desk(plan_of({task("T1"), task("T2")}), options);
  FakeHost& host = desk.host;
  WorkArgs work;
  work.summary = "did it";
  host.deliver(WorkSubmitted{RequestId("w"), host.at("T1").session, work, {}, false, 0});
  ASSERT_EQ(desk.status("T1"), TaskStatus::submitted);
  desk.save(desk.with("[~] T1", "[x] T1"));
  EXPECT_EQ(desk.status("T1"), TaskStatus::done);
  desk.finish();
}

MISSION_SCENARIO(TodoFile, ATickIsAcceptedDuringRework) {
  Desk desk(plan_of({task("T1"), task("T2")}));
  FakeHost& host = desk.host;
  host.script(Role::reviewer, [](Turn& turn) { turn.reject("It is red"); });
  WorkArgs work;
  work.summary = "did it";
  host.deliver(WorkSubmitted{RequestId("w"), host.at("T1").session, work, {}, false, 0});
  // Its Worker's turn has yet to end, so the rework waits.
  host.run_until([&] { return host.at("T1").status == TaskStatus::rework; });
  desk.save(desk.with("[~] T1", "[x] T1"));
  EXPECT_EQ(desk.status("T1"), TaskStatus::done);
  host.script(Role::reviewer, nullptr);
  desk.finish();
}

MISSION_SCENARIO(TodoFile, ARemovedLineDropsItsTask) {
  Desk desk;
  desk.save(desk.without_line_of("T3"));
  EXPECT_EQ(desk.status("T3"), TaskStatus::dropped);
  EXPECT_EQ(desk.host.at("T3").note, "its line was removed from todo.md");
  EXPECT_EQ(desk.toast(), "todo.md: T3 is dropped");
  desk.save(desk.without_line_of("T1"));  // its Worker is at it
  EXPECT_EQ(desk.status("T1"), TaskStatus::dropped);
  EXPECT_EQ(desk.host.aborted.size(), 1U);
  desk.finish();
  EXPECT_EQ(desk.status("T5"), TaskStatus::done);
}

MISSION_SCENARIO(TodoFile, RemovingTheLineOfADoneTaskChangesNothing) {
  Desk desk;
  desk.save(desk.with("[~] T1", "[x] T1"));
  const std::size_t toasts = desk.host.toasts.size();
  desk.save(desk.without_line_of("T1"));
  EXPECT_EQ(desk.status("T1"), TaskStatus::done);
  EXPECT_EQ(desk.host.toasts.size(), toasts) << "people tidy up";
  desk.save(desk.with("[x] T1", "[ ] T1"));
  EXPECT_EQ(desk.status("T1"), TaskStatus::done);
  EXPECT_EQ(desk.toast(), "todo.md: T1 stays done");
  desk.save(desk.with("[x] T1", "[-] T1"));
  EXPECT_EQ(desk.status("T1"), TaskStatus::done);
  desk.finish();
}

MISSION_SCENARIO(TodoFile, MarksAndTitlesCanBeEdited) {
  Desk desk;
  desk.save(desk.with("[ ] T2", "[-] T2"));
  desk.save(desk.with("[ ] T3", "[!] T3"));
  desk.save(desk.with("Title of T4", "A better title"));
  desk.save(desk.with("Title of T6", ""));
  EXPECT_EQ(desk.status("T2"), TaskStatus::dropped);
  EXPECT_EQ(desk.status("T3"), TaskStatus::blocked);
  EXPECT_EQ(desk.host.at("T3").note, "blocked by a person in todo.md");
  EXPECT_EQ(desk.host.at("T4").title, "A better title");
  EXPECT_EQ(desk.host.at("T6").title, "Title of T6");
  desk.save(desk.with("[-] T2", "[ ] T2"));
  desk.save(desk.with("[!] T3", "[~] T3"));
  EXPECT_EQ(desk.status("T2"), TaskStatus::pending);
  EXPECT_EQ(desk.status("T3"), TaskStatus::pending);
  desk.save(desk.with("[~] T1", "[ ] T1"));  // that it runs is not the person's to say
  EXPECT_EQ(desk.status("T1"), TaskStatus::running);
  desk.save(desk.with("- [ ] T5 Title of T5 (agent: worker; files: src/T5.cc; deps: T2, T3)",
                      "- [ ] T5 Title of T5 (files: lib/**; deps: T4)"));
  EXPECT_EQ(desk.host.at("T5").files, std::vector<std::string>{"lib/**"});
  EXPECT_EQ(desk.host.at("T5").deps, std::vector<TaskId>{TaskId("T4")});
  desk.save(desk.with("files: lib/**; deps: T4", "files: lib/**; deps: T6"));  // a cycle
  EXPECT_TRUE(desk.toast().find("form a cycle") != std::string::npos) << desk.toast();
  desk.save(
      desk.with("T1 Title of T1 (agent: worker; files: src/T1.cc", "T1 Title of T1 (files: x"));
  EXPECT_EQ(desk.toast(), "todo.md: T1 is running, so its agent, files and deps stay");
  EXPECT_EQ(desk.host.at("T1").files, std::vector<std::string>{"src/T1.cc"});
  desk.finish();
}

MISSION_SCENARIO(TodoFile, AnEditOfAnOlderTextUndoesNothing) {
  Desk desk;
  const std::string old = desk.text();
  desk.save(desk.with("[~] T1", "[x] T1"));
  desk.host.run_for(10);
  EXPECT_EQ(desk.status("T2"), TaskStatus::running);
  // The person has had the file open all the while: T1 runs in it, T2 waits. They drop T4.
  std::string now = old;
  now.replace(now.find("[ ] T4"), 3, "[-]");
  desk.save(now, old);
  EXPECT_EQ(desk.status("T1"), TaskStatus::done);
  EXPECT_EQ(desk.status("T2"), TaskStatus::running);
  EXPECT_EQ(desk.status("T4"), TaskStatus::dropped);
  EXPECT_EQ(desk.toast(), "todo.md: T4 is dropped");
  desk.finish();
}

MISSION_SCENARIO(TodoFile, AnEditUnblocksTheMission) {
  Desk desk(plan_of({task("T1"), task("T2", {"T1"})}));
  desk.save(desk.with("[~] T1", "[!] T1"));
  EXPECT_EQ(desk.host.state.phase, Phase::blocked);
  desk.save(desk.text() + "- [ ] something else\n");
  EXPECT_EQ(desk.host.state.phase, Phase::executing);
  desk.save(desk.with("[!] T1", "[x] T1"));
  desk.finish();
  EXPECT_EQ(desk.status("P1"), TaskStatus::done);
}

MISSION_SCENARIO(TodoFile, TickingTheLastBlockedTaskStartsTheMasterReview) {
  Desk desk(plan_of({task("T1")}));
  desk.save(desk.with("[~] T1", "[!] T1"));
  EXPECT_EQ(desk.host.state.phase, Phase::blocked);
  desk.save(desk.with("[!] T1", "[x] T1"));
  EXPECT_EQ(desk.host.state.phase, Phase::integrating);
  desk.finish();
}

MISSION_SCENARIO(TodoFile, ATaskAddedDuringTheMasterReviewIsDoneFirst) {
  Desk desk(plan_of({task("T1")}));
  desk.host.script(Role::master_reviewer, [](Turn& turn) {
    if (turn.host.state.tasks.size() > 1) {
      turn.pass();
    } else {
      turn.hang();
    }
  });
  desk.save(desk.with("[~] T1", "[x] T1"));
  desk.host.run_for(500);
  EXPECT_EQ(desk.host.state.phase, Phase::integrating);
  desk.save(desk.text() + "- [x] P9 Tidied up by hand\n");
  EXPECT_EQ(desk.host.state.phase, Phase::integrating);  // nothing is to be done
  EXPECT_TRUE(desk.host.at("P9").review.accepted_manually);
  desk.save(desk.text() + "- [ ] one more thing\n- [-] never mind\n");
  EXPECT_EQ(desk.host.state.phase, Phase::executing);
  EXPECT_EQ(desk.host.state.tasks.size(), 3U);
  desk.finish();
  EXPECT_EQ(desk.host.sessions_of(Role::master_reviewer), 2U);
}

MISSION_SCENARIO(TodoFile, EditsCountDuringAPauseAndNotAfterTheEnd) {
  Desk desk(plan_of({task("T1"), task("T2", {"T1"})}));
  desk.host.stop("--pause");
  desk.save(desk.with("[~] T1", "[x] T1"));
  EXPECT_EQ(desk.host.state.phase, Phase::paused);
  EXPECT_EQ(desk.status("T1"), TaskStatus::done);
  desk.host.script(Role::worker, nullptr);
  desk.host.resume();
  desk.host.run();
  EXPECT_EQ(desk.host.state.phase, Phase::sealed);
  const std::string before = desk.text();
  desk.save(before + "- [ ] too late\n");
  EXPECT_EQ(desk.text(), before);
}

MISSION_SCENARIO(TodoFile, TheLimitOfTasksApplies) {
  FakeHost host;
  host.options.limits.tasks = 6;
  host.script(Role::worker, [](Turn& turn) { turn.hang(); });
  host.task_command("build it");
  host.run_until([&] { return !host.started.empty(); });
  const std::string text = todo_markdown(host.state);
  host.deliver(TodoEdited{core::parse_todo(text + "- [ ] a seventh\n").value().lines, {}, {}});
  EXPECT_EQ(host.state.tasks.size(), 6U);
  EXPECT_EQ(host.toasts.back().text,
            "todo.md: not added: \"a seventh\": 7 tasks, and the limit is 6: join small ones");
  host.stop();
}

MISSION_SCENARIO(TodoFile, ALineAddedBeforeThePlanIsNotTaken) {
  Desk desk(plan_of({task("T1"), task("T2")}));
  desk.save(desk.with("[~] T1", "[x] T1"));
  State& state = desk.host.state;
  EXPECT_EQ(state.phase, Phase::executing);
  desk.host.stop();
  FakeHost other;
  other.script(Role::planner, [](Turn& turn) { turn.hang(); });
  other.task_command("build it");
  other.run_until([&] { return other.state.phase == Phase::planning; });
  other.deliver(TodoEdited{{TodoLine{TaskId{}, TodoMark::open, "too early", "", {}, {}}}, {}, {}});
  EXPECT_TRUE(other.state.tasks.empty());
  EXPECT_EQ(other.toasts.back().text, "todo.md: \"too early\" not added: there is no plan yet");
  other.stop();
}

}  // namespace
}  // namespace orchestrator::test
