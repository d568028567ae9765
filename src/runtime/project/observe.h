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

/// The stage `observe`: adds to an event what only this process can know at this moment (hashes of
/// files, paths relative to the project) before the event is recorded, and detects file changes
/// that no tool made. Engine thread.
class Observe {
 public:
  /// The references must outlive this object. Changes that it detects enter by `inlet`.
  Observe(const CurrentMission& mission, const World& world, const std::string& root,
          const EngineLog& log, Inlet& inlet);

  void add(Happening& happening, const std::string& output, engine::Outbox& outbox);

  /// The files of a session's working directory: the project or its worktree.
  ProjectFiles& files_of(const SessionId& session);
  /// Whether the session works in the project's directory and not in a worktree.
  [[nodiscard]] bool works_in_project(const SessionId& session) const;

  /// A command of a mission session begins: records the present hash of its vouched files.
  void command_begins(const codec::CommandAsked& command, engine::Outbox& outbox);
  /// A tool of this session has permission to write this file.
  void note_write(const FileWritten& written, std::uint64_t now_ms);
  /// The engine itself has written this file of the project.
  void note_write(const std::string& path, std::uint64_t now_ms) { watch_.wrote(path, now_ms); }
  /// Called before merged work is written into these files of the project.
  void before_apply(const std::vector<std::string>& paths);
  /// A session whose command may have written the mission's own files: the command names them, and
  /// runs or has just ended. Empty: none.
  [[nodiscard]] SessionId state_writer(std::uint64_t now_ms) const;

  /// Starts the detection of changes that no tool made (change_detector.h).
  void watch(engine::Outbox& outbox) { watch_.begin(outbox); }
  void unwatch() { watch_.end(); }
  /// Forgets everything observed for an earlier mission.
  void forget();

 private:
  using Call = std::pair<SessionId, std::string>;

  void command_ended(const CommandRan& ran, engine::Outbox& outbox);

  const CurrentMission& mission_;
  const World& world_;
  ProjectFiles files_;                                           ///< the project's
  std::map<std::string, std::unique_ptr<ProjectFiles>> places_;  ///< the worktrees', by directory
  std::map<Call, std::string> begun_;  ///< hash of the vouched files when a command began
  /// Commands that name the mission's own files, and until when a change of these may be their
  /// work.
  std::map<Call, std::uint64_t> state_commands_;
  ChangeDetector watch_;
};

}  // namespace orchestrator::runtime
