#include "runtime/project/gates.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <variant>

#include "base/text.h"
#include "orchestrator/step.h"
#include "os/content_hash.h"
#include "runtime/code/lsp_report.h"
#include "runtime/code/syntax_gate.h"

namespace orchestrator::runtime {
namespace {

/// A command that names the mission's own files runs at most so long, as far as they are concerned.
constexpr std::uint64_t kStateCommandMostMs = 600'000;
/// Within this time after its end it is seen what it has left there.
constexpr std::uint64_t kStateSettlesMs = 5'000;

/// What a model writes who means `.opencode/todo.md` or its directory. Not `todo` alone: that may
/// be what the project is about.
bool names_state(std::string_view command) {
  constexpr std::array<std::string_view, 5> kNames = {"todo.md", "todo.*", "todo*", ".opencode",
                                                      "mission_loop"};
  return std::ranges::any_of(
      kNames, [&](std::string_view name) { return command.find(name) != std::string_view::npos; });
}

/// One write: an answer later than this finds nobody who waits for it.
constexpr std::chrono::milliseconds kShadowParse{500};
/// All files of a verdict; each has a limit of its own besides.
constexpr std::chrono::seconds kReviewParse{10};
constexpr std::size_t kCheckedMax = 50;
constexpr std::size_t kReviewErrorsMax = 10;
constexpr std::size_t kBegunMax = 1000;

/// Of an event that is a session's own; else empty.
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

}  // namespace

bool comes_from_user(const Happening& happening) {
  return std::holds_alternative<MissionRequested>(happening) ||
         std::holds_alternative<StopRequested>(happening) ||
         std::holds_alternative<ResumeRequested>(happening) ||
         std::holds_alternative<RunCalled>(happening);
}

Gates::Gates(MissionAccess& mission, const World& world, const std::string& root)
    : mission_(mission),
      world_(world),
      files_(world.files, root),
      watch_(
          world.files, root,
          [this](FilesChanged changed, engine::Outbox& outbox) {
            mission_.record_late(std::move(changed), outbox);
            mission_.release(outbox);
          },
          [this](const std::string& why) { mission_.note(LogLevel::warning, why); }),
      servers_(world.files, root, world.program_path, [this](engine::Outbox& outbox) {
        settle(outbox);
        mission_.release(outbox);
      }) {}

void Gates::begin_diagnoses(const Options& options, engine::Outbox& outbox) {
  servers_.begin(options);
  told_missing_.clear();
  shown_missing_.clear();
  settle(outbox);
}

ProjectFiles& Gates::files_of(const SessionId& session) {
  const std::string directory = directory_of(mission_.state(), session);
  if (directory.empty()) return files_;
  const auto known = places_.find(directory);
  if (known != places_.end()) return *known->second;
  const auto& trees = mission_.state().worktrees.trees;
  std::erase_if(places_, [&](const auto& place) {
    return std::ranges::find(trees, place.first, &Worktree::directory) == trees.end();
  });
  return *places_.emplace(directory, std::make_unique<ProjectFiles>(world_.files, directory))
              .first->second;
}

void Gates::before_apply(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    if (syntax::language_of_path(path)) files_.note_baseline(path);
  }
}

void Gates::forget_files() {
  files_.shadows().clear();
  places_.clear();
  told_unknown_.clear();
  begun_.clear();
  state_commands_.clear();
  watch_.end();
}

bool Gates::keeps(Happening& happening, const std::string& output, engine::Outbox& outbox) {
  if (waits_behind_work(happening, output, outbox)) return true;
  if (const auto* ran = std::get_if<CommandRan>(&happening);
      ran != nullptr && role_of(mission_.state(), ran->session) != Role::none) {
    watch_.command_ended(ran->session, ran->call, outbox);
    if (names_state(ran->command))
      state_commands_[{ran->session, ran->call}] = outbox.now_ms() + kStateSettlesMs;
  }
  const auto* work = std::get_if<WorkSubmitted>(&happening);
  return work != nullptr && diagnose(*work, outbox);
}

/// The claim grows with the permission, not with the write: of two sessions that ask for one free
/// file, the second is refused.
void Gates::answer(const codec::WriteAsked& asked, engine::Outbox& outbox) {
  ProjectFiles& files = files_of(asked.session);
  std::vector<std::string> inside;
  for (const std::string& path : asked.paths) {
    inside.push_back(files.relative(path));
    const auto why = [&] {
      return why_not_write(mission_.state(), asked.session, inside.back(), asked.child);
    };
    if (why().empty()) continue;
    // It may be that another task gives way, and then it may write after all.
    if (role_of(mission_.state(), asked.session) == Role::worker &&
        !inside.back().starts_with('/') && mission_.problem().empty())
      mission_.record(WriteRefused{asked.session, inside.back()}, outbox);
    if (const std::string refused = why(); !refused.empty())
      return mission_.reply(asked.request, false, refused);
  }
  if (role_of(mission_.state(), asked.session) != Role::none) {
    const std::string problem = mission_.problem();
    if (!problem.empty()) return mission_.reply(asked.request, false, problem);
    mission_.await_disk(asked.request);
    for (const std::string& path : inside) {
      // Parsed while the host writes, so that the check of that write finds a tree.
      if (auto file = files.note_baseline(path))
        outbox.run_on_pool([file] { file->prepare(); }, [](engine::Outbox&) {});
      if (&files == &files_) servers_.note_write(path, outbox);
      mission_.record(FileWritten{asked.session, path}, outbox);
    }
  }
  mission_.reply(asked.request, true, "");
}

/// Changes nothing that lasts, so its answer waits for no disk.
void Gates::answer(const codec::CheckAsked& asked, engine::Outbox& outbox) {
  ProjectFiles& files = files_of(asked.session);
  std::vector<std::shared_ptr<ShadowFile>> written;
  if (role_of(mission_.state(), asked.session) != Role::none) {
    for (const std::string& path : asked.paths) {
      auto file = files.shadows().find(files.relative(path));
      if (file != nullptr && written.size() < kCheckedMax) written.push_back(std::move(file));
    }
  }
  if (written.empty()) return mission_.reply_first(asked.request);
  struct Job {
    std::vector<std::shared_ptr<ShadowFile>> files;
    std::vector<std::string> paths;
    std::vector<ShadowReport> reports;
  };
  auto job = std::make_shared<Job>();
  for (const auto& file : written) job->paths.push_back(files.whole(file->path()));
  job->files = std::move(written);
  outbox.run_on_pool(
      [job, &disk = world_.files] {
        const syntax::Limits limits{.time_max = kShadowParse};
        for (std::size_t i = 0; i < job->files.size(); ++i)
          job->reports.push_back(job->files[i]->check(text_to_check(disk, job->paths[i]), limits));
      },
      [this, job, request = asked.request, session = asked.session](engine::Outbox& out) {
        for (const auto& file : job->files) files_of(session).shadows().used(file->path());
        bool say_unknown = !told_unknown_.contains(session);
        const std::string text = shadow_text(job->reports, say_unknown);
        if (!say_unknown) told_unknown_.insert(session);
        out.send(codec::encode_effect(Reply{request, true, text}));
      });
}

SessionId Gates::state_writer(std::uint64_t now_ms) const {
  for (const auto& [command, until_ms] : state_commands_) {
    if (now_ms <= until_ms) return command.first;
  }
  return {};
}

void Gates::answer(const codec::CommandAsked& asked, engine::Outbox& outbox) {
  if (role_of(mission_.state(), asked.session) != Role::none) {
    if (names_state(asked.command)) {
      std::erase_if(state_commands_,
                    [now = outbox.now_ms()](const auto& one) { return one.second < now; });
      state_commands_[{asked.session, asked.call}] = outbox.now_ms() + kStateCommandMostMs;
    }
    if (begun_.size() >= kBegunMax) begun_.clear();  // commands whose end nobody told
    watch_.command_began(asked.session, asked.call);
    begun_[{asked.session, asked.call}] =
        files_of(asked.session).hash_of(vouched_files(mission_.state(), asked.session));
  }
  mission_.reply_first(asked.request);
}

void Gates::answer(const codec::DiagnosticsAsked& asked, engine::Outbox& outbox) {
  const Role role = role_of(mission_.state(), asked.session);
  if (role != Role::worker && role != Role::reviewer && role != Role::master_reviewer) {
    return mission_.reply(asked.request, false,
                          "lsp_diagnostics: this session is no Worker or Reviewer of a mission");
  }
  ProjectFiles& files = files_of(asked.session);
  // A server for each worktree would cost hundreds of MB.
  if (&files != &files_) {
    return mission_.reply(
        asked.request, true,
        "lsp_diagnostics: no language server runs for files in a worktree; they are checked when "
        "the work is merged into the project.");
  }
  std::vector<std::string> paths;
  for (const std::string& path : asked.args.paths) paths.push_back(files.relative(path));
  if (paths.empty() || !asked.problems.empty()) {
    return mission_.reply(
        asked.request, false,
        base::listed("lsp_diagnostics: refused. paths: a list of files is needed", asked.problems));
  }
  questions_[servers_.check(paths, false, world_.diagnose_ms, outbox)] = asked.request;
  settle(outbox);
}

/// Asks the language servers about the files of a submission. False: there is nothing to ask.
bool Gates::diagnose(const WorkSubmitted& work, engine::Outbox& outbox) {
  const Session* session = find_session(mission_.state(), work.session);
  const Task* task = session == nullptr ? nullptr : find_task(mission_.state(), session->task);
  // What is refused anyway, or was told to a process before this one, costs no server's time.
  if (task == nullptr || session->role != Role::worker || !work.problems.empty() ||
      work.harvested || !mission_.is_open() || &files_of(work.session) != &files_) {
    return false;
  }
  std::set<std::string> paths(task->touched.begin(), task->touched.end());
  for (const std::string& file : work.args.files) paths.insert(files_.relative(file));
  std::erase_if(paths, [&](const std::string& path) { return !servers_.is_checkable(path); });
  if (paths.empty()) return false;
  HeldWork held;
  held.event = work;
  held.check = servers_.check({paths.begin(), paths.end()}, true, world_.diagnose_ms, outbox);
  held_.push_back(std::move(held));
  settle(outbox);
  return true;
}

/// Keeps the order of a session's events; an aborted call is judged by nobody.
bool Gates::waits_behind_work(Happening& happening, const std::string& output,
                              engine::Outbox& outbox) {
  if (held_.empty() || comes_from_user(happening)) return false;
  const SessionId session = session_of(happening);
  const auto held = std::ranges::find_if(
      held_, [&](const HeldWork& work) { return work.event.session == session; });
  if (session.empty() || held == held_.end()) return false;
  const auto* aborted = std::get_if<CallAborted>(&happening);
  const bool gives_up = aborted != nullptr && aborted->request == held->event.request;
  codec::Incoming incoming;
  incoming.what = std::move(happening);
  incoming.output = output;
  held->later.push_back(std::move(incoming));
  if (!gives_up) return true;
  HeldWork over = std::move(*held);
  held_.erase(held);
  servers_.forget(over.check, outbox);
  settle(outbox);
  for (codec::Incoming& later : over.later) mission_.take(std::move(later), outbox);
  return true;
}

/// What the language servers have answered goes to whoever waits for it.
void Gates::settle(engine::Outbox& outbox) {
  for (const CheckReport& report : servers_.take_reports()) {
    if (const auto asked = questions_.find(report.check); asked != questions_.end()) {
      mission_.reply(asked->second, true, listing_of(report));
      questions_.erase(asked);
    }
    const auto held = std::ranges::find(held_, report.check, &HeldWork::check);
    if (held == held_.end()) continue;
    HeldWork work = std::move(*held);
    held_.erase(held);
    const SessionId session = work.event.session;
    const auto told_before = told_missing_;
    work.event.diagnosis = diagnosis_of(report, told_missing_);
    for (const FileReport& file : report.files) {
      if (file.missing && shown_missing_.insert(file.language).second) tell_missing(file);
    }
    Happening happening = std::move(work.event);
    observe(happening, "");
    mission_.record(std::move(happening), outbox);
    if (!is_handed_in(session)) told_missing_ = told_before;
    for (codec::Incoming& later : work.later) mission_.take(std::move(later), outbox);
  }
}

/// Whether the work of a session was taken: a refusal shows no notes.
bool Gates::is_handed_in(const SessionId& id) const {
  const Session* session = find_session(mission_.state(), id);
  const Task* task = session == nullptr ? nullptr : find_task(mission_.state(), session->task);
  return task != nullptr && task->status != TaskStatus::running &&
         task->status != TaskStatus::rework;
}

/// What they answer cannot be acted upon any more: nobody is to wait for it.
void Gates::drop_kept(const std::string& why, engine::Outbox& outbox) {
  for (HeldWork& work : std::exchange(held_, {})) {
    servers_.forget(work.check, outbox);
    outbox.send(codec::encode_effect(Reply{work.event.request, false, why}));
    for (codec::Incoming& later : work.later) mission_.take(std::move(later), outbox);
  }
}

void Gates::tell_missing(const FileReport& file) {
  mission_.note(LogLevel::warning, file.language + ": " + file.skipped);
  mission_.show(ShowToast{"info", "Orchestrator: submitted work in " + file.language +
                                      " is not checked by a language server: " + file.skipped});
}

/// A verdict is stepped when it is known how the changed files parse. That is found out on the
/// pool: it may take as long as hostile files can make it.
void Gates::record_review(ReviewSubmitted review, engine::Outbox& outbox) {
  struct Job {
    ReviewSubmitted review;
    std::vector<std::shared_ptr<ShadowFile>> files;
    std::vector<std::string> paths;
  };
  auto job = std::make_shared<Job>();
  const ProjectFiles& files = files_of(review.session);
  job->files = files.written_among(vouched_files(mission_.state(), review.session));
  if (job->files.empty()) return mission_.record(std::move(review), outbox);
  for (const auto& file : job->files) job->paths.push_back(files.whole(file->path()));
  job->review = std::move(review);
  const auto parse = [job, &disk = world_.files] {
    const auto end = std::chrono::steady_clock::now() + kReviewParse;
    for (std::size_t i = 0; i < job->files.size(); ++i) {
      if (std::chrono::steady_clock::now() > end) return;
      const ShadowReport report =
          job->files[i]->check_whole(text_to_check(disk, job->paths[i]), {});
      for (const syntax::SyntaxError& error : report.fresh) {
        if (job->review.syntax_errors.size() >= kReviewErrorsMax) return;
        job->review.syntax_errors.push_back("syntax error in " + report.path + ":" +
                                            syntax::to_string(error));
      }
    }
  };
  // Found in the host after a crash, before what the host still has is told: it keeps its place.
  if (job->review.harvested) {
    parse();
    return mission_.record(std::move(job->review), outbox);
  }
  outbox.run_on_pool(parse, [this, job](engine::Outbox& out) {
    // What has changed while it was parsed is changed when the verdict is taken.
    const auto vouched = vouched_files(mission_.state(), job->review.session);
    job->review.files_hash = files_of(job->review.session).hash_of(vouched);
    mission_.record_late(std::move(job->review), out);
    mission_.release(out);
  });
}

/// Adds to an event what only this process can see at this moment.
void Gates::observe(Happening& happening, const std::string& output) {
  if (auto* ran = std::get_if<CommandRan>(&happening)) {
    ran->output_hash = os::content_hash(output);
    const ProjectFiles& files = files_of(ran->session);
    const std::string workdir = ran->workdir.empty() ? "." : files.relative(ran->workdir);
    ran->workdir = workdir == "." ? "" : workdir;
    ran->files_hash = files.hash_of(vouched_files(mission_.state(), ran->session));
    const auto begun = begun_.extract({ran->session, ran->call});
    ran->begun_hash = begun ? begun.mapped() : std::string(CommandRan::kUnseen);
  } else if (auto* written = std::get_if<FileWritten>(&happening)) {
    written->path = files_of(written->session).relative(written->path);
  } else if (auto* review = std::get_if<ReviewSubmitted>(&happening)) {
    review->files_hash =
        files_of(review->session).hash_of(vouched_files(mission_.state(), review->session));
  } else if (auto* work = std::get_if<WorkSubmitted>(&happening)) {
    const ProjectFiles& files = files_of(work->session);
    for (std::string& file : work->args.files) file = files.relative(file);
  }
}

}  // namespace orchestrator::runtime
