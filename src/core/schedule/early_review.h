#pragma once

#include "core/state/context.h"

/// `review.shadow: "file"`: a Reviewer looks at what is finished while the Worker still works. Its
/// findings are notes to the Worker and decide nothing; the review itself comes with the
/// submission, in the same session where that one is free.
///
/// A file is finished when its Worker writes another one. One first look for each attempt, in a
/// slot that nothing else waits for; it ends when something does.
namespace orchestrator::core {

/// The task's Worker has written a file: the ones before it are finished.
void on_worker_wrote(Context& ctx, Task& task, const std::string& path);

/// Ends first looks that have lost their task, and those whose slot is needed. Whether there were
/// any.
bool tidy_early_reviews(Context& ctx);

/// The session of a task's first look that may take its review, or none; one that still looks is
/// ended.
[[nodiscard]] Session* session_after_early_review(Context& ctx, const Task& task);

/// Gives a first look's findings to the Worker, if it still works.
void tell_worker(Context& ctx, const Task& task, const std::vector<Finding>& findings);

}  // namespace orchestrator::core
