#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/directory.h"

namespace orchestrator::runtime {

/// What is between two commits at one path. Paths are git's: relative to the project, raw bytes
/// that may hold anything but NUL; texts for people or JSON make them valid first.
struct PathChange {
  enum class Kind { added, changed, removed };
  std::string path;
  Kind kind = Kind::changed;
};

/// A file as one side of a merge has it.
struct ConflictSide {
  bool exists = false;
  bool binary = false;  ///< then there is no text
  bool cut = false;     ///< the text is longer
  std::string mode{};   ///< git's, like "100644"
  std::string text{};   ///< raw bytes, at most Worktrees::kSideBytesMax
};

struct MergeConflict {
  std::string path;
  std::string kind;  ///< git's word for it: "content", "modify/delete", "add/add", "binary", …
  ConflictSide base{};
  ConflictSide ours{};    ///< of what is integrated
  ConflictSide theirs{};  ///< of the task
};

/// Git worktrees in which the Workers of a mission have the project for themselves, and what brings
/// their work together. The user's index, HEAD, branches, stash and hooks are never touched: all is
/// done with index files and refs of our own (`refs/opencode-orchestrator/`), and the worktrees
/// stand in `.opencode/orchestrator/worktrees/<mission>.<name>`.
///
/// Every call is worked off on the pool, one after the other in the order of the calls; `then` is
/// called on the engine thread, with the answer or with a sentence that says what is wrong. All of
/// them may be repeated: after a crash the same call ends in the same state. Missions and names are
/// letters, digits, `-` and `_`, names also single dots inside.
///
/// The files of the project are not trusted: paths may be anything, links are never written
/// through, and a worktree's own `.git` decides nothing. Submodules, and repositories that lie in
/// the project, are left alone. What `.gitignore` names is in no snapshot and in no worktree.
class Worktrees {
 public:
  template <class T>
  using Then = std::function<void(base::Result<T>, engine::Outbox&)>;

  static constexpr std::size_t kSideBytesMax = std::size_t{32} << 10U;
  /// Of more conflicts only the paths and kinds are told.
  static constexpr std::size_t kConflictTextsMax = 20;
  /// Files that git does not know yet: more than this is no source.
  static constexpr std::uint64_t kUntrackedBytesMax = std::uint64_t{1} << 30U;

  struct Usable {
    std::string git;                 ///< its version
    std::vector<std::string> notes;  ///< sentences about what worktrees will lack
  };
  struct Snapshot {
    std::string commit;
    std::vector<std::string> left_out;  ///< repositories inside of the project
  };
  struct Added {
    std::string directory;  ///< absolute, without links
    bool existed = false;   ///< with what its Worker has done so far
  };
  struct Collected {
    std::string
        commit;  ///< its parent is the worktree's base; the base itself where nothing changed
    std::vector<PathChange> changes;    ///< against the base
    std::vector<std::string> left_out;  ///< repositories that were made in it
  };
  struct Merged {
    /// A commit with both as parents (or the one that has the other in it). With conflicts: the
    /// same, with git's marks in the files that conflict, for a worktree in which they are solved.
    std::string commit;
    std::vector<MergeConflict> conflicts;  ///< empty: it is clean
  };
  struct Refused {
    std::string path;
    std::string why;  ///< a clause
  };
  struct Applied {
    std::vector<std::string> paths;  ///< as they shall be now, also those that were already
    std::vector<Refused> refused;    ///< left alone
  };
  struct Done {};

  /// `project` is canonical; `program_path` is like PATH, empty: there is no git. Nothing is done
  /// before the first call.
  Worktrees(std::string project, std::string program_path);
  /// What runs is stopped; no `then` is called any more. Engine thread, as everything.
  ~Worktrees();
  Worktrees(const Worktrees&) = delete;
  Worktrees& operator=(const Worktrees&) = delete;

  /// Whether there can be worktrees: git 2.38 or later, and the project is the top directory of a
  /// work tree (also a linked one, also without a commit yet). The error is for the user, who gets
  /// a shared directory instead.
  void check(engine::Outbox& outbox, Then<Usable> then);

  /// The project's files as they are: tracked, changed, and untracked unless ignored, without the
  /// mission's own state. A child of HEAD, where there is one; or of `after`, a commit to which the
  /// files were brought before, and then `after` itself where they are unchanged since. What a
  /// person does meanwhile can so be merged like a task's work.
  void snapshot(const std::string& mission, const std::string& after, engine::Outbox& outbox,
                Then<Snapshot> then);

  /// A directory with the files of `base`, and with what OpenCode needs to start there as in the
  /// project: configuration that git ignores, and packages. One that was made whole before is taken
  /// as it is, and where it has another base it is brought to this one, unless it has changes:
  /// that is an error. What a crash has left half made is made again.
  void add(const std::string& mission, const std::string& name, const std::string& base,
           engine::Outbox& outbox, Then<Added> then);

  /// What was made in the directory, whatever its Worker did to its HEAD and index.
  void collect(const std::string& mission, const std::string& name, engine::Outbox& outbox,
               Then<Collected> then);

  /// `theirs`, a collected commit, into `ours`, the integrated one. Touches no file.
  void merge(const std::string& mission, const std::string& ours, const std::string& theirs,
             engine::Outbox& outbox, Then<Merged> then);

  /// What is between the two commits, into the project's files: each file at once, with its
  /// permissions kept where there was one. A path that is not as `from` has it, and not as `to` has
  /// it either, is refused: a person was there. Uncommitted, unstaged; the index is as before.
  void apply(const std::string& from, const std::string& to, engine::Outbox& outbox,
             Then<Applied> then);

  /// The directory and what git knows of it. One that is not there is success. The host's instance
  /// for it should be disposed of before.
  void remove(const std::string& mission, const std::string& name, engine::Outbox& outbox,
              Then<Done> then);
  /// All of a mission: directories, refs.
  void remove_all(const std::string& mission, engine::Outbox& outbox, Then<Done> then);
  /// All of all missions but the active: what crashes have left. Only for the process that holds
  /// the project's lock.
  void sweep(const std::set<std::string>& active, engine::Outbox& outbox, Then<Done> then);

 private:
  class Body;
  struct Job {
    std::function<void(Body&)> work;
    std::function<void(engine::Outbox&)> done;
  };

  template <class T, class Work>
  void enqueue(engine::Outbox& outbox, Then<T> then, Work work);
  void start_next(engine::Outbox& outbox);

  const std::shared_ptr<Body> body_;  ///< what runs on the pool has its own hold on it
  std::deque<Job> waiting_;
  bool busy_ = false;
};

}  // namespace orchestrator::runtime
