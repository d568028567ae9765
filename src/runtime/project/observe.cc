#include "runtime/project/observe.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <variant>

#include "os/content_hash.h"

namespace orchestrator::runtime {
namespace {

/// How long a running command that names the mission's own files may be the author of their
/// changes.
constexpr std::uint64_t kStateCommandMostMs = 600'000;
/// How long after its end a change of these files may still be its work.
constexpr std::uint64_t kStateSettlesMs = 5'000;
constexpr std::size_t kBegunMax = 1000;

/// Whether a command names `.opencode/todo.md` or its directory. The word `todo` alone is not
/// enough: the project may be about that.
bool names_state(std::string_view command) {
  constexpr std::array<std::string_view, 5> kNames = {"todo.md", "todo.*", "todo*", ".opencode",
                                                      "mission_loop"};
  return std::ranges::any_of(
      kNames, [&](std::string_view name) { return command.find(name) != std::string_view::npos; });
}

}  // namespace

Observe::Observe(const CurrentMission& mission, const World& world, const std::string& root,
                 const EngineLog& log, Inlet& inlet)
    : mission_(mission),
      world_(world),
      files_(world.files, root),
      watch_(
          world.files, root,
          [&inlet](FilesChanged changed, engine::Outbox& outbox) {
            inlet.enter(std::move(changed), outbox);
          },
          [&log](const std::string& why) { log.note(LogLevel::warn, why); }) {}

void Observe::add(Happening& happening, const std::string& output, engine::Outbox& outbox) {
  if (auto* ran = std::get_if<CommandRan>(&happening)) {
    command_ended(*ran, outbox);
    ran->output_hash = os::content_hash(output);
    const ProjectFiles& files = files_of(ran->session);
    const std::string workdir = ran->workdir.empty() ? "." : files.relative(ran->workdir);
    ran->workdir = workdir == "." ? "" : workdir;
    ran->files_hash = files.hash_of(vouched_files(mission_.state, ran->session));
    const auto begun = begun_.extract({ran->session, ran->call});
    ran->begun_hash = begun ? begun.mapped() : std::string(CommandRan::kUnseen);
  } else if (auto* written = std::get_if<FileWritten>(&happening)) {
    written->path = files_of(written->session).relative(written->path);
    note_write(*written, outbox.now_ms());
  } else if (auto* review = std::get_if<ReviewSubmitted>(&happening)) {
    review->files_hash =
        files_of(review->session).hash_of(vouched_files(mission_.state, review->session));
  } else if (auto* work = std::get_if<WorkSubmitted>(&happening)) {
    const ProjectFiles& files = files_of(work->session);
    for (std::string& file : work->args.files) file = files.relative(file);
  }
}

ProjectFiles& Observe::files_of(const SessionId& session) {
  const std::string directory = directory_of(mission_.state, session);
  if (directory.empty()) return files_;
  const auto known = places_.find(directory);
  if (known != places_.end()) return *known->second;
  const auto& trees = mission_.state.worktrees.trees;
  std::erase_if(places_, [&](const auto& place) {
    return std::ranges::find(trees, place.first, &Worktree::directory) == trees.end();
  });
  return *places_.emplace(directory, std::make_unique<ProjectFiles>(world_.files, directory))
              .first->second;
}

bool Observe::works_in_project(const SessionId& session) const {
  return directory_of(mission_.state, session).empty();
}

void Observe::command_begins(const codec::CommandAsked& command, engine::Outbox& outbox) {
  const Call call{command.session, command.call};
  if (names_state(command.command)) {
    std::erase_if(state_commands_,
                  [now = outbox.now_ms()](const auto& one) { return one.second < now; });
    state_commands_[call] = outbox.now_ms() + kStateCommandMostMs;
  }
  if (begun_.size() >= kBegunMax) begun_.clear();  // the host never reported the end of these
  watch_.command_began(command.session, command.call);
  begun_[call] = files_of(command.session).hash_of(vouched_files(mission_.state, command.session));
}

void Observe::command_ended(const CommandRan& ran, engine::Outbox& outbox) {
  if (role_of(mission_.state, ran.session) == Role::none) return;
  watch_.command_ended(ran.session, ran.call, outbox);
  if (names_state(ran.command))
    state_commands_[{ran.session, ran.call}] = outbox.now_ms() + kStateSettlesMs;
}

void Observe::note_write(const FileWritten& written, std::uint64_t now_ms) {
  if (works_in_project(written.session)) watch_.wrote(written.path, now_ms);
}

void Observe::before_apply(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    if (syntax::language_of_path(path)) files_.note_baseline(path);
  }
}

SessionId Observe::state_writer(std::uint64_t now_ms) const {
  for (const auto& [command, until_ms] : state_commands_) {
    if (now_ms <= until_ms) return command.first;
  }
  return {};
}

void Observe::forget() {
  files_.shadows().clear();
  places_.clear();
  begun_.clear();
  state_commands_.clear();
  watch_.end();
}

}  // namespace orchestrator::runtime
