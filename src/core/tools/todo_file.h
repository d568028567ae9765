#pragma once

#include "core/state/context.h"

namespace orchestrator::core {

/// A person has edited `.opencode/todo.md`. The differences to the text that the engine had written
/// are carried out: a new line becomes a task, a ticked task is accepted, a removed one is dropped.
/// Lines without a difference change nothing, even if the state has changed meanwhile. A mission
/// that is over is not changed.
void on(Context& ctx, const TodoEdited& event);

}  // namespace orchestrator::core
