#pragma once

#include <string>

#include "base/result.h"
#include "engine/directory.h"
#include "runtime/project/missions.h"
#include "runtime/project/pipeline.h"
#include "runtime/project/timer.h"

namespace orchestrator::runtime {

/// What others do to the mission's own files: an edit of `todo.md` becomes an event, what was
/// removed or damaged is written again, and a lock that was taken away ends the mission here.
/// Engine thread.
class OwnFiles {
 public:
  /// Both outlive it.
  OwnFiles(Pipeline& pipeline, Missions& missions) : p_(pipeline), missions_(missions) {}

  void heal(engine::Outbox& outbox);
  void fired() { todo_timer_.fired(); }

 private:
  void on_todo_changed(const std::string& text, engine::Outbox& outbox);
  void refuse_todo(const std::string& why, engine::Outbox& outbox);
  void lose_directory(const base::Error& error, engine::Outbox& outbox);

  Pipeline& p_;
  Missions& missions_;
  /// A file that another program has just written is looked at again after this time.
  Timer todo_timer_{kTodoTimer, 200};
};

}  // namespace orchestrator::runtime
