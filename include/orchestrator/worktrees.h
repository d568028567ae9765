#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "orchestrator/describe.h"
#include "orchestrator/ids.h"
#include "orchestrator/task.h"

/// What a mission has in git, in isolation `worktree`.
namespace orchestrator {

/// Life of a worktree.
enum class TreeState {
  adding,     ///< asked of git; what a crash has left of it is taken as it is
  standing,   ///< sessions may work in it
  disposing,  ///< nobody needs it: the host is told to let go of it
  removing,
  opening  ///< the host is bringing up its instance there, before a task needs it
};
constexpr auto enum_names(TreeState) {
  return std::array{EnumName<TreeState>{TreeState::adding, "adding"},
                    EnumName<TreeState>{TreeState::standing, "standing"},
                    EnumName<TreeState>{TreeState::disposing, "disposing"},
                    EnumName<TreeState>{TreeState::removing, "removing"},
                    EnumName<TreeState>{TreeState::opening, "opening"}};
}

/// Where the one merge that goes on stands.
enum class MergeStep {
  none,
  snapshot,  ///< what others have done to the project's files since
  merge,
  apply
};
constexpr auto enum_names(MergeStep) {
  return std::array{EnumName<MergeStep>{MergeStep::none, "none"},
                    EnumName<MergeStep>{MergeStep::snapshot, "snapshot"},
                    EnumName<MergeStep>{MergeStep::merge, "merge"},
                    EnumName<MergeStep>{MergeStep::apply, "apply"}};
}

/// A git worktree in which the sessions of one task work, and those of its parts.
struct Worktree {
  std::string name;
  TaskId task;            ///< empty: a warm one, for the first task that needs one
  std::string base;       ///< the commit that it was made from
  std::string directory;  ///< absolute; empty until it stands
  TreeState state = TreeState::adding;
  EffectId effect = 0;         ///< what is being done with it; 0: nothing, or to be asked again
  std::uint32_t failures = 0;  ///< in a row
  bool stale = false;          ///< of a plan that is not in force any more: it is let go
  bool opened = false;         ///< the host has its instance there
  bool moves = false;          ///< nobody has worked in it, and it is brought to another base

  ORCH_FIELDS(name, task, base, directory, state, effect, failures, stale, opened, moves);
};

/// Isolation `worktree`; see core/worktrees/worktrees.h.
struct WorktreesState {
  bool wanted = false;   ///< by the user
  bool checked = false;  ///< git has said whether there can be any
  std::string problem;   ///< why there are none: the mission works in the shared directory
  std::vector<std::string> notes;  ///< what worktrees lack; sentences
  EffectId effect = 0;             ///< the check, or the first snapshot, in flight
  std::string integrated;          ///< the commit whose files the project has, as far as is known
  std::vector<Worktree> trees;
  std::uint32_t named = 0;  ///< worktrees so far: no name is used twice
  MergeStep step = MergeStep::none;
  TaskId merging;
  EffectId merge_effect = 0;
  std::string theirs;  ///< the commit that is being merged
  std::string merged;  ///< what came of it
  std::uint32_t tries = 0;
  TimerId timer = 0;   ///< sessions that were told to stop are waited for no longer
  bool races = false;  ///< a task is raced: its runs have worktrees, whatever the user wants
  TaskId starting;     ///< the task whose race begins with the snapshot in flight
  std::uint32_t starts_failed = 0;  ///< such snapshots, in a row
  std::string warm_base;  ///< the commit of worktrees that were made before there was a plan
  bool for_warm = false;  ///< `effect` was asked for these alone
  bool no_warm = false;   ///< git could not make any; what needs a worktree asks again
  bool clearing = false;  ///< `effect` removes all that the mission has in git

  ORCH_FIELDS(wanted, checked, problem, notes, effect, integrated, trees, named, step, merging,
              merge_effect, theirs, merged, tries, timer, races, starting, starts_failed, warm_base,
              for_warm, no_warm, clearing);
};

}  // namespace orchestrator
