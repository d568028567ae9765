#include "core/schedule/subtasks.h"

#include <algorithm>

#include "core/sessions/session_lifecycle.h"
#include "core/state/holders.h"
#include "core/state/tasks.h"

namespace orchestrator::core {

void drop_orphans(Context& ctx) {
  State& state = ctx.state;
  bool again = true;
  while (again) {  // the subtasks of a dropped subtask are next
    again = false;
    for (Task& task : state.tasks) {
      if (task.parent.empty() || is_settled(task.status)) continue;
      const Task* whole = find_task(state, task.parent);
      if (whole != nullptr && !is_settled(whole->status)) continue;
      drop_task(ctx, task,
                task.parent.value + ", whose subtask it is, is " +
                    (whole == nullptr ? "gone" : std::string(to_name(whole->status))));
      again = true;
    }
  }
}

void keep_subtask_claims(State& state) {
  for (const Task& part : state.tasks) {
    // An entrant's changes reach the project only if it wins: race.cc handles them.
    if (part.parent.empty() || is_in_work(part.status) || !part.race.strategy.empty()) continue;
    Task* whole = find_task(state, part.parent);
    if (whole == nullptr || is_settled(whole->status)) continue;
    if (!whole->worktree.commit.empty()) continue;  // its changed files are known from git
    for (const std::string& path : part.progress.touched) {
      if (holder_of(state, *whole, path) == nullptr) note_touched(*whole, path);
    }
  }
}

}  // namespace orchestrator::core
