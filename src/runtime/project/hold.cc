#include "runtime/project/hold.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <variant>

#include "base/text.h"
#include "orchestrator/step.h"
#include "runtime/code/lsp_report.h"
#include "runtime/code/syntax_gate.h"

namespace orchestrator::runtime {
namespace {

/// Time limit for parsing all files of a verdict; each file has its own limit besides.
constexpr std::chrono::seconds kReviewParse{10};
constexpr std::size_t kReviewErrorsMax = 10;

/// The session of an event; empty: the event has none.
SessionId session_of(const Happening& happening) {
  return std::visit(
      [](const auto& event) {
        if constexpr (requires { SessionId(event.session); }) {
          return event.session;
        } else {
          return SessionId();
        }
      },
      happening);
}

/// A verdict and its vouched files that the mission has written.
struct Verdict {
  ReviewSubmitted review;
  std::vector<std::shared_ptr<ShadowFile>> files;
  std::vector<std::string> paths;
};

/// Adds the syntax errors of its files to a verdict. Runs on the pool, because files can be made
/// slow to parse.
void parse_files(Verdict& verdict, os::FileSystem& disk) {
  const auto end = std::chrono::steady_clock::now() + kReviewParse;
  for (std::size_t i = 0; i < verdict.files.size(); ++i) {
    if (std::chrono::steady_clock::now() > end) return;
    const ShadowReport report =
        verdict.files[i]->check_whole(text_to_check(disk, verdict.paths[i]), {});
    for (const syntax::SyntaxError& error : report.fresh) {
      if (verdict.review.syntax_errors.size() >= kReviewErrorsMax) return;
      verdict.review.syntax_errors.push_back("syntax error in " + report.path + ":" +
                                             syntax::to_string(error));
    }
  }
}

}  // namespace

bool comes_from_user(const Happening& happening) {
  return std::holds_alternative<MissionRequested>(happening) ||
         std::holds_alternative<StopRequested>(happening) ||
         std::holds_alternative<ResumeRequested>(happening) ||
         std::holds_alternative<RunCalled>(happening);
}

Hold::Hold(const CurrentMission& mission, const World& world, const std::string& root,
           const EngineLog& log, Observe& observe, Emit& emit, Inlet& inlet)
    : mission_(mission),
      world_(world),
      log_(log),
      observe_(observe),
      emit_(emit),
      inlet_(inlet),
      servers_(world.files, root, world.program_path,
               [&inlet](engine::Outbox& outbox) { inlet.release(outbox); }) {}

void Hold::begin(const Options& options) {
  servers_.begin(options);
  told_missing_.clear();
  shown_missing_.clear();
}

bool Hold::keeps(Happening& happening, const std::string& output, engine::Outbox& outbox) {
  if (waits_behind_work(happening, output, outbox)) return true;
  if (const auto* work = std::get_if<WorkSubmitted>(&happening)) return diagnose(*work, outbox);
  if (auto* review = std::get_if<ReviewSubmitted>(&happening)) return parse(*review, outbox);
  return false;
}

/// Asks the language servers about the files of a submission. False: there is nothing to ask.
bool Hold::diagnose(const WorkSubmitted& work, engine::Outbox& outbox) {
  const Session* session = find_session(mission_.state, work.session);
  const Task* task = session == nullptr ? nullptr : find_task(mission_.state, session->task);
  // Skip work that will be refused, and work that an earlier process received.
  if (task == nullptr || session->role != Role::worker || !work.problems.empty() ||
      work.harvested || !mission_.is_open() || !observe_.works_in_project(work.session)) {
    return false;
  }
  const ProjectFiles& files = observe_.files_of(work.session);
  std::set<std::string> paths(task->progress.touched.begin(), task->progress.touched.end());
  for (const std::string& file : work.args.files) paths.insert(files.relative(file));
  std::erase_if(paths, [&](const std::string& path) { return !servers_.is_checkable(path); });
  if (paths.empty()) return false;
  Work held;
  held.event = work;
  held.check = servers_.check({paths.begin(), paths.end()}, true, world_.diagnose_ms, outbox);
  held_.push_back(std::move(held));
  return true;
}

/// Keeps the order of a session's events: they wait behind its held work. Abandons the work of an
/// aborted call.
bool Hold::waits_behind_work(Happening& happening, const std::string& output,
                             engine::Outbox& outbox) {
  if (held_.empty() || comes_from_user(happening)) return false;
  const SessionId session = session_of(happening);
  const auto held =
      std::ranges::find_if(held_, [&](const Work& work) { return work.event.session == session; });
  if (session.empty() || held == held_.end()) return false;
  const auto* aborted = std::get_if<CallAborted>(&happening);
  const bool gives_up = aborted != nullptr && aborted->request == held->event.request;
  codec::Incoming incoming;
  incoming.what = std::move(happening);
  incoming.output = output;
  held->later.push_back(std::move(incoming));
  if (!gives_up) return true;
  servers_.forget(held->check, outbox);
  std::ranges::move(held->later, std::back_inserter(abandoned_));
  held_.erase(held);
  return true;
}

/// Holds a verdict until the pool has parsed the changed files. False: there is nothing to parse,
/// or it is done.
bool Hold::parse(ReviewSubmitted& review, engine::Outbox& outbox) {
  const ProjectFiles& files = observe_.files_of(review.session);
  auto verdict = std::make_shared<Verdict>();
  verdict->files = files.written_among(vouched_files(mission_.state, review.session));
  if (verdict->files.empty()) return false;
  for (const auto& file : verdict->files) verdict->paths.push_back(files.whole(file->path()));
  verdict->review = std::move(review);
  // A harvested verdict must be recorded before the `SessionsFound` that follows: parse at once.
  if (verdict->review.harvested) {
    parse_files(*verdict, world_.files);
    review = std::move(verdict->review);
    return false;
  }
  outbox.run_on_pool(
      [verdict, &disk = world_.files] { parse_files(*verdict, disk); },
      [this, verdict](engine::Outbox& out) { inlet_.enter(std::move(verdict->review), out); });
  return true;
}

void Hold::answer(const codec::DiagnosticsAsked& asked, engine::Outbox& outbox) {
  const Role role = role_of(mission_.state, asked.session);
  if (role != Role::worker && role != Role::reviewer && role != Role::master_reviewer) {
    return emit_.reply(asked.request, false,
                       "lsp_diagnostics: this session is no Worker or Reviewer of a mission");
  }
  // Not in worktrees: a server for each of them would cost hundreds of MB.
  if (!observe_.works_in_project(asked.session)) {
    return emit_.reply(
        asked.request, true,
        "lsp_diagnostics: no language server runs for files in a worktree; they are checked when "
        "the work is merged into the project.");
  }
  const ProjectFiles& files = observe_.files_of(asked.session);
  std::vector<std::string> paths;
  for (const std::string& path : asked.args.paths) paths.push_back(files.relative(path));
  if (paths.empty() || !asked.problems.empty()) {
    return emit_.reply(
        asked.request, false,
        base::listed("lsp_diagnostics: refused. paths: a list of files is needed", asked.problems));
  }
  questions_[servers_.check(paths, false, world_.diagnose_ms, outbox)] = asked.request;
}

std::optional<Hold::Work> Hold::take_work(const CheckReport& report) {
  if (const auto asked = questions_.find(report.check); asked != questions_.end()) {
    emit_.reply(asked->second, true, listing_of(report));
    questions_.erase(asked);
  }
  const auto held = std::ranges::find(held_, report.check, &Work::check);
  if (held == held_.end()) return std::nullopt;
  Work work = std::move(*held);
  held_.erase(held);
  told_before_ = told_missing_;
  work.event.diagnosis = diagnosis_of(report, told_missing_);
  for (const FileReport& file : report.files) {
    if (file.missing && shown_missing_.insert(file.language).second) report_missing(file);
  }
  return work;
}

void Hold::note_outcome(const SessionId& session) {
  if (!is_handed_in(session)) told_missing_ = told_before_;
}

bool Hold::is_handed_in(const SessionId& id) const {
  const Session* session = find_session(mission_.state, id);
  const Task* task = session == nullptr ? nullptr : find_task(mission_.state, session->task);
  return task != nullptr && task->status != TaskStatus::running &&
         task->status != TaskStatus::rework;
}

std::vector<codec::Incoming> Hold::take_abandoned() { return std::exchange(abandoned_, {}); }

std::vector<codec::Incoming> Hold::drop(const std::string& why, engine::Outbox& outbox) {
  std::vector<codec::Incoming> behind;
  for (Work& work : std::exchange(held_, {})) {
    servers_.forget(work.check, outbox);
    outbox.send(codec::encode_effect(Reply{work.event.request, false, why}));
    std::ranges::move(work.later, std::back_inserter(behind));
  }
  return behind;
}

void Hold::report_missing(const FileReport& file) {
  log_.note(LogLevel::warn, file.language + ": " + file.skipped);
  emit_.add(ShowToast{"info", "Orchestrator: submitted work in " + file.language +
                                  " is not checked by a language server: " + file.skipped});
}

}  // namespace orchestrator::runtime
