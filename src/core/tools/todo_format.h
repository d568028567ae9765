#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "orchestrator/event.h"
#include "orchestrator/mission.h"

/// Format of `.opencode/todo.md`: `todo_markdown` (orchestrator/step.h) writes it, and `parse_todo`
/// reads what a person made of it.
namespace orchestrator::core {

/// Content of a todo.md.
struct TodoText {
  MissionId mission;  ///< the mission named in its heading; empty: that line is gone
  std::vector<TodoLine> lines;
};

/// Reads the text of `todo_markdown` and the usual edits of people: other bullets and indentation,
/// `[X]`, CRLF, prose between the lines. An Error says why the text is no todo list of the engine
/// any more; then no line of it is used.
base::Result<TodoText> parse_todo(std::string_view text);

/// The lines that `todo_markdown` writes for this state.
[[nodiscard]] std::vector<TodoLine> todo_lines(const State& state);

}  // namespace orchestrator::core
