#include "core/prompts/report.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/text.h"
#include "core/models/budget.h"
#include "core/models/limiter.h"
#include "core/prompts/notes.h"
#include "core/state/tasks.h"
#include "orchestrator/step.h"

namespace orchestrator {
namespace core {
namespace {

constexpr std::size_t kReportBytesMax = 4000;

std::string done_of_all(const State& state) {
  return std::to_string(count(state, TaskStatus::done)) + "/" + std::to_string(state.tasks.size());
}

/// Number of findings of each Master Review, which shows whether they converge.
std::string findings_line(const State& state) {
  if (state.master_review.findings_by_iteration.empty()) return "";
  std::string counts;
  for (const std::uint32_t found : state.master_review.findings_by_iteration)
    counts += (counts.empty() ? "" : ", ") + std::to_string(found);
  return " Findings of its Master Reviews: " + counts +
         (state.phase == Phase::sealed ? ", then none to fix." : ".");
}

/// The first command with its receipt, "`npm test` (receipt 0123456789ab)", and the number of
/// others.
std::string proof_words(const std::vector<Proof>& proofs) {
  if (proofs.empty()) return "";
  constexpr std::size_t kHashShown = 12;
  const Proof& first = proofs.front();
  std::string text = "`" + base::clip(first.command, 80) + "`";
  if (!first.receipt.empty()) text += " (receipt " + first.receipt.substr(0, kHashShown) + ")";
  if (proofs.size() > 1) text += " and " + std::to_string(proofs.size() - 1) + " more";
  return text;
}

std::string headline(const State& state) {
  std::string text = "Mission " + state.mission.value + " is " + std::string(to_name(state.phase)) +
                     ": " + done_of_all(state) + " tasks done, iteration " +
                     std::to_string(state.iteration) + ".";
  const std::size_t dropped = count(state, TaskStatus::dropped);
  if (dropped > 0) text += " " + std::to_string(dropped) + " dropped.";
  text += findings_line(state);
  if (!state.reason.empty()) text += "\nReason: " + base::clip(state.reason, 1200);
  text += "\n" + worktrees_line(state);
  const Budget& budget = state.budget;
  if (budget.tokens > 0 || is_capped(state)) text += "Spent: " + spent_text(state) + "\n";
  return text;
}

std::string cost_of(const Task& task) {
  char text[64];
  if (task.usd > 0) {
    std::snprintf(text, sizeof text, "%.0f ktok, $%.2f", static_cast<double>(task.tokens) / 1e3,
                  task.usd);
  } else {
    std::snprintf(text, sizeof text, "%.0f ktok", static_cast<double>(task.tokens) / 1e3);
  }
  return text;
}

}  // namespace

std::string task_lines(const State& state, std::size_t bytes_max, std::optional<TaskStatus> status,
                       const std::function<std::string(const Task&)>& wait_of) {
  std::string text;
  std::size_t left_out = 0;
  for (const Task& task : state.tasks) {
    if (status && task.status != *status) continue;
    std::string line = "- " + task.id.value + " " + base::clip(task.title, 80) + ": " +
                       std::string(to_name(task.status));
    const bool proved = task.status == TaskStatus::done && !task.review.accepted_manually;
    if (task.tokens > 0) line += " (" + cost_of(task) + ")";
    if (proved && !task.review.proofs.empty())
      line += ", proved by " + proof_words(task.review.proofs);
    if (const std::string wait = wait_of ? wait_of(task) : ""; !wait.empty()) line += ", " + wait;
    const std::string& remark = proved ? task.summary : task.note;
    if (!remark.empty()) line += " – " + base::first_line(remark, 160);
    line += "\n";
    if (text.size() + line.size() > bytes_max) {
      left_out += 1;
    } else {
      text += line;
    }
  }
  if (left_out > 0) text += "- … and " + std::to_string(left_out) + " more\n";
  return text;
}

namespace {

std::string proof_lines(const State& state) {
  if (state.phase != Phase::sealed) return "";
  if (state.master_review.proved_by.empty())
    return "Verified without commands: " + base::clip(state.plan.verify_reason, 300) + "\n";
  std::string text = "Verified by the Master Review's own runs (exit 0):\n";
  for (const std::string& command : state.master_review.proved_by) {
    const auto proof = std::ranges::find(state.master_review.proofs, command, &Proof::command);
    text += "- " +
            (proof == state.master_review.proofs.end() ? base::clip(command, 200)
                                                       : proof_words(std::vector<Proof>{*proof})) +
            "\n";
  }
  return base::clip(text, 800);
}

std::string request_of(const State& state) {
  switch (state.phase) {
    case Phase::sealed:
      return "Now: tell the user what was built and how it was verified, list the assumptions you "
             "made, and end your turn.";
    case Phase::blocked:
      return "Now: decide if you can. update_todo (retry, dropped, add) or a new submit_plan, then "
             "mission_run goes on. If a person must decide, tell the user what is open and that "
             "/resume goes on, and end your turn.";
    case Phase::paused:
      return "Now: tell the user that the mission is paused, its state is kept, and /resume goes "
             "on; then end your turn.";
    case Phase::cancelled:
    case Phase::failed:
      return "Now: tell the user how far it came, and end your turn.";
    case Phase::none:
    case Phase::briefing:
    case Phase::planning:
    case Phase::executing:
    case Phase::integrating:
      return "Now: call mission_run to go on with it.";
  }
  return "";
}

}  // namespace

std::string final_report(const State& state) {
  const std::string head = headline(state) + proof_lines(state);
  const std::string end = "\n" + request_of(state);
  const std::size_t room =
      kReportBytesMax - std::min(kReportBytesMax, head.size() + end.size() + 60);
  return head + task_lines(state, room) + end;
}

std::string interruption_report(const State& state, const std::string& words) {
  const std::string head = "The user wrote:\n" + base::clip(words, 1500) +
                           "\n\nThe mission goes on meanwhile: " + progress_title(state) + ".\n";
  const std::string end =
      "\nNow: answer the user; if they want the plan changed, use update_todo; then call "
      "mission_run "
      "again.";
  return head + task_lines(state, kReportBytesMax - head.size() - end.size() - 60) + end;
}

namespace {

std::string trouble_line(const State& state) {
  const std::string models = is_active(state.phase) ? models_line(state) : "";
  return models.empty() ? "" : "Models: " + base::clip(models, 250) + "\n";
}

}  // namespace

}  // namespace core

std::string progress_title(const State& state) {
  std::string text = std::string(to_name(state.phase));
  if (state.phase == Phase::planning || state.tasks.empty()) return text;
  text += " " + core::done_of_all(state);
  std::string running;
  for (const Task& task : state.tasks) {
    if (!core::is_in_work(task.status)) continue;
    if (running.size() > 60) {
      running += " …";
      break;
    }
    running += (running.empty() ? "" : ", ") + task.id.value +
               (task.status == TaskStatus::running ? "" : " " + std::string(to_name(task.status)));
  }
  if (!running.empty()) text += " · " + running;
  if (state.iteration > 1) text += " · iteration " + std::to_string(state.iteration);
  if (std::ranges::any_of(state.limiter.models,
                          [](const ModelLoad& load) { return load.breaker != Breaker::closed; }))
    text += " · waits for a model";
  if (!state.permissions.empty()) text += " · waits for a permission";
  return base::clip(text, 120);
}

std::string status_text(const State& state) {
  if (state.mission.empty()) return "No mission in this directory. /task <objective> starts one.";
  const std::string head = core::headline(state) +
                           "Objective: " + base::first_line(state.objective, 160) +
                           "\nSession: " + state.root_session.value + "\n" +
                           (state.dormant ? "Its process ended; /resume goes on.\n" : "") +
                           core::permission_lines(state) + core::trouble_line(state);
  const std::size_t room = head.size() + 60 < 1000 ? 1000 - head.size() - 60 : 0;
  return base::clip(head + core::task_lines(state, room), 1000);
}

}  // namespace orchestrator
