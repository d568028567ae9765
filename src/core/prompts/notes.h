#pragma once

#include <string>

#include "orchestrator/mission.h"

/// Parts of cards and reports: each says one thing about a task, a session or the mission, and is
/// empty where there is nothing to say.
namespace orchestrator::core {

/// For people: that there are worktrees, or why there are none. Empty: they were not asked for.
[[nodiscard]] std::string worktrees_line(const State& state);
/// For a card: where its session works. Empty: in the project.
[[nodiscard]] std::string place_note(const State& state, const Task& task);
/// For a card: which strategy is this session's. Empty: none.
[[nodiscard]] std::string strategy_note(const State& state, const Task& task);
/// For its Worker: what was delegated so far, and what came of it. Empty: nothing was.
[[nodiscard]] std::string subtask_list(const State& state, const Task& task);
/// What a call that waited for the task returns: its state, summary, files and proofs.
[[nodiscard]] std::string result_text(const Task& task);
/// "the worker of T1": whose session it is.
[[nodiscard]] std::string owner_words(const Session& session);
/// For the Master Reviewer; empty: there is nothing to tell.
[[nodiscard]] std::string unattributed_list(const State& state);
/// "the worker of T1" that asks for a permission, by its session.
[[nodiscard]] std::string permission_asker(const State& state, const SessionId& id);
/// One line for each request, for people; empty where there is none.
[[nodiscard]] std::string permission_lines(const State& state);

}  // namespace orchestrator::core
