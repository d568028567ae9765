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

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("file", self.file);
    visit("line", self.line);
    visit("severity", self.severity, required);
    visit("message", self.message, required);
  }
};

/// An error that a language server reports. Line and column count from 1.
struct Diagnostic {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string code;
  std::string server;
  std::string message;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("file", self.file);
    visit("line", self.line);
    visit("column", self.column);
    visit("code", self.code);
    visit("server", self.server);
    visit("message", self.message);
  }
};

/// What language servers say of the files that a Worker hands in.
struct Diagnosis {
  std::vector<Diagnostic> errors;    ///< that were not there before the mission; bounded
  std::uint32_t left_out = 0;        ///< more of them
  std::vector<std::string> servers;  ///< that answered
  std::vector<std::string> notes;    ///< sentences: what is not known, and why

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("errors", self.errors);
    visit("left_out", self.left_out);
    visit("servers", self.servers);
    visit("notes", self.notes);
  }
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

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("session", self.session);
    visit("task", self.task);
    visit("command", self.command);
    visit("exit_code", self.exit_code);
    visit("output_hash", self.output_hash);
    visit("files_hash", self.files_hash);
    visit("at_ms", self.at_ms);
    visit("changed_files", self.changed_files);
    visit("hash", self.hash);
  }
};

/// What a pass rests on: a verify command, and the receipt of the run that was green.
struct Proof {
  std::string command;
  std::string receipt;  ///< `Receipt::hash`; empty where an old log kept none
  TimeMs at_ms = 0;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("command", self.command);
    visit("receipt", self.receipt);
    visit("at_ms", self.at_ms);
  }
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
  std::string description;
  std::vector<std::string> accept;
  std::vector<std::string> verify;
  std::vector<std::string> race;
  std::string note;                    ///< why it is blocked or dropped, or a Commander's remark
  std::vector<Finding> findings;       ///< of its last rejection
  std::vector<std::string> touched;    ///< files it wrote or submitted
  std::uint32_t rejections = 0;        ///< in a row, of this attempt
  std::uint32_t review_attempts = 0;   ///< Reviewer sessions spent on the present submission
  std::uint32_t retries = 0;           ///< times the Commander has put it back
  std::uint32_t iteration = 1;         ///< the iteration that made it
  std::vector<std::string> proved_by;  ///< the commands whose receipts its review rests on
  TimeMs started_ms = 0;
  TimeMs ended_ms = 0;
  bool on_word = false;       ///< done because a person says so: no review stands behind it
  std::vector<Proof> proofs;  ///< of its passing review, a command each
  std::string last_written;   ///< the file that its Worker wrote last; the ones before are finished
  std::uint32_t looked_at = 0;          ///< the attempt that had its first look
  std::vector<std::string> diagnosis;   ///< what the Reviewer is told of the language servers
  std::string refused_errors;           ///< the errors of its last refusal, in short
  std::uint32_t refused_same = 0;       ///< refusals in a row for the very same errors
  std::uint32_t refused_diagnoses = 0;  ///< refusals in a row for errors of language servers
  std::uint32_t losses = 0;  ///< sessions lost to their model since it last came on: not attempts
  std::uint64_t tokens = 0;  ///< what all its sessions have cost
  double usd = 0;
  std::string wants;           ///< a file that its Worker was refused, because ...
  TaskId waits_for;            ///< ... this task holds it; empty: none
  std::uint32_t gave_way = 0;  ///< attempts that ended for another task's sake, since a person has
                               ///< last resumed the mission
  TaskId parent;               ///< the task that it was delegated from; empty: none
  std::string commit;  ///< what its worktree held when it was submitted; empty: not collected yet
  MergeState merge = MergeState::none;
  TaskId brings;          ///< the task whose conflict it solves; empty: it is an ordinary one
  std::string tree_base;  ///< … and the commit with git's marks, from which its worktree is made
  std::string strategy;   ///< of its parent's `race`, which it runs; empty: it is no run
  bool racing = false;    ///< its strategies run, a task each: it has no Worker of its own

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("id", self.id);
    visit("title", self.title);
    visit("agent", self.agent);
    visit("status", self.status);
    visit("attempt", self.attempt);
    visit("deps", self.deps);
    visit("files", self.files);
    visit("session", self.session);
    visit("summary", self.summary);
    visit("description", self.description);
    visit("accept", self.accept);
    visit("verify", self.verify);
    visit("race", self.race);
    visit("note", self.note);
    visit("findings", self.findings);
    visit("touched", self.touched);
    visit("rejections", self.rejections);
    visit("review_attempts", self.review_attempts);
    visit("retries", self.retries);
    visit("iteration", self.iteration);
    visit("proved_by", self.proved_by);
    visit("started_ms", self.started_ms);
    visit("ended_ms", self.ended_ms);
    visit("on_word", self.on_word);
    visit("proofs", self.proofs);
    visit("last_written", self.last_written);
    visit("looked_at", self.looked_at);
    visit("diagnosis", self.diagnosis);
    visit("refused_errors", self.refused_errors);
    visit("refused_same", self.refused_same);
    visit("refused_diagnoses", self.refused_diagnoses);
    visit("losses", self.losses);
    visit("tokens", self.tokens);
    visit("usd", self.usd);
    visit("wants", self.wants);
    visit("waits_for", self.waits_for);
    visit("gave_way", self.gave_way);
    visit("parent", self.parent);
    visit("commit", self.commit);
    visit("merge", self.merge);
    visit("brings", self.brings);
    visit("tree_base", self.tree_base);
    visit("strategy", self.strategy);
    visit("racing", self.racing);
  }
};

}  // namespace orchestrator
