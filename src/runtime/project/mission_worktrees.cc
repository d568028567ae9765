#include "runtime/project/mission_worktrees.h"

#include <set>
#include <utility>

#include "orchestrator/event.h"

namespace orchestrator::runtime {

MissionWorktrees::MissionWorktrees(const CurrentMission& mission, const World& world,
                                   std::string root, const EngineLog& log, Observe& observe,
                                   Inlet& inlet)
    : mission_(mission),
      world_(world),
      root_(std::move(root)),
      log_(log),
      observe_(observe),
      inlet_(inlet) {}

MissionWorktrees::~MissionWorktrees() = default;

WorktreeService* MissionWorktrees::keeper() {
  if (!keeper_ && world_.trees) keeper_ = world_.trees(root_);
  return keeper_.get();
}

void MissionWorktrees::ask(const AskWorktrees& question, engine::Outbox& outbox) {
  const bool applies = question.call == TreeCall::apply;
  const Task* task = find_task(mission_.state, question.task);
  if (applies && task != nullptr) observe_.before_apply(task->progress.touched);
  const auto answered = [this, applies](WorktreesAnswered answer, engine::Outbox& out) {
    for (const std::string& path : answer.paths) {
      if (applies) observe_.note_write(path, out.now_ms());
    }
    if (!answer.problem.empty()) log_.note(LogLevel::warn, "worktrees: " + answer.problem);
    inlet_.enter(std::move(answer), out);
  };
  if (WorktreeService* const git = keeper()) return git->ask(question, outbox, answered);
  outbox.run_on_pool([] {},
                     [answered, effect = question.effect](engine::Outbox& out) {
                       WorktreesAnswered none;
                       none.effect = effect;
                       none.problem = "worktrees cannot be made here.";
                       answered(std::move(none), out);
                     });
}

void MissionWorktrees::sweep(const std::string& active, engine::Outbox& outbox) {
  const auto found = world_.files.list(worktrees_directory(root_));
  if (!found.ok() || found.value().empty() || lock_ || !world_.trees) return;
  if (!mission_.is_open()) {
    auto lock = world_.files.lock(mission_.store.lock_path());
    if (!lock.ok()) return;
    lock_ = std::move(lock).value();
  }
  std::set<std::string> kept;
  if (!active.empty()) kept.insert(active);
  keeper()->sweep(kept, outbox, [this](engine::Outbox&) { lock_.reset(); });
}

}  // namespace orchestrator::runtime
