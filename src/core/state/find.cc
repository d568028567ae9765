#include <algorithm>

#include "orchestrator/mission.h"

/// Lookups in a state, declared in orchestrator/mission.h.
namespace orchestrator {

bool is_running(Phase phase) {
  return phase == Phase::briefing || phase == Phase::planning || phase == Phase::executing ||
         phase == Phase::integrating;
}

bool is_active(Phase phase) {
  return is_running(phase) || phase == Phase::blocked || phase == Phase::paused;
}

namespace {

// Not std::isalpha: its answer depends on the process's locale.
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Searches from the end: the live sessions are the newest ones.
template <class Sessions>
auto* newest_session(Sessions& sessions, const SessionId& id) {
  const auto it = std::find_if(sessions.rbegin(), sessions.rend(),
                               [&](const Session& session) { return session.id == id; });
  return id.empty() || it == sessions.rend() ? nullptr : &*it;
}

}  // namespace

bool valid_task_id(const std::string& id) {
  if (id.empty() || id.size() > 32 || !is_letter(id[0])) return false;
  return std::ranges::all_of(id, [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

Task* find_task(State& state, const TaskId& id) {
  const auto it = std::ranges::find(state.tasks, id, &Task::id);
  return it == state.tasks.end() ? nullptr : &*it;
}

const Task* find_task(const State& state, const TaskId& id) {
  const auto it = std::ranges::find(state.tasks, id, &Task::id);
  return it == state.tasks.end() ? nullptr : &*it;
}

Session* find_session(State& state, const SessionId& id) {
  return newest_session(state.sessions, id);
}

const Session* find_session(const State& state, const SessionId& id) {
  return newest_session(state.sessions, id);
}

}  // namespace orchestrator
