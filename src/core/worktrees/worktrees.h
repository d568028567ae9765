#pragma once

#include <string>

#include "core/state/context.h"

/// Isolation `worktree` (docs/design/worktrees.md): each task has a git worktree for its sessions and
/// those of its parts; what is accepted is merged, one task after the other, and brought into the
/// project's files; what conflicts becomes a task. All follows from the state, so what a crash has
/// cut off is asked for again.
namespace orchestrator::core {

/// There are worktrees: they were asked for, or a task is raced, and git has not said that there
/// can be none.
[[nodiscard]] bool is_isolated(const State& state);
/// Whether this task (a root, see below) has a worktree: all do where the user wants it, else the
/// runs of a race and what solves their conflicts.
[[nodiscard]] bool works_apart(const State& state, const Task& root);
/// A mission begins whose user wants worktrees.
void begin_isolation(Context& ctx);

/// The task whose worktree this one's sessions work in: itself, or the one that it is a part of. A
/// run of a race is a root.
[[nodiscard]] const Task& root_of(const State& state, const Task& task);
/// Where the sessions of a task work, or the project (empty).
[[nodiscard]] std::string directory_of(const State& state, const TaskId& task);
/// Whether the sessions of a task may work now, as far as their directory is concerned. Where its
/// worktree is not there yet, it is asked for. The host opens one worktree after the other: each
/// costs its one thread seconds, and side by side the first would begin with the last.
[[nodiscard]] bool has_place(Context& ctx, const Task& task);
/// The host has begun a turn in the worktree of this session's task, if it has one.
void note_opened(Context& ctx, const Session& session);
/// Whether it has a worktree, or there is room for one.
[[nodiscard]] bool may_have_place(const State& state, const Task& task);
/// Something is being done with a worktree, or is about to be: there may be room for another soon.
[[nodiscard]] bool worktrees_move(const State& state);
/// What the Worker has made is known, or need not be.
[[nodiscard]] bool is_collected(const State& state, const Task& task);

/// It has passed its review. True: it is done when it is merged.
[[nodiscard]] bool awaits_merge(Context& ctx, Task& task);
/// A person says that it is done: what its worktree holds by now is merged as well.
void keep_work(State& state, Task& task);
/// The race of this ready task is to begin: asks for the snapshot that its runs begin with, unless
/// git is busy; it is asked for again then.
void prepare_race(Context& ctx, const Task& task);

/// A new plan comes: its tasks do not begin with what those that it replaces have left.
void leave_worktrees(State& state);

/// Asks git for what is due: the check, the first snapshot, submitted work, the next merge.
void drive_isolation(Context& ctx);
/// Lets worktrees go that nobody needs; also when the mission is over.
void drop_worktrees(Context& ctx);
/// Whether the timer was one of these.
bool on_tree_timer(Context& ctx, TimerId timer);
/// A mission that is over has something in git yet.
[[nodiscard]] bool leaves_worktrees(const State& state);
/// Nothing that was asked is in flight any more.
void forget_tree_calls(State& state);

void on_worktrees_answered(Context& ctx, const WorktreesAnswered& event);
/// Also where the host could not. Whether it was asked for.
bool on_directory_disposed(Context& ctx, EffectId effect);

/// Of one git call, and of one merge that somebody else's writing has spoilt.
inline constexpr std::uint32_t kTreeTriesMax = 3;
/// Asks git; the answer comes as `WorktreesAnswered`.
EffectId ask_git(Context& ctx, TreeCall call, const std::string& name = "",
                 const std::string& from = "", const std::string& to = "", const TaskId& task = {});
/// Asks git for this worktree, from its base.
void ask_for_tree(Context& ctx, Worktree& tree);
/// The host may begin to work in it: it has its instance there, or is bringing up no other one. A
/// task waits for no spare.
[[nodiscard]] bool may_open(const State& state, const Worktree& tree);
/// The task cannot go on; what it has made stays where it can be found.
void block_for_git(Context& ctx, Task& task, const std::string& why);

/// For people: that there are worktrees, or why there are none. Empty: nobody asked for them.
[[nodiscard]] std::string isolation_line(const State& state);
/// For a card: where its session works. Empty: in the project.
[[nodiscard]] std::string place_note(const State& state, const Task& task);

}  // namespace orchestrator::core
