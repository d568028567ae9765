#include "runtime/tree_keeper.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/mission.h"
#include "runtime/worktrees.h"

namespace orchestrator::runtime {
namespace {

constexpr std::size_t kPathsToldMax = 2'000;
constexpr std::size_t kToldPathBytesMax = 1'000;
constexpr std::size_t kSideToldMax = 4'000;
constexpr std::size_t kConflictsToldMax = 200;

/// Bytes of the sequence that begins here, 0: none of UTF-8.
std::size_t sequence_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  const std::size_t size = first < 0x80                     ? 1
                           : first >= 0xC2 && first <= 0xDF ? 2
                           : (first & 0xF0U) == 0xE0        ? 3
                           : first >= 0xF0 && first <= 0xF4 ? 4
                                                            : 0;
  if (size == 0 || at + size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) return 0;
  }
  if (size < 3) return size;
  const unsigned char second = byte(at + 1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool beyond = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
  return overlong || beyond ? 0 : size;
}

/// The log keeps bytes and the snapshot characters: what stands in an event must be both.
std::string as_text(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t size = sequence_at(bytes, at);
    text += size == 0 ? std::string_view("\xEF\xBF\xBD") : bytes.substr(at, size);
    at += std::max<std::size_t>(size, 1);
  }
  return text;
}

std::string path_text(const std::string& path) {
  return core::clip(as_text(path), kToldPathBytesMax);
}

std::string side_text(const ConflictSide& side, const std::string& commit,
                      const std::string& path) {
  if (!side.exists) return "(there is no file)";
  if (side.binary || (side.text.empty() && side.cut))
    return "(not shown; `git show " + commit + ":" + path + "` gives it)";
  std::string text = core::clip(as_text(side.text), kSideToldMax);
  if (side.cut) text += "\n(more of it: `git show " + commit + ":" + path + "`)";
  return text;
}

void tell_conflicts(const AskWorktrees& question, const std::vector<MergeConflict>& conflicts,
                    WorktreesAnswered& answer) {
  for (const MergeConflict& conflict : conflicts) {
    if (answer.conflicts.size() >= kConflictsToldMax) break;
    const std::string path = path_text(conflict.path);
    const bool untold = !conflict.base.exists && !conflict.ours.exists && !conflict.theirs.exists;
    TreeConflict told{path, as_text(conflict.kind), "", "", ""};
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

class GitKeeper final : public TreeKeeper {
 public:
  GitKeeper(const std::string& project, const std::string& program_path)
      : trees_(project, program_path) {}

  void ask(const AskWorktrees& question, Outbox& outbox, Then then) override {
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

  void sweep(const std::set<std::string>& active, Outbox& outbox,
             std::function<void(Outbox&)> then) override {
    trees_.sweep(active, outbox,
                 [then = std::move(then)](const base::Result<Worktrees::Done>& /*done*/,
                                          Outbox& out) { then(out); });
  }

 private:
  template <class T>
  static Worktrees::Then<T> told(const AskWorktrees& question, Then then) {
    return [question, then = std::move(then)](const base::Result<T>& result, Outbox& outbox) {
      WorktreesAnswered answer;
      answer.effect = question.effect;
      if (result.ok()) {
        tell(question, result.value(), answer);
      } else {
        answer.problem = as_text(result.error().text());
      }
      then(std::move(answer), outbox);
    };
  }

  static void tell(const AskWorktrees& /*question*/, const Worktrees::Usable& usable,
                   WorktreesAnswered& answer) {
    for (const std::string& note : usable.notes) answer.notes.push_back(as_text(note));
  }
  static void tell(const AskWorktrees& question, const Worktrees::Snapshot& snapshot,
                   WorktreesAnswered& answer) {
    answer.commit = snapshot.commit;
    if (!question.from.empty() || snapshot.left_out.empty()) return;
    std::string names;
    for (const std::string& path : snapshot.left_out)
      names += (names.empty() ? "" : ", ") + path_text(path);
    answer.notes.push_back("In no worktree are these repositories inside of the project: " +
                           core::clip(names, 300));
  }
  static void tell(const AskWorktrees& /*question*/, const Worktrees::Added& added,
                   WorktreesAnswered& answer) {
    answer.directory = as_text(added.directory);
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
        answer.refused.push_back(path_text(refused.path) + ": " + as_text(refused.why));
    }
  }
  static void tell(const AskWorktrees& /*question*/, const Worktrees::Done& /*done*/,
                   WorktreesAnswered& /*answer*/) {}

  Worktrees trees_;
};

}  // namespace

std::unique_ptr<TreeKeeper> make_git_keeper(const std::string& project,
                                            const std::string& program_path) {
  return std::make_unique<GitKeeper>(project, program_path);
}

std::string worktrees_directory(const std::string& project) {
  return project + "/.opencode/orchestrator/worktrees";
}

}  // namespace orchestrator::runtime
