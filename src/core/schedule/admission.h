#pragma once

#include <string>
#include <vector>

#include "orchestrator/mission.h"

/// May a session begin for this task now? One question with one answer: yes, or what the task waits
/// for. The scheduler acts on it; `list_tasks` and a blocked mission's reason show it.
namespace orchestrator::core {

enum class Wait {
  none,        ///< a session may begin
  dependency,  ///< tasks that it depends on are not finished
  files,       ///< another task holds files of its claim
  race,        ///< its entrants do the work, or the race has yet to be prepared
  reviews,     ///< `review.shadow: "off"`: reviews wait until no Worker works
  collection,  ///< git has not collected its Worker's changes yet
  merge,       ///< its work is accepted and waits to be merged
  slot,        ///< all slots are taken
  starts,      ///< enough sessions of this role are being started already
  model,       ///< its model is at its limit, or cools down
  budget,      ///< the budget does not cover another answer now
  worktree,    ///< its worktree is not ready yet, or there is no room for one
};

struct Admission {
  Wait wait = Wait::none;
  std::vector<TaskId> tasks;  ///< of `dependency` and `files`: which ones, in plan order
};

/// Admission of a task that is pending or ready (for its Worker), submitted (for its Reviewer) or
/// in rework; a task that has passed its review waits for its merge; `none` for all others.
/// `now_ms` decides whether a model's cooldown is over. Reasons of the task itself are looked for
/// first: one that all tasks of a role share is named only if the task has none of its own.
[[nodiscard]] Admission admit(const State& state, TimeMs now_ms, const Task& task);

/// Whether this wait applies to every other task of the same role as well.
[[nodiscard]] constexpr bool is_shared(Wait wait) {
  return wait == Wait::slot || wait == Wait::starts || wait == Wait::model || wait == Wait::budget;
}

/// Whether the host should start one more session of this role now. A session that asks for leave
/// to spend has started.
[[nodiscard]] bool may_start(const State& state, Role role);

/// "waits for files of T1, T2"; empty for `none`.
[[nodiscard]] std::string wait_text(const Admission& admission);

}  // namespace orchestrator::core
