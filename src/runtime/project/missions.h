#pragma once

#include <string>
#include <vector>

#include "engine/directory.h"
#include "orchestrator/event.h"
#include "runtime/project/pipeline.h"
#include "runtime/project/project_options.h"

namespace orchestrator::runtime {

/// Start, loading and end of a directory's missions. Engine thread.
class Missions {
 public:
  /// The references must outlive this object.
  Missions(Pipeline& pipeline, ProjectOptions& options) : p_(pipeline), options_(options) {}

  /// Loads the mission that an earlier process has left, or that another process runs.
  void load(engine::Outbox& outbox);

  /// Adds options, agents, id and seed to the request. False: the mission cannot start, and the
  /// request was refused.
  bool prepare(MissionRequested& request);
  /// Begins the mission's log; the events of the mission before must be durable. False: the log
  /// cannot be created, and the request was refused.
  bool begin(MissionRequested request, engine::Outbox& outbox);

  /// Closes a mission that is over, so that another process may start the next one.
  void finish(engine::Outbox& outbox);
  /// Forgets the mission that is over.
  void leave();
  /// The same where its last events cannot be made durable: the state goes back to the durable one,
  /// so that what its timers still cause rests on the log.
  void leave_unsynced(const base::Error& error);

  /// Reports damage of files and its repair: a log line each, and one toast.
  void report(const std::vector<std::string>& notices, engine::Outbox& outbox);

 private:
  void warn_of_unused(const Options& options);

  Pipeline& p_;
  ProjectOptions& options_;
};

}  // namespace orchestrator::runtime
