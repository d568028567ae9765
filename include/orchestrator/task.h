#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "orchestrator/describe.h"
#include "orchestrator/ids.h"

/// Tasks, findings, receipts and proofs.
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

/// Merge state of a task's commit, in isolation `worktree`.
enum class MergeState {
  none,     ///< nothing is to be merged (yet)
  waiting,  ///< it is accepted, and is in the merge queue or being merged
  conflict  ///< another task solves its conflict with the integrated work
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

/// Report of language servers on the files that a Worker submits.
struct Diagnosis {
  std::vector<Diagnostic> errors;    ///< new since the start of the mission; bounded
  std::uint32_t left_out = 0;        ///< further errors
  std::vector<std::string> servers;  ///< the servers that answered
  std::vector<std::string> notes;    ///< sentences about what is not known, and why

  ORCH_FIELDS(errors, left_out, servers, notes);
};

/// The engine's record of a shell command that the host ran in a mission session.
struct Receipt {
  SessionId session;
  TaskId task;
  std::string command;
  std::int64_t exit_code = 0;
  std::string output_hash;  ///< BLAKE2b of the output, hex
  std::string files_hash;   ///< of the vouched files, when the command ended
  TimeMs at_ms = 0;
  bool changed_files = false;  ///< these files changed during the command: it is no proof
  std::string hash;            ///< its link in the mission's chain of receipts

  ORCH_FIELDS(session, task, command, exit_code, output_hash, files_hash, at_ms, changed_files,
              hash);
};

/// Proof for a pass: a verify command and the receipt of its green run.
struct Proof {
  std::string command;
  std::string receipt;  ///< `Receipt::hash`; empty in an old log
  TimeMs at_ms = 0;

  ORCH_FIELDS(command, receipt, at_ms);
};

/// The plan's description of a task.
struct TaskBrief {
  std::string description;
  std::vector<std::string> accept;
  std::vector<std::string> verify;
  std::vector<std::string> strategies;  ///< of its race; empty: the task is not raced

  ORCH_FIELDS(description, accept, verify, strategies);
};

/// Progress of a task's Workers.
struct TaskProgress {
  std::uint32_t retries = 0;  ///< times the Commander has put the task back
  /// Sessions lost because of their model since the task last made progress: these are no attempts.
  std::uint32_t sessions_lost = 0;
  /// Times that the task was preempted since a person last resumed the mission.
  std::uint32_t preemptions = 0;
  std::vector<std::string> touched;     ///< files that a Worker wrote or submitted
  std::string last_written;             ///< the newest of them; the earlier ones are finished
  std::string blocked_path;             ///< the file that the Worker was refused last
  TaskId blocked_by;                    ///< the task that holds `blocked_path`; empty: none
  std::string refused_errors;           ///< fingerprint of the errors of the last refusal
  std::uint32_t refused_same = 0;       ///< refusals in a row for the same errors
  std::uint32_t refused_diagnoses = 0;  ///< refusals in a row for errors of language servers

  ORCH_FIELDS(retries, sessions_lost, preemptions, touched, last_written, blocked_path, blocked_by,
              refused_errors, refused_same, refused_diagnoses);
};

/// Results of a task's Reviewers.
struct TaskReview {
  std::uint32_t attempts = 0;  ///< Reviewer sessions spent on the present submission
  /// Rejects of all attempts. Only people read it, in the snapshot; the hashes in version 2 logs
  /// contain it.
  std::uint32_t rejections = 0;
  std::uint32_t early_review_attempt = 0;  ///< the attempt that had its early review
  bool accepted_manually = false;          ///< a person accepted the task, without a review
  std::vector<Finding> findings;           ///< of the last reject
  std::vector<std::string> diagnosis;      ///< report of the language servers for the Reviewer
  std::vector<std::string> proved_by;      ///< the commands whose receipts prove the pass
  std::vector<Proof> proofs;               ///< of the pass, one for each command

  ORCH_FIELDS(attempts, rejections, early_review_attempt, accepted_manually, findings, diagnosis,
              proved_by, proofs);
};

/// A task's commits in git, in isolation `worktree`.
struct TaskWorktree {
  std::string commit;  ///< its submitted work; empty: not collected yet
  MergeState merge = MergeState::none;
  TaskId resolves_conflict_of;  ///< the task whose conflict it solves; empty: an ordinary task
  std::string base;  ///< then: the commit with conflict marks, from which its worktree is made

  ORCH_FIELDS(commit, merge, resolves_conflict_of, base);
};

/// A task's part in a race.
struct TaskRace {
  std::string strategy;  ///< the one of its parent's strategies that it tries; empty: no entrant
  bool running = false;  ///< its race is on: entrants do the work, and it has no Worker of its own

  ORCH_FIELDS(strategy, running);
};

struct Task {
  TaskId id;
  std::string title;
  std::string agent;
  TaskStatus status = TaskStatus::pending;
  std::uint32_t attempt = 0;  ///< number of the present attempt; the first is 1
  std::vector<TaskId> deps;
  std::vector<std::string> files;  ///< the claim: globs, relative to the project
  SessionId session;               ///< its newest Worker
  std::string summary;             ///< from the Worker's last submission
  std::string note;  ///< why the task is blocked or dropped, or a remark of the Commander
  TaskId parent;     ///< the task from which it was delegated; empty: none
  std::uint32_t iteration = 1;  ///< the iteration that made it
  TimeMs started_ms = 0;
  TimeMs ended_ms = 0;
  std::uint64_t tokens = 0;  ///< cost of all its sessions
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
