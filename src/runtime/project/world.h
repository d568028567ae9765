#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "orchestrator/effect.h"
#include "orchestrator/event.h"
#include "orchestrator/mission.h"
#include "os/file_system.h"
#include "runtime/git/worktree_service.h"
#include "runtime/history/mission_store.h"

namespace orchestrator::runtime {

/// Observes the changes of a project's state, so that a simulation can check invariants. Called
/// within the project's own calls: it must not call back.
class Observer {
 public:
  virtual ~Observer() = default;
  /// A mission was loaded from disk: at a start, and after an outage.
  virtual void loaded(const State& state) = 0;
  /// The log cannot be written. Effects from now until the next logged step belong to no event:
  /// refusals, and aborts of the sessions.
  virtual void storage_failed() = 0;
  /// `event` has changed the state. `logged`: it is in the log, but may not be durable yet.
  virtual void stepped(const State& state, const Event& event, const Effects& effects,
                       bool logged) = 0;
};

/// Everything that a project's logic uses besides its outbox (which also gives the time), so that a
/// simulation can replace it.
struct World {
  os::FileSystem& files;
  std::function<std::uint64_t()> random;
  bool log_to_file = true;       ///< write `engine.log`, which does not go through `files`
  Observer* observer = nullptr;  ///< none, or one that outlives the project
  LogLimits log_limits = {};
  /// Where to search for language servers, like PATH; empty: nowhere.
  std::string program_path{};
  /// How long a submission waits for them; a note says what is not known by then.
  std::uint64_t diagnose_ms = 10'000;
  /// Reads a file of /proc, empty if it is missing; unset: the machine's load is not watched.
  std::function<std::string(const std::string&)> machine = {};
  /// Makes the worktree service of a project (its canonical path); unset: there are no worktrees.
  std::function<std::unique_ptr<WorktreeService>(const std::string& project)> trees = {};
};

/// The world of the real machine.
World posix_world();

}  // namespace orchestrator::runtime
