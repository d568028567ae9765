#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "engine/directory.h"
#include "orchestrator/effect.h"
#include "orchestrator/event.h"

namespace orchestrator::runtime {

/// Carries out what a mission asks of git (`AskWorktrees`), one call after the other: the machine's
/// own git, or what a simulation puts in its place. Engine thread.
class WorktreeService {
 public:
  using Then = std::function<void(WorktreesAnswered, engine::Outbox&)>;

  virtual ~WorktreeService() = default;
  /// `then` is called later, once, unless the keeper dies before.
  virtual void ask(const AskWorktrees& question, engine::Outbox& outbox, Then then) = 0;
  /// Removes the worktrees of all missions but the active: what crashes have left. Only for the
  /// process that holds the project's lock.
  virtual void sweep(const std::set<std::string>& active, engine::Outbox& outbox,
                     std::function<void(engine::Outbox&)> then) = 0;
};

/// With git, as runtime/git/worktrees.h does it. `project` is canonical; `program_path` is like
/// PATH.
std::unique_ptr<WorktreeService> make_git_keeper(const std::string& project,
                                                 const std::string& program_path);

/// The directory of a project's worktrees.
[[nodiscard]] std::string worktrees_directory(const std::string& project);

}  // namespace orchestrator::runtime
