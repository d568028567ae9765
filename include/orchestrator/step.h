#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "orchestrator/effect.h"
#include "orchestrator/event.h"
#include "orchestrator/mission.h"

namespace orchestrator {

/// The whole engine as a function: moves `state` by one event and says what is to be done.
/// Knows no clock, file, thread or randomness; the same state and event always give the same
/// result. A call that must be refused changes nothing but counters, and its `Reply` says what is
/// wrong, where, and the mend. Never throws; an event that makes no sense (of an unknown session,
/// of an effect that is over) is ignored, because hosts send them late, twice and out of order.
[[nodiscard]] Effects step(State& state, const Event& event);

/// A cheap summary of what one `step` has come to: counters of the state after it, and which
/// effects it gave. It stands in the log beside each event, so that a replay that goes another way
/// is noticed at the first event that differs; what it does not see, the state's hash does.
[[nodiscard]] std::uint32_t step_digest(const State& state, const Effects& effects);

/// Why `/task` must be refused in this state, or nothing. Asked before a log is made for it.
[[nodiscard]] std::string why_not_start(const State& state, const MissionRequested& request);

/// Why no mission can be in this state, as a loader of foreign bytes must ask before it goes on
/// with them: field and fault, e.g. `tasks[3].id: T1 is used twice`; or nothing. What passes never
/// makes `step` fail.
[[nodiscard]] std::string validate_state(const State& state);

/// The files whose content a command of this session vouches for: globs, relative to the project.
[[nodiscard]] std::vector<std::string> vouched_files(const State& state, const SessionId& session);

/// The worktree that a session works in, absolute; empty: the project's own directory.
[[nodiscard]] std::string directory_of(const State& state, const SessionId& session);

/// A role that a session plays in the mission; `none` for every other session.
[[nodiscard]] Role role_of(const State& state, const SessionId& session);

/// What must stand in the system text of a session beside its role's instructions: nothing, or,
/// once the host has compacted its conversation, the card of what it is doing.
[[nodiscard]] std::string system_card(const State& state, const SessionId& session);

/// Why a child session may ask its model for nothing more: its mission was stopped, or it was told
/// to stop itself. Empty: it may.
[[nodiscard]] std::string why_not_ask(const State& state, const Session& child);

/// Why a session may not write `path` (relative to the project; starts with `..` or `/` when it is
/// outside), or nothing. `child`: the engine once made this session, though the state may have
/// forgotten it since, as it does with those that ended long ago.
[[nodiscard]] std::string why_not_write(const State& state, const SessionId& session,
                                        const std::string& path, bool child = false);

/// One line for a tool part, e.g. `executing 3/7 · T2, T4 running`; at most 120 bytes.
[[nodiscard]] std::string progress_title(const State& state);
/// At most 1 kB, for models and people.
[[nodiscard]] std::string status_text(const State& state);
/// `list_tasks`: a line each, of one status or of all, at most 4 kB.
[[nodiscard]] std::string task_list_text(const State& state, std::optional<TaskStatus> status);
/// `.opencode/todo.md`.
[[nodiscard]] std::string todo_markdown(const State& state);

}  // namespace orchestrator
