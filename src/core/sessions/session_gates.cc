#include <string>

#include "base/path.h"
#include "base/text.h"
#include "core/state/checkouts.h"
#include "core/state/holders.h"
#include "core/state/path_claims.h"
#include "orchestrator/step.h"

/// What the host asks before it lets a session of the mission write a file or ask its model.
namespace orchestrator {
namespace {

/// What a person reads at the end of a turn that its submission has ended.
std::string handed_in_text(const Session& child) {
  const std::string head = "Submitted. ";
  switch (child.role) {
    case Role::planner:
      return head + "The plan is taken, and this session is done.";
    case Role::worker:
      return head + "This session waits for its review.";
    case Role::reviewer:
      return child.lease.early_review ? head + "This session waits for the whole work."
                                      : head + "The review is taken, and this session is done.";
    case Role::master_reviewer:
      return head + "The review of the whole is taken, and this session is done.";
    case Role::commander:
    case Role::none:
      break;
  }
  return head + "This session is done.";
}

}  // namespace

std::string why_not_ask(const State& state, const Session& child) {
  const bool stopped = state.phase == Phase::paused || state.phase == Phase::cancelled ||
                       state.phase == Phase::failed;
  // Once the mission has stopped running and the turn has ended, a person may use the session
  // again.
  const bool handed_in =
      child.lease.submitted && (is_running(state.phase) || child.state == SessionState::closing);
  if (handed_in && !stopped) return handed_in_text(child);
  if (!stopped && !child.turn.aborting) return "";
  return "Mission " + state.mission.value + " is " +
         (stopped ? std::string(to_name(state.phase)) : "done with this session") +
         ": its model is asked for nothing more.";
}

std::string why_not_write(const State& state, const SessionId& session, const std::string& path,
                          bool was_child) {
  const bool ours = is_active(state.phase) && (session == state.root_session || was_child ||
                                               find_session(state, session) != nullptr);
  if (ours && core::is_reserved_path(base::project_path(path))) {
    return "Write refused: " + base::clip(path, 200) +
           " is kept by the mission's engine or by git. Only the Commander and the user "
           "change the plan; leave these files alone.";
  }
  const Session* child = find_session(state, session);
  std::string over = "Write refused: this session's part in mission " + state.mission.value +
                     " is over; end your turn.";
  if (child != nullptr && child->turn.aborting) return over;  // also of a mission that was stopped
  if (!is_active(state.phase)) return "";
  if (child == nullptr) return was_child && session != state.root_session ? over : "";
  const std::string clean = base::project_path(path);
  if (clean.empty()) {
    return "Write refused: " + base::clip(path, 200) +
           " is outside the project; write inside its directory.";
  }
  if (child->state == SessionState::ended) return over;
  if (child->role == Role::worker && child->lease.submitted) {
    return "Write refused: " + child->task.value +
           " is handed in and being judged as it is. End your turn; if something is found, it "
           "comes back to you.";
  }
  // In a worktree of its own no other task's claim counts: the merge brings together what collides.
  if (!core::directory_of(state, child->task).empty()) return "";
  const Task no_task;
  const Task* own = find_task(state, child->task);
  const Task* holder = core::holder_of(state, own == nullptr ? no_task : *own, clean);
  if (holder == nullptr) return "";
  return "Write refused: " + clean + " belongs to task " + holder->id.value + " (" +
         base::clip(holder->title, 80) + "), which is " + std::string(to_name(holder->status)) +
         " now. Leave it; say in your submission what it should change, or do your part without "
         "it.";
}

}  // namespace orchestrator
