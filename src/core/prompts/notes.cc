#include "core/prompts/notes.h"

#include <algorithm>

#include "base/text.h"
#include "core/state/checkouts.h"

namespace orchestrator::core {
namespace {

constexpr std::size_t kResultBytesMax = 2000;
constexpr std::size_t kFilesShown = 20;
constexpr std::size_t kListedMax = 40;

std::string who_did(const State& state, const UnattributedChange& stray) {
  const Session* session = find_session(state, stray.session);
  if (session == nullptr) return "no known command wrote it";
  return "a command of " + owner_words(*session);
}

}  // namespace

std::string worktrees_line(const State& state) {
  const WorktreesState& trees = state.worktrees;
  if (!trees.wanted && !trees.races) return "";
  if (!trees.problem.empty())
    return (trees.wanted ? "Isolation: shared" : "Races: none") +
           std::string(", since there are no worktrees: ") + base::clip(trees.problem, 200) + "\n";
  std::string text = trees.wanted ? "Isolation: a worktree for each task"
                                  : "Isolation: a worktree for each strategy of a race";
  if (trees.step != MergeStep::none) text += "; " + trees.merging.value + " is being merged";
  for (const std::string& note : trees.notes) text += ". " + base::clip(note, 150);
  return base::clip(text, 400) + "\n";
}

std::string place_note(const State& state, const Task& task) {
  const std::string directory = directory_of(state, task.id);
  if (directory.empty()) return "";
  return "\nYour directory is a git worktree of the project, " + directory +
         ": work in it alone, by relative paths. What is accepted is merged into the project for "
         "you: commit nothing, and leave branches and stashes alone.\n";
}

std::string strategy_note(const State& state, const Task& task) {
  if (!task.race.strategy.empty()) {
    const Task* raced = find_task(state, task.parent);
    const std::size_t runs = raced == nullptr ? 1 : raced->spec.strategies.size();
    return "\nThis task is raced: " + std::to_string(runs) +
           " Workers build it, each in its own worktree and with its own strategy, and the first "
           "whose work is accepted wins. Your strategy:\n" +
           task.race.strategy + "\n";
  }
  if (task.spec.strategies.empty()) return "";
  std::string text = "\nStrategies, in the order to try them:\n";
  for (const std::string& strategy : task.spec.strategies) text += "- " + strategy + "\n";
  return text;
}

std::string subtask_list(const State& state, const Task& task) {
  std::string text;
  for (const Task& part : state.tasks) {
    if (part.parent != task.id) continue;
    text +=
        "- " + part.id.value + " " + part.title + " (" + std::string(to_name(part.status)) + ")";
    if (!part.summary.empty()) text += ": " + base::clip(part.summary, 400);
    text += "\n";
  }
  return text.empty() ? "" : "\nDelegated so far:\n" + text;
}

std::string result_text(const Task& task) {
  std::string text =
      task.id.value + " " + task.title + " is " + std::string(to_name(task.status)) + ".";
  if (!task.note.empty() && task.status != TaskStatus::done)
    text += " " + base::clip(task.note, 600);
  if (!task.summary.empty()) text += "\n" + task.summary;
  text = base::clip(text, kResultBytesMax);
  if (!task.progress.touched.empty()) text += "\nFiles:";
  for (std::size_t i = 0; i < task.progress.touched.size(); ++i) {
    if (i == kFilesShown) {
      text += " and " + std::to_string(task.progress.touched.size() - i) + " more";
      break;
    }
    text += " " + base::clip(task.progress.touched[i], 120);
  }
  for (const std::string& command : task.review.proved_by)
    text += "\nProved by: " + base::clip(command, 200);
  return text;
}

std::string owner_words(const Session& session) {
  return "the " + std::string(to_name(session.role)) +
         (session.task.empty() ? "" : " of " + session.task.value);
}

std::string unattributed_list(const State& state) {
  if (state.unattributed.empty() && state.unattributed_left_out == 0) return "";
  std::string text =
      "\nChanged files that no task's Worker wrote with its tools or its shell. Judge whether they "
      "belong to the objective:\n";
  for (std::size_t i = 0; i < state.unattributed.size() && i < kListedMax; ++i) {
    const UnattributedChange& stray = state.unattributed[i];
    text += "- " + base::clip(stray.path, 200) + " (" + who_did(state, stray) + ")\n";
  }
  const std::size_t shown = std::min(state.unattributed.size(), kListedMax);
  const std::size_t more = state.unattributed.size() - shown + state.unattributed_left_out;
  if (more > 0) text += "- and " + std::to_string(more) + " more\n";
  return text;
}

std::string permission_asker(const State& state, const SessionId& id) {
  const Session* session = find_session(state, id);
  if (session == nullptr) return "a session";
  const std::string role(to_name(session->role));
  return session->task.empty() ? "the " + role : "the " + role + " of " + session->task.value;
}

std::string permission_lines(const State& state) {
  std::string text;
  std::size_t left_out = 0;
  for (const PermissionRequest& request : state.permissions) {
    if (text.size() > 300) {
      left_out += 1;
      continue;
    }
    text += "Waits for a permission: " + permission_asker(state, request.session) + ", " +
            base::clip(request.what, 100) + " (session " + request.session.value + ")\n";
  }
  if (left_out > 0) text += "… and " + std::to_string(left_out) + " more permissions\n";
  return text;
}

}  // namespace orchestrator::core
