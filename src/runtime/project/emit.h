#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/directory.h"
#include "orchestrator/effect.h"
#include "orchestrator/event.h"
#include "runtime/project/current_mission.h"
#include "runtime/project/mission_worktrees.h"
#include "runtime/project/session_info.h"

namespace orchestrator::runtime {

/// The stage `emit`: effects and replies wait here until what caused them is durable, and then
/// leave in their order. Engine thread.
class Emit {
 public:
  /// Both outlive it.
  Emit(const CurrentMission& mission, MissionWorktrees& worktrees)
      : mission_(mission), worktrees_(worktrees) {}

  void add(Effect effect) { effects_.push_back(std::move(effect)); }
  void add(Effects effects);
  /// To a request that stands in no log. The reply waits for the batch's end like all effects, so
  /// that they keep their order.
  void reply(const RequestId& request, bool ok, std::string text);
  void reply(Reply answer);
  /// Before all effects of the batch: nothing that lasts has changed.
  void reply_first(Reply answer) { first_.push_back(std::move(answer)); }
  /// The mission here is not ours to move: a caller gets the reason, and nothing is done.
  void decline(const Happening& happening);

  /// Whether an effect of this batch leaves the engine. What does not (a turn that began, a timer)
  /// may become durable a little later, with the derived files.
  [[nodiscard]] bool shows_something() const;
  void let_out_first(engine::Outbox& outbox);
  void let_out(engine::Outbox& outbox);
  /// Of the effects that wait only replies remain that stand in no log, and that `is_given` lets.
  void drop(const std::function<bool(const RequestId&)>& is_given);

 private:
  void carry_out(const Effect& effect, engine::Outbox& outbox);

  const CurrentMission& mission_;
  MissionWorktrees& worktrees_;
  Effects effects_;
  std::vector<Reply> first_;         ///< to questions that every request of a model waits for
  std::vector<RequestId> unlogged_;  ///< of this batch, whose answers stand in no log
  CachedSessionInfo session_infos_;
};

}  // namespace orchestrator::runtime
