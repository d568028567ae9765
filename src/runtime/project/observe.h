#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "codec/message.h"
#include "runtime/code/change_detector.h"
#include "runtime/code/project_files.h"
#include "runtime/project/current_mission.h"
#include "runtime/project/engine_log.h"
#include "runtime/project/inlet.h"
#include "runtime/project/world.h"

namespace orchestrator::runtime {

/// The stage `observe`: adds to an event what only this process can see at this moment (hashes of
/// files, paths as the project names them), before the event is recorded; and finds changes of
/// files that no tool made. Engine thread.
class Observe {
 public:
  /// All of them outlive it. Changes that it finds enter by `inlet`.
  Observe(const CurrentMission& mission, const World& world, const std::string& root,
          const EngineLog& log, Inlet& inlet);

  void add(Happening& happening, const std::string& output, engine::Outbox& outbox);

  /// The files among which a session works: the project's, or those of its worktree.
  ProjectFiles& files_of(const SessionId& session);
  /// False: the session works in a worktree.
  [[nodiscard]] bool works_in_project(const SessionId& session) const;

  /// A command of a mission session begins: until it ends, its files are compared with now.
  void command_begins(const codec::CommandAsked& command, engine::Outbox& outbox);
  /// A tool of this session has leave to write this file.
  void note_write(const FileWritten& written, std::uint64_t now_ms);
  /// The engine itself has written this file of the project.
  void note_write(const std::string& path, std::uint64_t now_ms) { watch_.wrote(path, now_ms); }
  /// These files of the project are about to be brought up to a task's.
  void before_apply(const std::vector<std::string>& paths);
  /// A session whose command may have written the mission's own files by now: the command names
  /// them, and runs, or has ended a moment ago. Empty: none.
  [[nodiscard]] SessionId state_writer(std::uint64_t now_ms) const;

  /// From here on changes that no tool made are found (change_detector.h).
  void watch(engine::Outbox& outbox) { watch_.begin(outbox); }
  void unwatch() { watch_.end(); }
  /// Nothing that was seen of files belongs to the mission that begins.
  void forget();

 private:
  using Call = std::pair<SessionId, std::string>;

  void command_ended(const CommandRan& ran, engine::Outbox& outbox);

  const CurrentMission& mission_;
  const World& world_;
  ProjectFiles files_;                                           ///< of the project itself
  std::map<std::string, std::unique_ptr<ProjectFiles>> places_;  ///< of worktrees, by directory
  std::map<Call, std::string> begun_;  ///< the vouched files' hash when a command began
  /// Commands that name the mission's own files: until when what is found there may be theirs.
  std::map<Call, std::uint64_t> state_commands_;
  ChangeDetector watch_;
};

}  // namespace orchestrator::runtime
