#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "core/schedule/early_review.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/path_claims.h"
#include "core/state/phases.h"
#include "core/state/plan_rules.h"
#include "core/state/races.h"
#include "core/state/sessions.h"
#include "core/state/tasks.h"
#include "core/tools/common.h"
#include "core/tools/handlers.h"
#include "core/tools/receipts.h"
#include "core/worktrees/worktrees.h"

namespace orchestrator::core {
namespace {

constexpr std::size_t kDescriptionBytesMax = 20'000;

/// Iterations in a row that may find no fewer findings than the one before.
constexpr std::uint32_t kNotLoweredMax = 2;
constexpr std::size_t kCountsMax = 100;

std::uint32_t count_to_fix(const std::vector<Finding>& findings) {
  return static_cast<std::uint32_t>(std::ranges::count_if(
      findings, [](const Finding& f) { return f.severity != Severity::note; }));
}

void note_findings(State& state, std::uint32_t found) {
  std::vector<std::uint32_t>& counts = state.master_review.findings_by_iteration;
  if (counts.size() >= kCountsMax) {
    counts.erase(counts.begin());
    if (state.master_review.convergence_from > 0) state.master_review.convergence_from -= 1;
  }
  counts.push_back(found);
}

/// Number of newest iterations, in a row, that found no fewer findings than the one before.
std::uint32_t not_lowered(const State& state) {
  const std::vector<std::uint32_t>& counts = state.master_review.findings_by_iteration;
  std::uint32_t in_a_row = 0;
  for (std::size_t i = counts.size();
       i >= 2 && i - 1 > state.master_review.convergence_from && counts[i - 1] >= counts[i - 2];
       --i) {
    ++in_a_row;
  }
  return in_a_row;
}

/// Why no further iteration may begin; empty: one may.
std::string why_no_iteration(const State& state) {
  if (not_lowered(state) >= kNotLoweredMax) {
    std::string counts;
    for (const std::uint32_t found : state.master_review.findings_by_iteration)
      counts += (counts.empty() ? "" : ", ") + std::to_string(found);
    return "two iterations in a row did not lower the number of findings (" + counts +
           "), so another one would not either. The user or a new plan must decide "
           "about these:";
  }
  const std::uint32_t iterations = state.options.limits.iterations;
  if (state.iteration < iterations) return "";
  return "the whole was rejected in iteration " + std::to_string(state.iteration) + " of " +
         std::to_string(iterations) + ":";
}

/// The first line that is not empty.
std::string headline_of(const Finding& finding) {
  return base::first_line(base::trimmed(finding.message), 180);
}

std::string place_of(const Finding& finding) {
  if (finding.file.empty()) return "";
  return finding.file + (finding.line > 0 ? ":" + std::to_string(finding.line) : "");
}

/// Verify commands of a task that fixes a finding. If it is the only finding, the mission's own
/// commands. With several, these may fail because of the other findings, so the commands of the
/// task that claims the file, which were green.
std::vector<std::string> verify_of(const State& state, const Finding& finding, bool alone) {
  if (alone) return state.plan.verify;
  const std::string file = base::project_path(finding.file);
  if (finding.file.empty() || file.empty()) return {};
  const auto owner = std::ranges::find_if(state.tasks, [&](const Task& task) {
    return task.status == TaskStatus::done && claims(task, file);
  });
  return owner == state.tasks.end() ? std::vector<std::string>{} : owner->spec.verify;
}

TaskSpec fix_task(const State& state, const Finding& finding, bool alone) {
  TaskSpec spec;
  spec.id = numbered_id(state, "F" + std::to_string(state.iteration - 1) + ".", "F");
  spec.title = headline_of(finding);
  const std::string place = place_of(finding);
  spec.description = "The review of the whole mission found" +
                     (place.empty() ? "" : " in " + place) + ":\n" + finding.message;
  if (!finding.file.empty() && !base::project_path(finding.file).empty())
    spec.files = {finding.file};
  spec.accept = {"the finding is fixed, and nothing else is broken"};
  spec.verify = verify_of(state, finding, alone);
  return spec;
}

/// Adds a task for each finding that must be fixed; findings over the limit of tasks join the last
/// one.
void add_fix_tasks(Context& ctx, const std::vector<Finding>& findings) {
  State& state = ctx.state;
  ctx.moved = ctx.graph_moved = true;
  const std::size_t first = state.tasks.size();
  const bool alone = count_to_fix(findings) == 1;
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::note) continue;
    if (state.tasks.size() < state.options.limits.tasks || state.tasks.size() == first) {
      state.tasks.push_back(make_task(state, fix_task(state, finding, alone)));
    } else {
      Task& last = state.tasks.back();
      last.files.clear();
      if (last.spec.description.size() > kDescriptionBytesMax) continue;
      last.spec.description +=
          "\n\nAnd " + place_of(finding) + ": " + base::clip(finding.message, 1000);
    }
  }
}

void pass_task(Context& ctx, Task& task, const std::vector<Finding>& findings,
               std::vector<Proof> proofs) {
  task.review.proved_by = task.spec.verify;
  task.review.proofs = std::move(proofs);
  task.review.findings = findings;
  task.note.clear();
  if (!awaits_merge(ctx, task)) move_task(ctx, task, TaskStatus::done);
  for (Session& session : ctx.state.sessions) {
    const bool rests = session.role == Role::worker && session.state == SessionState::idle;
    if (session.task == task.id && rests) end_session(ctx, session);
  }
}

void reject_task(Context& ctx, Task& task, const std::vector<Finding>& findings) {
  const std::uint32_t attempts = ctx.state.options.limits.attempts;
  task.review.findings = findings;
  task.review.rejections += 1;
  ctx.state.metrics.rejections += 1;
  if (task.attempt < attempts) return move_task(ctx, task, TaskStatus::rework);
  const auto worst = std::ranges::min_element(findings, {}, &Finding::severity);
  task.note = "rejected in attempt " + std::to_string(task.attempt) + " of " +
              std::to_string(attempts) + ": " + headline_of(*worst);
  move_task(ctx, task, TaskStatus::blocked);
  Session* worker = live_session(ctx.state, Role::worker, task.id);
  if (worker != nullptr) end_session(ctx, *worker);
}

void reject_mission(Context& ctx, const std::vector<Finding>& findings) {
  State& state = ctx.state;
  state.master_review.findings = findings;
  state.metrics.rejections += 1;
  note_findings(state, count_to_fix(findings));
  if (const std::string why = why_no_iteration(state); !why.empty()) {
    std::vector<std::string> lines;
    lines.reserve(findings.size());
    for (const Finding& finding : findings) {
      const std::string place = place_of(finding);
      lines.push_back((place.empty() ? "" : place + ": ") + headline_of(finding));
    }
    return ctx.conclude(Phase::blocked, base::listed(why, lines));
  }
  state.iteration += 1;
  add_fix_tasks(ctx, findings);
  enter(ctx, Cause::review_rejected, Phase::executing);
}

/// Checks that a reject has findings that say what to fix.
void check_reject(const std::vector<Finding>& findings, std::vector<std::string>& problems) {
  const bool says_why =
      std::ranges::any_of(findings, [](const Finding& f) { return f.severity != Severity::note; });
  if (says_why) return;
  problems.emplace_back(
      "findings: a reject needs at least one error or warning that says what must be fixed");
}

/// Checks that a pass has no errors against it, and receipts for the verify commands.
void check_pass(const State& state, const ReviewSubmitted& event,
                const std::vector<std::string>& verify, std::vector<std::string>& problems) {
  const std::vector<Finding>& findings = event.args.findings;
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (findings[i].severity != Severity::error) continue;
    problems.push_back("findings[" + std::to_string(i) +
                       "] is an error, and the verdict is pass: reject, or lower its severity");
  }
  for (const std::string& error : event.syntax_errors) {
    problems.push_back(error + ": a pass is not possible; reject with this finding");
  }
  base::append(problems, missing_receipts(state, event.session, verify, event.files_hash));
}

std::vector<std::string> review_problems(const State& state, const ReviewSubmitted& event,
                                         const TaskId& subject, const TaskId& name,
                                         const std::vector<std::string>& verify,
                                         bool first_look = false) {
  std::vector<std::string> problems = event.problems;
  check_named_task(event.args.task, subject, name, problems);
  for (std::size_t i = 0; i < event.args.findings.size(); ++i) {
    if (!base::trimmed(event.args.findings[i].message).empty()) continue;
    problems.push_back("findings[" + std::to_string(i) + "].message: empty; write what is wrong");
  }
  base::append(problems, unproved_claims(state, event.session, event.args.evidence));
  if (!event.args.verdict) {
    if (problems.empty()) problems.emplace_back("verdict: \"pass\" or \"reject\" is needed");
  } else if (first_look) {
    return problems;
  } else if (*event.args.verdict == Verdict::reject) {
    check_reject(event.args.findings, problems);
  } else {
    check_pass(state, event, verify, problems);
  }
  return problems;
}

std::string why_no_review(const State& state, const SessionId& id) {
  const Session* session = find_session(state, id);
  const bool whole = session != nullptr && session->role == Role::master_reviewer;
  std::string wrong =
      wrong_caller(state, id, whole ? Role::master_reviewer : Role::reviewer, "submit_review");
  if (!wrong.empty() || session == nullptr) return wrong;
  const Task* task = find_task(state, session->task);
  const TaskStatus reviewed =
      session->lease.early_review ? TaskStatus::running : TaskStatus::reviewing;
  const bool awaited = whole ? state.phase == Phase::integrating && all_settled(state)
                             : task != nullptr && task->status == reviewed;
  if (awaited && !session->lease.submitted && session->state != SessionState::ended) return "";
  return "submit_review: the mission waits for no verdict of this session any more: end your turn";
}

/// Takes the verdict of an early review. It decides nothing, so it needs no receipts, but commands
/// that it claims must have run.
void take_early_review(Context& ctx, const ReviewSubmitted& event, Session& session, Task& task) {
  const std::vector<std::string> problems =
      review_problems(ctx.state, event, task.id, display_task(ctx.state, task).id, {}, true);
  if (!problems.empty()) {
    return refuse_call(
        ctx, event.request, event.session,
        base::listed("submit_review: not accepted. Fix all of these and call it again:", problems));
  }
  take_submission(
      ctx, session, event.request,
      "Taken: the Worker of " + task.id.value + " reads your findings now. End your turn.");
  tell_worker(ctx, task, event.args.findings);
}

void take_whole(Context& ctx, const ReviewArgs& review, std::vector<Proof> proofs) {
  if (*review.verdict == Verdict::reject) return reject_mission(ctx, review.findings);
  ctx.state.master_review.findings = review.findings;
  ctx.state.master_review.proofs = std::move(proofs);
  ctx.conclude(Phase::sealed);
}

void take_task(Context& ctx, Task& task, const ReviewArgs& review, std::vector<Proof> proofs) {
  if (*review.verdict == Verdict::reject) return reject_task(ctx, task, review.findings);
  pass_task(ctx, task, review.findings, std::move(proofs));
}

}  // namespace

void on_submit_review(Context& ctx, const ReviewSubmitted& event) {
  State& state = ctx.state;
  const std::string why = why_no_review(state, event.session);
  if (!why.empty()) return refuse_call(ctx, event.request, event.session, why);
  Session& session = *find_session(state, event.session);
  Task* task = find_task(state, session.task);
  if (session.lease.early_review && task != nullptr)
    return take_early_review(ctx, event, session, *task);
  const std::string subject = task == nullptr ? "mission" : task->id.value;
  const std::vector<std::string>& verify = task == nullptr ? state.plan.verify : task->spec.verify;
  const TaskId whole("mission");
  const TaskId& named = task == nullptr ? whole : display_task(state, *task).id;
  const std::vector<std::string> problems =
      review_problems(state, event, task == nullptr ? whole : task->id, named, verify);
  if (!problems.empty()) {
    return refuse_call(
        ctx, event.request, event.session,
        base::listed("submit_review: not accepted. Fix all of these and call it again:", problems));
  }
  const bool pass = *event.args.verdict == Verdict::pass;
  std::vector<Proof> proofs = proofs_of(state, event.session, verify);
  take_submission(ctx, session, event.request,
                  "Taken: " + subject + (pass ? " passed" : " rejected") + ". End your turn.");
  // Last: both invalidate the references above.
  if (task == nullptr) {
    take_whole(ctx, event.args, std::move(proofs));
  } else {
    take_task(ctx, *task, event.args, std::move(proofs));
  }
}

}  // namespace orchestrator::core
