#pragma once

#include <string>

#include "orchestrator/mission.h"

/// Parts of cards and reports. Each describes one thing of a task, a session or the mission; empty
/// if it does not apply.
namespace orchestrator::core {

/// For people: that the mission uses worktrees, or why it cannot. Empty: the user did not ask for
/// them.
[[nodiscard]] std::string worktrees_line(const State& state);
/// For a card: the session's working directory. Empty: the project's.
[[nodiscard]] std::string place_note(const State& state, const Task& task);
/// For a card: the strategy of this entrant. Empty: no race.
[[nodiscard]] std::string strategy_note(const State& state, const Task& task);
/// For the task's Worker: the subtasks so far and their results. Empty: none.
[[nodiscard]] std::string subtask_list(const State& state, const Task& task);
/// Result of a call that waited for the task: its status, summary, files and proofs.
[[nodiscard]] std::string result_text(const Task& task);
/// Role and task of a session: "the worker of T1".
[[nodiscard]] std::string owner_words(const Session& session);
/// For the Master Reviewer: the unattributed changes. Empty: none.
[[nodiscard]] std::string unattributed_list(const State& state);
/// Role and task of the session that asks for a permission: "the worker of T1".
[[nodiscard]] std::string permission_asker(const State& state, const SessionId& id);
/// For people: one line for each permission request. Empty: none.
[[nodiscard]] std::string permission_lines(const State& state);

}  // namespace orchestrator::core
