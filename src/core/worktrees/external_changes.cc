#include "core/worktrees/external_changes.h"

#include <algorithm>

#include "base/path.h"
#include "core/state/checkouts.h"
#include "core/state/path_claims.h"
#include "core/state/tasks.h"

namespace orchestrator::core {
namespace {

constexpr std::size_t kUnattributedMax = 200;

/// The task to which a changed file is attributed; null: to none.
Task* task_behind(State& state, const FilesChanged& event, const std::string& path) {
  std::vector<Task*> ran;
  for (const SessionId& id : event.ran) {
    const Session* session = find_session(state, id);
    Task* task = session == nullptr || session->role != Role::worker
                     ? nullptr
                     : find_task(state, session->task);
    // A Worker in a worktree does not claim files of the project's directory.
    const bool here = task != nullptr && directory_of(state, task->id).empty();
    if (here && is_in_work(task->status)) ran.push_back(task);
  }
  const auto owner =
      std::ranges::find_if(ran, [&](const Task* task) { return claims(*task, path); });
  if (owner != ran.end()) return *owner;
  const bool held = std::ranges::any_of(
      state.tasks, [&](const Task& task) { return is_in_work(task.status) && claims(task, path); });
  // If a Reviewer ran a command too, the change may be the Reviewer's: attribute it to no task.
  return !held && ran.size() == 1 && event.ran.size() == 1 ? ran.front() : nullptr;
}

}  // namespace

void note_unattributed(Context& ctx, const FilesChanged& event, const std::string& path) {
  std::vector<UnattributedChange>& changes = ctx.state.unattributed;
  UnattributedChange change{path, event.ran.size() == 1 ? event.ran.front() : SessionId{},
                            ctx.now_ms};
  const auto known = std::ranges::find(changes, path, &UnattributedChange::path);
  if (known != changes.end()) {
    *known = std::move(change);
  } else if (changes.size() < kUnattributedMax) {
    changes.push_back(std::move(change));
  } else {
    ctx.state.unattributed_left_out += 1;
  }
}

void on(Context& ctx, const FilesChanged& event) {
  State& state = ctx.state;
  if (!is_active(state.phase)) return;
  for (const std::string& found : event.paths) {
    const std::string path = base::project_path(found);
    if (path.empty()) continue;
    if (Task* task = task_behind(state, event, path)) {
      note_touched(*task, path);
      std::erase_if(state.unattributed,
                    [&](const UnattributedChange& change) { return change.path == path; });
    } else {
      note_unattributed(ctx, event, path);
    }
  }
  state.unattributed_left_out += event.left_out;
}

}  // namespace orchestrator::core
