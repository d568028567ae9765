#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "orchestrator/describe.h"
#include "orchestrator/ids.h"

/// A task of a mission, what was found in it, and what proves it.
namespace orchestrator {

enum class TaskStatus {
  pending,
  ready,
  running,
  submitted,
  reviewing,
  rework,
  done,
  dropped,
  blocked
};
constexpr auto enum_names(TaskStatus) {
  return std::array{EnumName<TaskStatus>{TaskStatus::pending, "pending"},
                    EnumName<TaskStatus>{TaskStatus::ready, "ready"},
                    EnumName<TaskStatus>{TaskStatus::running, "running"},
                    EnumName<TaskStatus>{TaskStatus::submitted, "submitted"},
                    EnumName<TaskStatus>{TaskStatus::reviewing, "reviewing"},
                    EnumName<TaskStatus>{TaskStatus::rework, "rework"},
                    EnumName<TaskStatus>{TaskStatus::done, "done"},
                    EnumName<TaskStatus>{TaskStatus::dropped, "dropped"},
                    EnumName<TaskStatus>{TaskStatus::blocked, "blocked"}};
}

/// What becomes of a task's commit, in isolation `worktree`.
enum class MergeState {
  none,     ///< nothing is to be merged (yet)
  waiting,  ///< it is accepted, and comes into the project next, or is coming into it
  conflict  ///< another task brings it together with what was integrated before it
};
constexpr auto enum_names(MergeState) {
  return std::array{EnumName<MergeState>{MergeState::none, "none"},
                    EnumName<MergeState>{MergeState::waiting, "waiting"},
                    EnumName<MergeState>{MergeState::conflict, "conflict"}};
}

enum class Severity { error, warning, note };
constexpr auto enum_names(Severity) {
  return std::array{EnumName<Severity>{Severity::error, "error"},
                    EnumName<Severity>{Severity::warning, "warning"},
                    EnumName<Severity>{Severity::note, "note"}};
}

/// What a Reviewer found. `line` counts from 1; 0 is "no line".
struct Finding {
  std::string file;
  std::int64_t line = 0;
  Severity severity = Severity::error;
  std::string message;

  ORCH_FIELDS(file, line, (severity, required), (message, required));
};

/// An error that a language server reports. Line and column count from 1.
struct Diagnostic {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string code;
  std::string server;
  std::string message;

  ORCH_FIELDS(file, line, column, code, server, message);
};

/// What language servers say of the files that a Worker hands in.
struct Diagnosis {
  std::vector<Diagnostic> errors;    ///< that were not there before the mission; bounded
  std::uint32_t left_out = 0;        ///< more of them
  std::vector<std::string> servers;  ///< that answered
  std::vector<std::string> notes;    ///< sentences: what is not known, and why

  ORCH_FIELDS(errors, left_out, servers, notes);
};

/// A shell command that the host ran in a mission session, seen by the engine itself.
struct Receipt {
  SessionId session;
  TaskId task;
  std::string command;
  std::int64_t exit_code = 0;
  std::string output_hash;  ///< BLAKE2b of the output, hex
  std::string files_hash;   ///< of the files it vouches for, as they were when it ended
  TimeMs at_ms = 0;
  bool changed_files = false;  ///< these files were not the same when it began: it proves nothing
  std::string hash;            ///< its link in the mission's chain of receipts

  ORCH_FIELDS(session, task, command, exit_code, output_hash, files_hash, at_ms, changed_files,
              hash);
};

/// What a pass rests on: a verify command, and the receipt of the run that was green.
struct Proof {
  std::string command;
  std::string receipt;  ///< `Receipt::hash`; empty where an old log kept none
  TimeMs at_ms = 0;

  ORCH_FIELDS(command, receipt, at_ms);
};

/// What a plan says of a task.
struct TaskBrief {
  std::string description;
  std::vector<std::string> accept;
  std::vector<std::string> verify;
  std::vector<std::string> strategies;  ///< of a race; empty: the task is not raced

  ORCH_FIELDS(description, accept, verify, strategies);
};

/// What the Workers of a task have come to.
struct TaskProgress {
  std::uint32_t retries = 0;  ///< times the Commander has put the task back
  /// Sessions lost to their model since the task last came on: these are no attempts.
  std::uint32_t sessions_lost = 0;
  /// Attempts that ended for another task's sake, since a person has last resumed the mission.
  std::uint32_t preemptions = 0;
  std::vector<std::string> touched;     ///< files that a Worker wrote or submitted
  std::string last_written;             ///< the newest of them; the ones before are finished
  std::string blocked_path;             ///< a file that the Worker was refused, because ...
  TaskId blocked_by;                    ///< ... this task holds it; empty: none
  std::string refused_errors;           ///< the errors of the last refusal, in short
  std::uint32_t refused_same = 0;       ///< refusals in a row for the very same errors
  std::uint32_t refused_diagnoses = 0;  ///< refusals in a row for errors of language servers

  ORCH_FIELDS(retries, sessions_lost, preemptions, touched, last_written, blocked_path, blocked_by,
              refused_errors, refused_same, refused_diagnoses);
};

/// What the Reviewers of a task have come to.
struct TaskReview {
  std::uint32_t attempts = 0;  ///< Reviewer sessions spent on the present submission
  /// Of all its attempts. People read it in the snapshot, and the hashes in version 2 logs hold it.
  std::uint32_t rejections = 0;
  std::uint32_t early_review_attempt = 0;  ///< the attempt that had its early review
  bool accepted_manually = false;  ///< done because a person says so: no review stands behind it
  std::vector<Finding> findings;   ///< of the last rejection
  std::vector<std::string> diagnosis;  ///< what the Reviewer reads of the language servers
  std::vector<std::string> proved_by;  ///< the commands whose receipts the pass rests on
  std::vector<Proof> proofs;           ///< of the pass, a command each

  ORCH_FIELDS(attempts, rejections, early_review_attempt, accepted_manually, findings, diagnosis,
              proved_by, proofs);
};

/// What a task has in git, in isolation `worktree`.
struct TaskWorktree {
  std::string commit;  ///< what its worktree held when it was submitted; empty: not collected yet
  MergeState merge = MergeState::none;
  TaskId resolves_conflict_of;  ///< the task whose conflict it solves; empty: an ordinary task
  std::string base;  ///< … and the commit with git's marks, from which its worktree is made

  ORCH_FIELDS(commit, merge, resolves_conflict_of, base);
};

/// A task's part in a race.
struct TaskRace {
  std::string strategy;  ///< of its parent's strategies, which it runs; empty: it is no run
  bool running = false;  ///< its strategies run, a task each: it has no Worker of its own

  ORCH_FIELDS(strategy, running);
};

struct Task {
  TaskId id;
  std::string title;
  std::string agent;
  TaskStatus status = TaskStatus::pending;
  std::uint32_t attempt = 0;  ///< sessions that have been given to it; the first is 1
  std::vector<TaskId> deps;
  std::vector<std::string> files;  ///< the claim: globs, relative to the project
  SessionId session;               ///< its newest Worker
  std::string summary;             ///< the Worker's own, from its last submission
  std::string note;                ///< why it is blocked or dropped, or a Commander's remark
  TaskId parent;                   ///< the task that it was delegated from; empty: none
  std::uint32_t iteration = 1;     ///< the iteration that made it
  TimeMs started_ms = 0;
  TimeMs ended_ms = 0;
  std::uint64_t tokens = 0;  ///< what all its sessions have cost
  double usd = 0;
  TaskBrief spec;
  TaskProgress progress;
  TaskReview review;
  TaskWorktree worktree;
  TaskRace race;

  ORCH_FIELDS(id, title, agent, status, attempt, deps, files, session, summary, note, parent,
              iteration, started_ms, ended_ms, tokens, usd, spec, progress, review, worktree, race);
};

}  // namespace orchestrator
