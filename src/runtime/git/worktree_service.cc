#include "runtime/git/worktree_service.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "base/utf8.h"
#include "runtime/git/worktrees.h"

namespace orchestrator::runtime {
namespace {

constexpr std::size_t kPathsToldMax = 2'000;
constexpr std::size_t kToldPathBytesMax = 1'000;
constexpr std::size_t kSideToldMax = 4'000;
constexpr std::size_t kConflictsToldMax = 200;

/// The log keeps bytes and the snapshot characters: what stands in an event must be both.
std::string path_text(const std::string& path) {
  return base::clip(base::as_utf8(path), kToldPathBytesMax);
}

std::string side_text(const ConflictSide& side, const std::string& commit,
                      const std::string& path) {
  if (!side.exists) return "(there is no file)";
  if (side.binary || (side.text.empty() && side.cut))
    return "(not shown; `git show " + commit + ":" + path + "` gives it)";
  std::string text = base::clip(base::as_utf8(side.text), kSideToldMax);
  if (side.cut) text += "\n(more of it: `git show " + commit + ":" + path + "`)";
  return text;
}

void tell_conflicts(const AskWorktrees& question, const std::vector<MergeConflict>& conflicts,
                    WorktreesAnswered& answer) {
  for (const MergeConflict& conflict : conflicts) {
    if (answer.conflicts.size() >= kConflictsToldMax) break;
    const std::string path = path_text(conflict.path);
    const bool untold = !conflict.base.exists && !conflict.ours.exists && !conflict.theirs.exists;
    TreeConflict told{path, base::as_utf8(conflict.kind), "", "", ""};
    if (untold) {
      told.base = told.ours = told.theirs = "(not shown)";
    } else {
      told.base = side_text(conflict.base, question.from, path);
      told.ours = side_text(conflict.ours, question.from, path);
      told.theirs = side_text(conflict.theirs, question.to, path);
    }
    answer.conflicts.push_back(std::move(told));
  }
}

class GitWorktreeService final : public WorktreeService {
 public:
  GitWorktreeService(const std::string& project, const std::string& program_path)
      : trees_(project, program_path) {}

  void ask(const AskWorktrees& question, engine::Outbox& outbox, Then then) override {
    const std::string& mission = question.mission.value;
    switch (question.call) {
      case TreeCall::check:
        return trees_.check(outbox, told<Worktrees::Usable>(question, std::move(then)));
      case TreeCall::snapshot:
        return trees_.snapshot(mission, question.from, outbox,
                               told<Worktrees::Snapshot>(question, std::move(then)));
      case TreeCall::add:
        return trees_.add(mission, question.name, question.from, outbox,
                          told<Worktrees::Added>(question, std::move(then)));
      case TreeCall::collect:
        return trees_.collect(mission, question.name, outbox,
                              told<Worktrees::Collected>(question, std::move(then)));
      case TreeCall::merge:
        return trees_.merge(mission, question.from, question.to, outbox,
                            told<Worktrees::Merged>(question, std::move(then)));
      case TreeCall::apply:
        return trees_.apply(question.from, question.to, outbox,
                            told<Worktrees::Applied>(question, std::move(then)));
      case TreeCall::remove:
        if (question.name.empty()) {
          return trees_.remove_all(mission, outbox,
                                   told<Worktrees::Done>(question, std::move(then)));
        }
        return trees_.remove(mission, question.name, outbox,
                             told<Worktrees::Done>(question, std::move(then)));
    }
  }

  void sweep(const std::set<std::string>& active, engine::Outbox& outbox,
             std::function<void(engine::Outbox&)> then) override {
    trees_.sweep(active, outbox,
                 [then = std::move(then)](const base::Result<Worktrees::Done>& /*done*/,
                                          engine::Outbox& out) { then(out); });
  }

 private:
  template <class T>
  static Worktrees::Then<T> told(const AskWorktrees& question, Then then) {
    return
        [question, then = std::move(then)](const base::Result<T>& result, engine::Outbox& outbox) {
          WorktreesAnswered answer;
          answer.effect = question.effect;
          if (result.ok()) {
            tell(question, result.value(), answer);
          } else {
            answer.problem = base::as_utf8(result.error().text());
          }
          then(std::move(answer), outbox);
        };
  }

  static void tell(const AskWorktrees& /*question*/, const Worktrees::Usable& usable,
                   WorktreesAnswered& answer) {
    for (const std::string& note : usable.notes) answer.notes.push_back(base::as_utf8(note));
  }
  static void tell(const AskWorktrees& question, const Worktrees::Snapshot& snapshot,
                   WorktreesAnswered& answer) {
    answer.commit = snapshot.commit;
    if (!question.from.empty() || snapshot.left_out.empty()) return;
    std::string names;
    for (const std::string& path : snapshot.left_out)
      names += (names.empty() ? "" : ", ") + path_text(path);
    answer.notes.push_back("In no worktree are these repositories inside of the project: " +
                           base::clip(names, 300));
  }
  static void tell(const AskWorktrees& /*question*/, const Worktrees::Added& added,
                   WorktreesAnswered& answer) {
    answer.directory = base::as_utf8(added.directory);
  }
  static void tell(const AskWorktrees& /*question*/, const Worktrees::Collected& collected,
                   WorktreesAnswered& answer) {
    answer.commit = collected.commit;
    for (const PathChange& change : collected.changes) {
      if (answer.paths.size() < kPathsToldMax) answer.paths.push_back(path_text(change.path));
    }
  }
  static void tell(const AskWorktrees& question, const Worktrees::Merged& merged,
                   WorktreesAnswered& answer) {
    answer.commit = merged.commit;
    tell_conflicts(question, merged.conflicts, answer);
  }
  static void tell(const AskWorktrees& /*question*/, const Worktrees::Applied& applied,
                   WorktreesAnswered& answer) {
    for (const std::string& path : applied.paths) {
      if (answer.paths.size() < kPathsToldMax) answer.paths.push_back(path_text(path));
    }
    for (const Worktrees::Refused& refused : applied.refused) {
      if (answer.refused.size() < kPathsToldMax)
        answer.refused.push_back(path_text(refused.path) + ": " + base::as_utf8(refused.why));
    }
  }
  static void tell(const AskWorktrees& /*question*/, const Worktrees::Done& /*done*/,
                   WorktreesAnswered& /*answer*/) {}

  Worktrees trees_;
};

}  // namespace

std::unique_ptr<WorktreeService> make_git_keeper(const std::string& project,
                                                 const std::string& program_path) {
  return std::make_unique<GitWorktreeService>(project, program_path);
}

std::string worktrees_directory(const std::string& project) {
  return project + "/.opencode/orchestrator/worktrees";
}

}  // namespace orchestrator::runtime
