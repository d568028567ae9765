#pragma once

#include <string>

#include "base/result.h"
#include "engine/directory.h"
#include "runtime/project/missions.h"
#include "runtime/project/pipeline.h"
#include "runtime/project/timer.h"

namespace orchestrator::runtime {

/// Changes of the mission's own files by other programs: an edit of `todo.md` becomes an event, a
/// removed or damaged file is written again, and the loss of the lock ends the mission in this
/// process. Engine thread.
class OwnFiles {
 public:
  /// The references must outlive this object.
  OwnFiles(Pipeline& pipeline, Missions& missions) : p_(pipeline), missions_(missions) {}

  void heal(engine::Outbox& outbox);
  void fired() { todo_timer_.fired(); }

 private:
  void on_todo_changed(const std::string& text, engine::Outbox& outbox);
  void refuse_todo(const std::string& why, engine::Outbox& outbox);
  void lose_directory(const base::Error& error, engine::Outbox& outbox);

  Pipeline& p_;
  Missions& missions_;
  /// A file that another program has just written is read again after this time.
  Timer todo_timer_{kTodoTimer, 200};
};

}  // namespace orchestrator::runtime
