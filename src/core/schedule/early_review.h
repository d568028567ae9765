#pragma once

#include "core/state/context.h"

/// Early review (`review.shadow: "file"`): a Reviewer looks at finished files while the Worker
/// still works. Its findings are notes to the Worker and decide nothing; the review itself follows
/// the submission, in the same session if that is free.
///
/// A file is finished when its Worker writes another one. Each attempt has at most one early
/// review. It uses a slot that no task waits for, and ends when one does.
namespace orchestrator::core {

/// The task's Worker has written a file: its earlier files are finished.
void on_worker_wrote(Context& ctx, Task& task, const std::string& path);

/// Ends early reviews whose task no longer needs one or whose slot is needed; true if there were
/// any.
bool tidy_early_reviews(Context& ctx);

/// The session of a task's early review, if it can take the review itself; null: none. An early
/// review that still runs is ended.
[[nodiscard]] Session* session_after_early_review(Context& ctx, const Task& task);

/// Sends the findings of an early review to the Worker, if it still works.
void tell_worker(Context& ctx, const Task& task, const std::vector<Finding>& findings);

}  // namespace orchestrator::core
