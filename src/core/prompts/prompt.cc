#include "core/prompts/prompt.h"

#include "base/text.h"
#include "core/prompts/notes.h"
#include "core/state/checkouts.h"
#include "core/state/races.h"
#include "orchestrator/step.h"

namespace orchestrator::core {
namespace {

constexpr std::size_t kObjectiveBytesMax = 2000;
constexpr std::size_t kSummaryBytesMax = 400;

std::string title_line(const State& state, const char* word, const Task& task) {
  const Task& named = display_task(state, task);
  return std::string(word) + " " + named.id.value + ": " + named.title + "\n";
}

std::string list(const char* head, const std::vector<std::string>& items) {
  if (items.empty()) return "";
  std::string text = std::string("\n") + head + "\n";
  for (const std::string& item : items) text += "- " + item + "\n";
  return text;
}

std::string finding_list(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += "- [" + std::string(to_name(finding.severity)) + "] ";
    if (!finding.file.empty()) {
      text += finding.file;
      if (finding.line > 0) text += ":" + std::to_string(finding.line);
      text += ": ";
    }
    text += finding.message + "\n";
  }
  return text;
}

/// Names the directory in which verify commands run.
const char* verify_place(const State& state, const Task& task) {
  return directory_of(state, task.id).empty() ? "the project's directory" : "your own directory";
}

std::string objective_of(const State& state) {
  return "\nThe mission's objective:\n" + base::clip(state.objective, kObjectiveBytesMax) + "\n";
}

std::string dependency_list(const State& state, const Task& task) {
  std::string text;
  for (const TaskId& id : task.deps) {
    const Task* dep = find_task(state, id);
    if (dep == nullptr) continue;
    text += "- " + id.value + " " + dep->title + " (" + std::string(to_name(dep->status)) + ")";
    if (!dep->summary.empty()) text += ": " + base::clip(dep->summary, kSummaryBytesMax);
    text += "\n";
  }
  return text.empty() ? "" : "\nIt builds on:\n" + text;
}

/// The part of the card that Worker and Reviewer share.
std::string task_card(const State& state, const Task& task) {
  std::string text;
  if (!task.spec.description.empty()) text += "\n" + task.spec.description + "\n";
  text += list("Files of this task (no other task writes them meanwhile):", task.files);
  text += list("Accepted when:", task.spec.accept);
  text += dependency_list(state, task);
  text += strategy_note(state, task);
  text += place_note(state, task);
  if (const Task* whole = task.race.strategy.empty() ? find_task(state, task.parent) : nullptr) {
    text += "\nIt is a subtask of " + whole->id.value + " (" + whole->title +
            "), whose Worker waits for its summary.\n";
  }
  return text;
}

}  // namespace

std::string planner_prompt(const State& state) {
  std::string text = "Plan: " + base::first_line(state.objective, 200) +
                     "\n\nThe objective, in full:\n" + state.objective + "\n";
  if (!state.plan.notes.empty()) text += "\nNotes of the Commander:\n" + state.plan.notes + "\n";
  text += list("Accepted when:", state.plan.acceptance);
  text += list(
      "Verify commands of the whole mission. The plan's verify is added to them; with nothing to "
      "add, repeat one:",
      state.plan.verify);
  text += "\nA task's agent is one of: ";
  for (std::size_t i = 0; i < state.plan.agents.size(); ++i) {
    text += (i > 0 ? ", " : "") + state.plan.agents[i];
  }
  text += ".\n";
  if (state.extreme)
    text +=
        "Racing is on: where the way decides whether a task can be done, name rival ones (race).\n";
  return text + "Explore what you must, then call submit_plan.\n";
}

std::string worker_prompt(const State& state, const Task& task) {
  std::string text = title_line(state, "Task", task) + task_card(state, task);
  text += list((std::string("Verify commands, which a Reviewer runs too, from ") +
                verify_place(state, task) + ":")
                   .c_str(),
               task.spec.verify);
  if (!task.review.findings.empty())
    text += "\nAn earlier attempt was rejected:\n" + finding_list(task.review.findings);
  if ((task.attempt > 1 || task.progress.preemptions > 0) && !task.note.empty()) {
    text += "\nAn earlier attempt was left unfinished: " + base::clip(task.note, kSummaryBytesMax) +
            ". Look at what is there before you go on.\n";
  }
  text += subtask_list(state, task);
  return text + objective_of(state) + "\nWhen it is done, call submit_work.\n";
}

std::string rework_prompt(const State& state, const Task& task) {
  std::string text = title_line(state, "Rework", task);
  text += "\nThe Reviewer rejected this task:\n" + finding_list(task.review.findings);
  text += list("Verify commands, which a Reviewer runs again:", task.spec.verify);
  return text + "\nFix every error, then call submit_work again.\n";
}

std::string reviewer_prompt(const State& state, const Task& task) {
  std::string text = title_line(state, "Task", task) + task_card(state, task);
  text += "\nA Worker has submitted it: " + base::clip(task.summary, 1500) + "\n";
  text += list("Files that it changed, or says that it changed:", task.progress.touched);
  text += list("Language servers on them:", task.review.diagnosis);
  const std::string place = verify_place(state, task);
  text += list(
      ("Run each of these yourself with bash, exactly as written, from " + place + ":").c_str(),
      task.spec.verify);
  return text + objective_of(state) + "\nThen call submit_review with your verdict on this task.\n";
}

std::string early_review_prompt(const State& state, const Task& task) {
  std::string text =
      title_line(state, "Task", task) +
      "\nAn early review: its Worker is still at it. Judge only the files that it has "
      "finished; what is missing may still come. Run nothing that takes long.\n" +
      task_card(state, task);
  std::vector<std::string> finished = task.progress.touched;
  std::erase(finished, task.progress.last_written);
  text += list("Finished so far:", finished);
  return text + objective_of(state) +
         "\nThen call submit_review: reject with the findings that the Worker should know now, or "
         "pass if there are none. The review itself comes when the task is submitted.\n";
}

std::string early_review_notes(const std::vector<Finding>& findings) {
  return "A Reviewer has looked at what you have finished so far. Fix what it found correctly "
         "while "
         "you work; then go on, and submit when all is done:\n" +
         finding_list(findings);
}

std::string master_prompt(const State& state) {
  std::string text = "Mission review: " + base::first_line(state.objective, 200) +
                     "\n\nThe objective, in full:\n" + state.objective + "\n";
  text += list("Accepted when:", state.plan.acceptance);
  text += "\nThe plan: " + base::clip(state.plan.summary, 1500) + "\nIts tasks:\n";
  for (const Task& task : state.tasks) {
    text += "- " + task.id.value + " " + task.title + " (" + std::string(to_name(task.status)) +
            (task.review.accepted_manually ? " accepted by a person, unreviewed" : "") + ")";
    if (!task.summary.empty()) text += ": " + base::clip(task.summary, 200);
    text += "\n";
  }
  text = base::clip(text, 24'000);
  if (!state.master_review.findings.empty()) {
    text += "\nThe review before this one found:\n" + finding_list(state.master_review.findings);
  }
  text += unattributed_list(state);
  text += list(
      "Run each of these yourself with bash, exactly as written, from the project's directory:",
      state.plan.verify);
  return text + "\nThen call submit_review with task \"mission\".\n";
}

std::string continuation_prompt(const State& state, const Session& session,
                                const std::string& why) {
  const Task* task = find_task(state, session.task);
  if (session.role == Role::planner) {
    return planner_prompt(state) + "\n(You were asked before: " + why +
           ". Go on where you were; only submit_plan ends the planning.)\n";
  }
  if (session.role == Role::master_reviewer) {
    return master_prompt(state) + "\n(You were asked before: " + why +
           ". Go on where you were; only submit_review ends the review.)\n";
  }
  if (task == nullptr) return "Go on.";
  if (session.lease.early_review) return early_review_prompt(state, *task);
  const char* tool = session.role == Role::worker ? "submit_work" : "submit_review";
  const bool rework = session.role == Role::worker && !task->review.findings.empty();
  return title_line(state, rework ? "Rework" : "Task", *task) + "\nThis is not finished: " + why +
         ". Go on where you were; what is done stays done. Only a call of " + tool + " ends it.\n" +
         (session.role == Role::worker ? subtask_list(state, *task) : "");
}

std::string missing_prompt(const State& state, const Session& session) {
  return continuation_prompt(state, session, "your turn ended without a call of submit_work") +
         "What is missing? If nothing is, call submit_work now; else finish it first. You are not "
         "asked again: without that call the work is judged by what it has changed.\n";
}

std::string recovery_prompt(const State& state, const Session& session, const std::string& error) {
  const Task* task = find_task(state, session.task);
  const bool rework =
      task != nullptr && session.role == Role::worker && !task->review.findings.empty();
  const std::string head = task != nullptr ? title_line(state, rework ? "Rework" : "Task", *task)
                           : session.role == Role::planner
                               ? "Plan: " + base::first_line(state.objective, 200) + "\n"
                               : "Mission review: " + base::first_line(state.objective, 200) + "\n";
  return head + "\nThe same tool call has failed three times running:\n" + base::clip(error, 400) +
         "\nDo not repeat it. Check what the tool needs (its arguments, the exact text of the "
         "file, whether the path exists), and try another way; what is done stays done.\n";
}

std::string commander_continuation(const State& state) {
  if (state.phase == Phase::briefing) {
    return "The mission has not begun: call mission_run now (with acceptance criteria and verify "
           "commands if you know them). It plans, builds and verifies, and returns when you are "
           "needed.";
  }
  return "The mission is still running (" + progress_title(state) +
         "). Call mission_run to go on with it; it returns when you are needed.";
}

}  // namespace orchestrator::core

namespace orchestrator {

std::string system_card(const State& state, const SessionId& session) {
  const Session* child = find_session(state, session);
  if (child == nullptr || !child->lease.compacted) return "";
  const Task* task = find_task(state, child->task);
  switch (child->role) {
    case Role::planner:
      return core::planner_prompt(state);
    case Role::worker:
      return task == nullptr ? "" : core::worker_prompt(state, *task);
    case Role::reviewer:
      return task == nullptr ? "" : core::reviewer_prompt(state, *task);
    case Role::master_reviewer:
      return core::master_prompt(state);
    case Role::commander:
    case Role::none:
      return "";
  }
  return "";
}

}  // namespace orchestrator
