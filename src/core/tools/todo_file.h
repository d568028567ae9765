#pragma once

#include "core/state/context.h"

namespace orchestrator::core {

/// A person has edited `.opencode/todo.md` while the mission is there. What they changed, compared
/// with what the engine had written, is done: new lines become tasks, a ticked line is accepted on
/// their word, a removed one is dropped. What they left alone stays as it is meanwhile. A mission
/// that is over is not touched.
void on_todo_edited(Context& ctx, const TodoEdited& event);

}  // namespace orchestrator::core
