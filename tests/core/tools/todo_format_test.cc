// todo.md: what is written is read back exactly, and a person's hand does not spoil it.
#include "core/tools/todo_format.h"

#include <gtest/gtest.h>

#include <random>

#include "codec/binary.h"
#include "orchestrator/step.h"

namespace orchestrator::core {
namespace {

std::string bytes_of(const std::vector<TodoLine>& lines) {
  TodoEdited event;
  event.lines = lines;
  return codec::encode(event);
}

State state_of(std::vector<Task> tasks) {
  State state;
  state.mission = MissionId("m-one");
  state.phase = Phase::executing;
  state.objective = "Build it";
  state.tasks = std::move(tasks);
  return state;
}

Task task_of(const std::string& id, const std::string& title, TaskStatus status) {
  Task task;
  task.id = TaskId(id);
  task.title = title;
  task.agent = "worker";
  task.status = status;
  return task;
}

const std::string kHead = "# Build it\n\nMission m-one, executing, iteration 1\n\n";

std::vector<TodoLine> lines_of(const std::string& text) {
  auto parsed = parse_todo(kHead + text);
  EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error().text());
  return parsed.ok() ? parsed.value().lines : std::vector<TodoLine>{};
}

TEST(TodoFormat, IsWrittenAsTheContractRequires) {
  Task first = task_of("T1", "Title", TaskStatus::reviewing);
  first.files = {"src/{a,b}.cc", "docs/**"};
  Task second = task_of("T2", "Other", TaskStatus::done);
  second.deps = {TaskId("T1"), TaskId("T0")};
  EXPECT_EQ(todo_markdown(state_of({first, second})),
            kHead +
                "- [~] T1 Title (agent: worker; files: src/{a,b}.cc, docs/**)\n"
                "- [x] T2 Other (agent: worker; deps: T1, T0)\n");
}

/// Pieces that could be mistaken for something else.
std::string random_text(std::mt19937_64& random, std::size_t pieces) {
  static const char* const kPieces[] = {
      "a",     "T1", "src/x", " (agent: ", " (files: ", ")",          "; deps: ", ", ",
      "\"",    "\\", "{",     "}",         "[x] ",      "- ",         "# ",       ":",
      "(",     " ",  "\t",    "\x01",      "\r",        "\xC3\xA9",   "…",        "\x7f",
      "\\x41", "~",  "*",     ",",         ";",         "Mission m, "};
  std::string text;
  for (std::size_t i = random() % (pieces + 1); i > 0; --i) text += kPieces[random() % 30];
  return text;
}

TEST(TodoFormat, EveryStateIsReadBackAsItWasWritten) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 3000; ++round) {
    std::vector<Task> tasks;
    for (std::size_t i = 1 + random() % 5; i > 0; --i) {
      Task task = task_of("T" + std::to_string(i), random_text(random, 6),
                          static_cast<TaskStatus>(random() % 9));
      task.agent = random() % 2 == 0 ? "worker" : random_text(random, 2);
      for (std::size_t k = random() % 4; k > 0; --k) {
        task.files.push_back(random() % 2 == 0 ? "src/**" : random_text(random, 4));
      }
      for (std::size_t k = random() % 3; k > 0; --k)
        task.deps.emplace_back("T" + std::to_string(k));
      tasks.push_back(std::move(task));
    }
    State state = state_of(std::move(tasks));
    state.objective = random_text(random, 4);
    const std::string text = todo_markdown(state);
    const auto parsed = parse_todo(text);
    ASSERT_TRUE(parsed.ok()) << parsed.error().text() << "\n" << text;
    ASSERT_EQ(parsed.value().mission, state.mission);
    ASSERT_EQ(bytes_of(parsed.value().lines), bytes_of(todo_lines(state))) << text;
  }
}

TEST(TodoFormat, ATitleOfOneLineWithoutControlCharactersIsKeptToTheByte) {
  const std::string title = "Fix (agent: x) and [y], \"z\"; deps: T9 – Ünï";
  EXPECT_EQ(todo_lines(state_of({task_of("T1", title, TaskStatus::ready)}))[0].title, title);
}

TEST(TodoFormat, EditsOfPeopleAreRead) {
  const auto lines = lines_of(
      "Some prose.\r\n"
      "  * [X] T1 Title (agent: worker)\r\n"
      "\t+ [] T2 Second\r\n"
      "- [ ]  add a CSV export\n"
      "- [link](https://example.org) is no task\n"
      "- a plain item\n"
      "- [ ]\n"
      "1. [ ] numbered\n"
      "   - [!] T3 Third (files: a.cc,b.cc ; deps: T1,T2)");
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0].id.value, "T1");
  EXPECT_EQ(lines[0].mark, TodoMark::done);
  EXPECT_EQ(lines[0].agent, "worker");
  EXPECT_EQ(lines[1].mark, TodoMark::open);
  EXPECT_EQ(lines[1].title, "Second");
  EXPECT_EQ(lines[2].id.value + " " + lines[2].title, "add a CSV export");
  EXPECT_EQ(lines[3].mark, TodoMark::blocked);
  EXPECT_EQ(lines[3].title, "Third");
  EXPECT_EQ(lines[3].files, (std::vector<std::string>{"a.cc", "b.cc"}));
  EXPECT_EQ(lines[3].deps, (std::vector<TaskId>{TaskId("T1"), TaskId("T2")}));
}

TEST(TodoFormat, AnEmptyKeyOfACardIsTakenAsNothing) {
  const auto lines = lines_of(
      "- [ ] T1 First (agent: ; files: a.cc)\n"
      "- [ ] T2 Second (agent: worker; files: ; deps: )\n"
      "- [ ] T3 Third (agent: , ; deps: T1, ,T2)\n"
      "- [ ] T4 Fourth (agent: worker, other; files: a.cc)\n");
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0].agent, "");
  EXPECT_EQ(lines[0].files, std::vector<std::string>{"a.cc"});
  EXPECT_EQ(lines[1].agent, "worker");
  EXPECT_TRUE(lines[1].files.empty() && lines[1].deps.empty());
  EXPECT_EQ(lines[2].agent, "");
  EXPECT_EQ(lines[2].deps, (std::vector<TaskId>{TaskId("T1"), TaskId("T2")}));
  EXPECT_EQ(lines[3].agent, "worker");
}

TEST(TodoFormat, QuotedItemsHaveEscapes) {
  const auto files = [](const std::string& quoted) {
    const auto lines = lines_of("- [ ] T1 First (files: " + quoted + ")\n");
    return lines.size() == 1 ? lines[0].files : std::vector<std::string>{};
  };
  const std::vector<std::pair<const char*, const char*>> rows{
      {R"("a b")", "a b"},    {R"("a,b")", "a,b"},    {R"("a\"b")", "a\"b"},
      {R"("a\\b")", "a\\b"},  {R"("a\x29")", "a)"},   {R"("\x0a\x7f")", "\n\x7f"},
      {R"("\xc3\xa4")", "ä"}, {R"("a\x4")", "ax4"},   {R"("a\x")", "ax"},
      {R"("a\xZ4")", "axZ4"}, {R"("a\x4Z")", "ax4Z"}, {R"("a\xAB")", "axAB"},
      {R"("a\x!4")", "ax!4"}, {R"("a\x4!")", "ax4!"}, {R"("a\xg0")", "axg0"},
      {R"("a\x`0")", "ax`0"}, {R"("a\x:0")", "ax:0"}, {R"("a\n")", "an"},
  };
  for (const auto& [quoted, item] : rows)
    EXPECT_EQ(files(quoted), std::vector<std::string>{item}) << quoted;
}

TEST(TodoFormat, ParenthesesInATitleAreNoCard) {
  const auto lines = lines_of("- [ ] T1 Fix it (see notes)\n- [ ] T2 Calls (files: many) of it\n");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].title, "Fix it (see notes)");
  EXPECT_EQ(lines[1].title, "Calls (files: many) of it");
}

std::string problem(const std::string& text) {
  const auto parsed = parse_todo(text);
  return parsed.ok() ? "taken" : parsed.error().text();
}

TEST(TodoFormat, ATextThatIsNoTodoListSaysWhy) {
  const std::string line = "- [ ] T1 Title\n";
  const std::string anew = " (the engine restores it)";
  EXPECT_EQ(problem(kHead + line), "taken");
  EXPECT_EQ(problem("\xEF\xBB\xBF" + kHead + line), "taken");
  EXPECT_EQ(problem(line), "todo.md: has lost its heading" + anew);
  EXPECT_EQ(problem(""), "todo.md: has lost its heading" + anew);
  EXPECT_EQ(problem(kHead), "todo.md: has no task line left (/stop ends a mission)" + anew);
  EXPECT_EQ(problem(kHead + line + std::string(1, '\0')), "todo.md: holds NUL bytes" + anew);
  EXPECT_EQ(problem(kHead + line + "\xC3("), "todo.md: is not UTF-8" + anew);
  EXPECT_EQ(problem(kHead + line + "\xC3"), "todo.md: is not UTF-8" + anew);
  EXPECT_EQ(problem(kHead + std::string(1U << 20U, 'a')), "todo.md: is over 1 MiB long" + anew);
  EXPECT_EQ(problem(kHead + line + "- [?] T2 Other\n"),
            "todo.md:6: \"[?]\" is no mark; there are [ ], [x] done, [~] running, [!] blocked and "
            "[-] dropped" +
                anew);
  std::string many = kHead;
  for (int i = 0; i < 2001; ++i) many += line;
  EXPECT_EQ(problem(many), "todo.md: has over 2000 task lines" + anew);
}

TEST(TodoFormat, TheListOfAnotherMissionIsRecognised) {
  const auto parsed = parse_todo("# Old\n\nMission m-two, sealed, iteration 3\n\n- [ ] T1 Title\n");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed.value().mission.value, "m-two");
}

}  // namespace
}  // namespace orchestrator::core
