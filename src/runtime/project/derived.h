#pragma once

#include <string>
#include <utility>

#include "engine/directory.h"
#include "runtime/project/current_mission.h"
#include "runtime/project/engine_log.h"
#include "runtime/project/timer.h"

namespace orchestrator::runtime {

/// Derived data: the snapshot, `todo.md` and the progress line of the waiting tool call, which are
/// computed from the state. Part of the stage `emit`; it writes and shows only durable state.
/// Engine thread.
class Derived {
 public:
  /// The references must outlive this object.
  Derived(CurrentMission& mission, const EngineLog& log) : mission_(mission), log_(log) {}

  /// The state has changed.
  void note_step(bool phase_changed) {
    changed_ = true;
    phase_changed_ = phase_changed_ || phase_changed;
  }
  void want_save() { save_due_ = true; }
  [[nodiscard]] bool phase_changed() const { return phase_changed_; }
  [[nodiscard]] bool wants_save() const { return phase_changed_ || save_due_; }
  /// Forgets pending updates: the mission was left, or its log failed.
  void forget() { changed_ = phase_changed_ = save_due_ = false; }

  /// Writes the snapshot and `todo.md`. The log has everything already, so a snapshot that cannot
  /// be written only makes the next start slower; it is reported once.
  void save(engine::Outbox& outbox);

  /// Whether the state has changed since the last call.
  [[nodiscard]] bool take_changed() { return std::exchange(changed_, false); }
  [[nodiscard]] bool changed() const { return changed_; }
  void follow(engine::Outbox& outbox) {
    if (changed_) timer_.start(outbox);
  }
  void fired() { timer_.fired(); }

  void progress_fired() { progress_timer_.fired(); }
  [[nodiscard]] bool progress_is_due() const;
  void show_progress(engine::Outbox& outbox);

 private:
  CurrentMission& mission_;
  const EngineLog& log_;
  std::string save_problem_;  ///< the last reported problem of the snapshot
  std::string shown_;         ///< the progress line that is shown
  bool changed_ = false;
  bool phase_changed_ = false;
  bool save_due_ = false;
  /// Derived files follow the state at most this often; a change of phase is saved at once.
  Timer timer_{kDeriveTimer, 100};
  /// The progress line is updated at most this often: it costs the host two requests on its only
  /// thread.
  Timer progress_timer_{kProgressTimer, 500};
};

}  // namespace orchestrator::runtime
