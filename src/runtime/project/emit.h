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

/// The stage `emit`: effects and replies wait here until their events are durable, and then leave
/// in order. Engine thread.
class Emit {
 public:
  /// The references must outlive this object.
  Emit(const CurrentMission& mission, MissionWorktrees& worktrees)
      : mission_(mission), worktrees_(worktrees) {}

  void add(Effect effect) { effects_.push_back(std::move(effect)); }
  void add(Effects effects);
  /// Replies to a request that is not logged. The reply waits for the end of the batch like all
  /// effects, so that the order is kept.
  void reply(const RequestId& request, bool ok, std::string text);
  void reply(Reply answer);
  /// Sends a reply before all effects of the batch, for a request that changes no durable state.
  void reply_first(Reply answer) { first_.push_back(std::move(answer)); }
  /// Refuses an event because this process may not change the mission; a caller gets the reason.
  void decline(const Happening& happening);

  /// Whether an effect of this batch leaves the engine. If none does (a turn that began, a timer),
  /// the batch may become durable a little later, with the derived files.
  [[nodiscard]] bool shows_something() const;
  void let_out_first(engine::Outbox& outbox);
  void let_out(engine::Outbox& outbox);
  /// Drops all waiting effects but the replies to unlogged requests for which `is_given` is true.
  void drop(const std::function<bool(const RequestId&)>& is_given);

 private:
  void carry_out(const Effect& effect, engine::Outbox& outbox);

  const CurrentMission& mission_;
  MissionWorktrees& worktrees_;
  Effects effects_;
  std::vector<Reply> first_;         ///< replies to queries that every model request waits for
  std::vector<RequestId> unlogged_;  ///< unlogged requests of this batch
  CachedSessionInfo session_infos_;
};

}  // namespace orchestrator::runtime
