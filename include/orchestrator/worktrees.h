#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "orchestrator/describe.h"
#include "orchestrator/ids.h"
#include "orchestrator/task.h"

/// State of a mission's worktrees and merges.
namespace orchestrator {

/// State of a worktree.
enum class TreeState {
  adding,     ///< git was asked for it; leftovers of a crash are reused
  standing,   ///< sessions may work in it
  disposing,  ///< not needed any more: the host is asked to end its instance there
  removing,
  opening  ///< the host is starting its instance there, before a task needs it
};
constexpr auto enum_names(TreeState) {
  return std::array{EnumName<TreeState>{TreeState::adding, "adding"},
                    EnumName<TreeState>{TreeState::standing, "standing"},
                    EnumName<TreeState>{TreeState::disposing, "disposing"},
                    EnumName<TreeState>{TreeState::removing, "removing"},
                    EnumName<TreeState>{TreeState::opening, "opening"}};
}

/// Step of the merge in progress.
enum class MergeStep {
  none,
  snapshot,  ///< commit what has changed in the project's files since
  merge,
  apply
};
constexpr auto enum_names(MergeStep) {
  return std::array{EnumName<MergeStep>{MergeStep::none, "none"},
                    EnumName<MergeStep>{MergeStep::snapshot, "snapshot"},
                    EnumName<MergeStep>{MergeStep::merge, "merge"},
                    EnumName<MergeStep>{MergeStep::apply, "apply"}};
}

/// A git worktree for the sessions of one task and those of its subtasks.
struct Worktree {
  std::string name;
  TaskId task;            ///< empty: a warm worktree, for the first task that needs one
  std::string base;       ///< the commit from which it was made
  std::string directory;  ///< absolute; empty until git has made it
  TreeState state = TreeState::adding;
  EffectId effect = 0;         ///< the request in flight; 0: none, or it must be made again
  std::uint32_t failures = 0;  ///< in a row
  bool stale = false;          ///< no task will use it any more: it will be removed
  bool opened = false;         ///< the host's instance there has started
  bool moves = false;          ///< unused so far; git is moving it to another base

  ORCH_FIELDS(name, task, base, directory, state, effect, failures, stale, opened, moves);
};

/// Isolation `worktree`; see core/worktrees/worktrees.h.
struct WorktreesState {
  bool wanted = false;   ///< the user asked for isolation `worktree`
  bool checked = false;  ///< git has answered whether it can make worktrees
  std::string
      problem;  ///< why there are none, so that the mission works in the project's directory
  std::vector<std::string> notes;  ///< sentences about what worktrees lack
  EffectId effect = 0;             ///< the check, or the first snapshot, in flight
  std::string integrated;  ///< the commit with the project's present files, as far as is known
  std::vector<Worktree> trees;
  std::uint32_t named = 0;  ///< number of worktrees so far, so that no name is used twice
  MergeStep step = MergeStep::none;
  TaskId merging;
  EffectId merge_effect = 0;
  std::string theirs;  ///< the commit that is being merged
  std::string merged;  ///< the resulting commit
  std::uint32_t tries = 0;
  TimerId timer = 0;   ///< until it fires, aborted sessions may still stop
  bool races = false;  ///< a task is raced: its entrants need worktrees in either isolation
  TaskId starting;     ///< the task whose race starts with the snapshot in flight
  std::uint32_t starts_failed = 0;  ///< such snapshots that failed, in a row
  std::string warm_base;            ///< base of the worktrees made before there was a plan
  bool for_warm = false;            ///< `effect` is only for warm worktrees
  bool no_warm = false;   ///< git could not make one; a task that needs a worktree asks again
  bool clearing = false;  ///< `effect` removes everything that the mission has in git

  ORCH_FIELDS(wanted, checked, problem, notes, effect, integrated, trees, named, step, merging,
              merge_effect, theirs, merged, tries, timer, races, starting, starts_failed, warm_base,
              for_warm, no_warm, clearing);
};

}  // namespace orchestrator
