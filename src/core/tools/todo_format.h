#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "orchestrator/event.h"
#include "orchestrator/mission.h"

/// `.opencode/todo.md`, there and back: `todo_markdown` (orchestrator/step.h) writes it, and what a
/// person has made of it is read here.
namespace orchestrator::core {

/// What stands in a todo.md.
struct TodoText {
  MissionId mission;  ///< whose it is; empty: its line is gone
  std::vector<TodoLine> lines;
};

/// Reads back what `todo_markdown` has written, and what a person may make of it: other bullets and
/// indentation, `[X]`, CRLF, prose between the lines. An Error says why a text is no todo list of
/// ours any more; nothing of such a text should be believed.
base::Result<TodoText> parse_todo(std::string_view text);

/// The lines that `todo_markdown` writes for this state.
[[nodiscard]] std::vector<TodoLine> todo_lines(const State& state);

}  // namespace orchestrator::core
