#pragma once

#include "codec/message.h"
#include "runtime/project/pipeline.h"
#include "runtime/project/project_options.h"

namespace orchestrator::runtime {

/// Replies to queries from the mission's state; nothing is logged. Engine thread.
class Queries {
 public:
  /// The references must outlive this object.
  Queries(Pipeline& pipeline, ProjectOptions& options) : p_(pipeline), options_(options) {}

  void answer(const codec::RoleAsked& asked);
  void answer(const codec::StatusAsked& asked);
  void answer(const codec::ListAsked& asked);
  void answer(const codec::SettingsAsked& asked);

 private:
  Pipeline& p_;
  ProjectOptions& options_;
};

}  // namespace orchestrator::runtime
