#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "opencode_model/git.h"
#include "runtime/project/project.h"
#include "sim/disk.h"

namespace orchestrator::sim {

/// Holds what the project does against what must be true: it sees each step, each message that
/// leaves, and what a new process finds. Keeps every event of the mission, so that it can say at
/// any time what the state must be. Throws a Violation.
class Checker final : public runtime::Observer {
 public:
  /// `keeps_events` false: of a mission without end only what needs no memory of it is checked.
  Checker(Disk& disk, const opencode_model::GitModel& git, bool keeps_events = true)
      : disk_(disk), git_(git), keeps_events_(keeps_events) {}

  void loaded(const State& state) override;
  void storage_failed() override { outage_ = true; }
  void stepped(const State& state, const Event& event, const Effects& effects,
               bool logged) override;
  /// A message leaves the process: what caused it must be durable.
  void shown(const Effect& effect);
  /// A line of progress leaves.
  void shown_progress();
  /// Another program has taken away or spoiled a file of the mission.
  void files_damaged() { damaged_ = damaged_ || disk_.is_damaged(course_.mission.value); }
  /// The engine is about to run, and may load the mission, with this snapshot on the disk; null:
  /// there is none.
  void note_snapshot(const std::string* snapshot);
  /// The process is gone, and with it its state.
  void process_gone() { state_ = nullptr; }
  /// Live state = replayed state. Costs a replay of the mission.
  void check_replay() const;
  /// What this host says of its answers is not what they were from now on: late, or twice.
  void excuse_spending() { spends_as_told_ = false; }
  /// The files that follow the state are whole.
  void check_files() const;

  /// The state of the live process; null: there is none, or it has not loaded anything.
  [[nodiscard]] const State* state() const { return state_; }
  [[nodiscard]] std::uint64_t events() const { return course_.events.size() + unkept_; }
  /// The state that the newest process had, as far as it was seen.
  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] const MissionId& mission() const { return course_.mission; }
  /// Missions that were begun in this directory.
  [[nodiscard]] std::uint32_t missions() const { return missions_; }
  /// Tasks that were raced.
  [[nodiscard]] std::uint64_t races() const { return races_.size(); }
  [[nodiscard]] const Event* newest() const {
    return course_.events.empty() ? nullptr : &course_.events.back();
  }

 private:
  void begin_mission(const Event& event);
  void check_limits(const State& state);
  void check_models(const State& state);
  void check_spending(const State& state, const Event& event, Phase before);
  void check_running(const State& state) const;
  void check_tasks(const State& state);
  void check_effects(const State& state, const Effects& effects) const;
  void check_seal(const State& state) const;
  void check_merged(const State& state) const;
  void note_causes(const Event& event, const Effects& effects);
  void require_durable(std::uint64_t seq, std::string_view what);
  [[nodiscard]] State replayed(std::uint64_t events) const;

  /// What has happened to one mission.
  struct Course {
    MissionId mission;
    std::vector<Event> events;
    std::vector<std::uint64_t> syncs_at;  ///< of each event: how often the log had been synced
    std::uint64_t durable = 0;            ///< events that are known to be durable
    std::uint64_t visible = 0;            ///< the newest event whose effects were seen outside
  };

  Disk& disk_;
  const opencode_model::GitModel& git_;
  const bool keeps_events_;
  const State* state_ = nullptr;
  Phase phase_ = Phase::none;
  bool outage_ = false;   ///< the log cannot be written
  bool damaged_ = false;  ///< its log was: what the snapshot has not may be lost at the next load
  /// The mission of the sound snapshot that a load now finds, and its last event.
  std::pair<MissionId, std::uint64_t> snapshot_;
  Course course_;
  /// Events that a failed sync took back. The disk may have kept their bytes: then they count after
  /// all in the next process.
  std::vector<Event> taken_back_;
  Course before_;  ///< of the mission before: back again where the newer one was never seen outside
  std::map<EffectId, std::uint64_t> effect_cause_;
  std::map<RequestId, std::uint64_t> request_cause_;
  std::map<TaskId, TaskStatus> statuses_;
  std::size_t slots_ = 0;
  std::uint32_t parallel_ = 0;
  Load load_ = Load::calm;
  std::map<std::string, std::size_t> asked_at_once_;  ///< model -> sessions
  bool spends_as_told_ = true;
  SessionId root_;  ///< that asked for leave as such
  std::uint32_t missions_ = 0;
  std::set<std::pair<MissionId, TaskId>> races_;
  std::uint64_t unkept_ = 0;
};

}  // namespace orchestrator::sim
