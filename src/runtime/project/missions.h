#pragma once

#include <string>
#include <vector>

#include "engine/directory.h"
#include "orchestrator/event.h"
#include "runtime/project/pipeline.h"
#include "runtime/project/project_options.h"

namespace orchestrator::runtime {

/// How a directory's missions begin, are loaded and end. Engine thread.
class Missions {
 public:
  /// Both outlive it.
  Missions(Pipeline& pipeline, ProjectOptions& options) : p_(pipeline), options_(options) {}

  /// What an earlier process has left, or another one is doing.
  void load(engine::Outbox& outbox);

  /// Adds to the request what the mission needs: options, agents, id and seed. False: it cannot
  /// start, and that was replied.
  bool prepare(MissionRequested& request);
  /// What is recorded of the mission before must be durable. False: the mission's state cannot be
  /// kept, and that was replied.
  bool begin(MissionRequested request, engine::Outbox& outbox);

  /// The mission is over: another process may start the next one.
  void finish(engine::Outbox& outbox);
  /// Nothing more is kept of the mission that is over.
  void leave();

  /// What was wrong on the disk and what was made of it: a line each, and one toast.
  void report(const std::vector<std::string>& notices, engine::Outbox& outbox);

 private:
  void warn_of_unused(const Options& options);

  Pipeline& p_;
  ProjectOptions& options_;
};

}  // namespace orchestrator::runtime
