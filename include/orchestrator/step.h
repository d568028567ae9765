#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "orchestrator/effect.h"
#include "orchestrator/event.h"
#include "orchestrator/mission.h"

namespace orchestrator {

/// The core: applies one event to `state` and returns the effects to carry out. Uses no clock,
/// file, thread or randomness, so the same state and event always give the same result. A refused
/// call changes nothing but counters, and its `Reply` says what is wrong, where, and what to do.
/// Never throws. An event that does not fit the state (of an unknown session, of a completed
/// effect) is ignored, because hosts send events late, twice and out of order.
[[nodiscard]] Effects step(State& state, const Event& event);

/// Digest of one `step`: counters of the state after it, and the ids of its effects. It is logged
/// with each event, so that a replay that differs is noticed at once; the state's hash covers the
/// rest.
[[nodiscard]] std::uint32_t step_digest(const State& state, const Effects& effects);

/// Why `/task` must be refused in this state; empty: it may start. Called before its log is
/// created.
[[nodiscard]] std::string why_not_start(const State& state, const MissionRequested& request);

/// Why no mission can have this state: field and error, e.g. `tasks[3].id: T1 is used twice`;
/// empty: it is valid. A loader of a snapshot calls this; with a valid state `step` never fails.
[[nodiscard]] std::string validate_state(const State& state);

/// The vouched files of a session: globs, relative to the project, of the files whose content a
/// receipt of its commands is about.
[[nodiscard]] std::vector<std::string> vouched_files(const State& state, const SessionId& session);

/// The worktree that a session works in, absolute; empty: the project's own directory.
[[nodiscard]] std::string directory_of(const State& state, const SessionId& session);

/// Role of a session in the mission; `none` for every other session.
[[nodiscard]] Role role_of(const State& state, const SessionId& session);

/// Text for the system prompt beside the role's instructions: the session's card once the host has
/// compacted the conversation, else empty.
[[nodiscard]] std::string system_card(const State& state, const SessionId& session);

/// Why a child session may make no further model request: its mission or the session itself was
/// stopped. Empty: it may.
[[nodiscard]] std::string why_not_ask(const State& state, const Session& child);

/// Why a session may not write `path` (relative to the project; outside of it `path` starts with
/// `..` or `/`); empty: it may. `child`: the engine created this session, even if the state has
/// forgotten it, as it does with sessions that ended long ago.
[[nodiscard]] std::string why_not_write(const State& state, const SessionId& session,
                                        const std::string& path, bool child = false);

/// Progress in one line, e.g. `executing 3/7 · T2, T4 running`; at most 120 bytes.
[[nodiscard]] std::string progress_title(const State& state);
/// Status of the mission for models and people; at most 1 kB.
[[nodiscard]] std::string status_text(const State& state);
/// Answer of `list_tasks`: a line for each task, of one status or of all, at most 4 kB.
[[nodiscard]] std::string task_list_text(const State& state, std::optional<TaskStatus> status);
/// Text of `.opencode/todo.md`.
[[nodiscard]] std::string todo_markdown(const State& state);

}  // namespace orchestrator
