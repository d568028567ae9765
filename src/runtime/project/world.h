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

/// Sees what a project does to its state, so that a simulation can hold it against what must be
/// true. Called in the middle of the project's own calls: only look.
class Observer {
 public:
  virtual ~Observer() = default;
  /// A mission came from disk, as its files tell it: at a start, and after a disk that failed.
  virtual void loaded(const State& state) = 0;
  /// The log cannot be written. What is let out until the next logged step is no event's effect:
  /// refusals, and aborts of the sessions.
  virtual void storage_failed() = 0;
  /// `event` has moved the state. `logged`: it is in the log, though perhaps not durable yet.
  virtual void stepped(const State& state, const Event& event, const Effects& effects,
                       bool logged) = 0;
};

/// All that a project's logic touches besides its outbox (which also tells the time), so that a
/// simulation can put its own in place.
struct World {
  os::FileSystem& files;
  std::function<std::uint64_t()> random;
  bool log_to_file = true;       ///< `engine.log`, which is not written through `files`
  Observer* observer = nullptr;  ///< none, or one that outlives the project
  LogLimits log_limits = {};
  /// Where language servers are looked for, like PATH; empty: nowhere.
  std::string program_path{};
  /// What a submission may wait for them; what is not known by then is a note.
  std::uint64_t diagnose_ms = 10'000;
  /// A file of the machine's own (/proc), empty where there is none; unset: how busy it is does not
  /// matter.
  std::function<std::string(const std::string&)> machine = {};
  /// Makes what keeps the worktrees of a project (its canonical path); unset: there are none.
  std::function<std::unique_ptr<WorktreeService>(const std::string& project)> trees = {};
};

/// The machine's own.
World posix_world();

}  // namespace orchestrator::runtime
