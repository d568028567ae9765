// The parser of todo.md, which people edit: any text is read or refused with a sentence, and what
// was read is the same after it is written and read again.
#include <set>

#include "codec/binary.h"
#include "core/tools/todo_format.h"
#include "fuzz/support/require.h"
#include "orchestrator/step.h"

namespace orchestrator::fuzz {
namespace {

TaskStatus status_of(TodoMark mark) {
  switch (mark) {
    case TodoMark::open:
      return TaskStatus::pending;
    case TodoMark::done:
      return TaskStatus::done;
    case TodoMark::running:
      return TaskStatus::running;
    case TodoMark::blocked:
      return TaskStatus::blocked;
    case TodoMark::dropped:
      return TaskStatus::dropped;
  }
  return TaskStatus::pending;
}

/// A mission whose todo.md has these lines, as far as tasks can be like them.
State state_of(const std::vector<TodoLine>& lines) {
  State state;
  state.mission = MissionId("m-fuzz");
  state.phase = Phase::executing;
  state.objective = "Build it";
  std::set<TaskId> ids;
  for (const TodoLine& line : lines) {
    if (!valid_task_id(line.id.value) || !ids.insert(line.id).second) continue;
    Task task;
    task.id = line.id;
    task.title = line.title;
    task.status = status_of(line.mark);
    task.agent = line.agent;
    task.files = line.files;
    task.deps = line.deps;
    state.tasks.push_back(std::move(task));
  }
  return state;
}

std::string bytes_of(const std::vector<TodoLine>& lines) {
  return codec::encode(TodoEdited{lines, {}, {}});
}

void edit(const std::vector<TodoLine>& lines) {
  State state;
  state.mission = MissionId("m-fuzz");
  state.root_session = SessionId("root");
  state.phase = Phase::executing;
  state.plan.agents = {"worker"};
  Task task;
  task.id = TaskId("T1");
  task.agent = "worker";
  state.tasks = {task};
  (void)step(state, Event{1, 1000, TodoEdited{lines, {}, {}}});
  const std::string why = validate_state(state);
  REQUIRE(why.empty(), why);
  REQUIRE(core::parse_todo(todo_markdown(state)).ok());
}

}  // namespace
}  // namespace orchestrator::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace orchestrator;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = core::parse_todo(text);
  if (!parsed.ok()) {
    REQUIRE(!parsed.error().what.empty());
    return 0;
  }
  const State state = fuzz::state_of(parsed.value().lines);
  if (!state.tasks.empty()) {
    const auto again = core::parse_todo(todo_markdown(state));
    REQUIRE(again.ok(), again.ok() ? "" : again.error().text());
    REQUIRE(fuzz::bytes_of(again.value().lines) == fuzz::bytes_of(core::todo_lines(state)),
            todo_markdown(state));
  }
  fuzz::edit(parsed.value().lines);
  return 0;
}
