#include "runtime/project/outage.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/project/unsynced.h"

namespace orchestrator::runtime {
namespace {

/// Adds the sessions that the list does not contain yet.
void add_sessions_at_work(const State& state, std::vector<SessionId>& sessions) {
  for (const Session& session : state.sessions) {
    if (!session.id.empty() && session.state != SessionState::ended &&
        session.state != SessionState::idle &&
        std::ranges::find(sessions, session.id) == sessions.end()) {
      sessions.push_back(session.id);
    }
  }
}

}  // namespace

void Outage::begin(const base::Error& error, engine::Outbox& outbox) {
  CurrentMission& mission = p_.mission;
  if (p_.world.observer != nullptr) p_.world.observer->storage_failed();
  if (mission.is_over() && !p_.derived.phase_changed()) {  // the mission's end is on the disk
    const std::string name = mission.state.mission.value;
    missions_.leave_unsynced(error);
    (void)p_.sync.drop(refusal() + "The log of mission " + name +
                       ", which is over, cannot be written: " + error.text());
    held_back_.clear();
    return p_.emit.let_out(outbox);
  }
  mission.failure = error.text();
  p_.derived.forget();
  p_.log.note(LogLevel::error, "the log cannot be written: " + mission.failure);
  std::vector<SessionId> at_work;
  add_sessions_at_work(mission.state, at_work);
  fall_back();
  held_back_ = p_.sync.drop(refusal() + mission.outage_text());
  for (codec::Incoming& behind : p_.hold.drop("Not done. " + mission.outage_text(), outbox))
    hold_back(std::get<Happening>(behind.what));
  if (back_ == MissionStore::Back::no_mission) {
    forget_mission();
    return p_.emit.let_out(outbox);
  }
  // Damaged files may lack the newest sessions.
  if (!mission.damaged) at_work.clear();
  add_sessions_at_work(mission.state, at_work);
  for (const SessionId& session : at_work) p_.emit.add(AbortSession{session});
  p_.emit.add(ShowToast{"error", "Orchestrator: " + mission.outage_text()});
  p_.emit.let_out(outbox);
  timer_.start(outbox);
}

/// How the refusal of a call begins whose event is not durable.
std::string Outage::refusal() const {
  return p_.mission.store.tail_remains()
             ? "Not done; but if this process ends before the log can be written again, it may "
               "count "
               "as done, since what was written could not be taken back. "
             : "Not done. ";
}

/// Goes back to the state that is certainly on the disk.
void Outage::fall_back() {
  CurrentMission& mission = p_.mission;
  const auto back = mission.store.fall_back(mission.state);
  back_.reset();
  if (!back.ok()) {
    p_.log.note(LogLevel::error, "reading it back: " + back.error().text());
    return;
  }
  back_ = back.value();
  mission.damaged = back_ == MissionStore::Back::differs;
  if (back_ == MissionStore::Back::durable && p_.world.observer != nullptr)
    p_.world.observer->loaded(mission.state);
}

/// The start of the mission itself was lost.
void Outage::forget_mission() {
  p_.mission.failure.clear();
  p_.mission.loaded = false;
  held_back_.clear();
}

void Outage::hold_back(Happening& happening) {
  constexpr std::size_t kHeldBackMax = 10'000;
  if (const RequestId* request = waiting_request(happening)) {
    p_.emit.reply(*request, false, p_.mission.outage_text());
  } else if (held_back_.size() < kHeldBackMax) {
    // The files are not observed during the outage, so this command is no proof.
    if (auto* ran = std::get_if<CommandRan>(&happening)) ran->begun_hash = CommandRan::kUnseen;
    held_back_.push_back(std::move(happening));
  }
}

bool Outage::try_again(engine::Outbox& outbox) {
  timer_.fired();
  CurrentMission& mission = p_.mission;
  if (mission.failure.empty()) return false;
  if (!back_) fall_back();
  if (back_ == MissionStore::Back::no_mission) {
    forget_mission();
    return false;
  }
  if (back_ == MissionStore::Back::differs) return load_anew(outbox);
  if (!back_ || !mission.store.go_on(mission.state, outbox.now_ms()).ok()) {
    timer_.start(outbox);
    return false;
  }
  p_.log.note(LogLevel::info, "the log can be written again");
  p_.record.add(StorageFailed{std::exchange(mission.failure, "")}, outbox);
  for (Happening& fact : std::exchange(held_back_, {})) {
    if (const auto* written = std::get_if<FileWritten>(&fact))
      p_.observe.note_write(*written, outbox.now_ms());
    p_.record.add(std::move(fact), outbox);
  }
  p_.derived.want_save();
  return true;
}

/// The files were damaged during the outage: loads the mission from them again, as at a start, and
/// reports the damaged file to the user.
bool Outage::load_anew(engine::Outbox& outbox) {
  CurrentMission& mission = p_.mission;
  mission.store.close();
  missions_.load(outbox);
  if (!mission.foreign.empty()) {  // the files cannot be repaired yet
    timer_.start(outbox);
    return false;
  }
  mission.damaged = false;
  mission.failure.clear();
  held_back_.clear();
  p_.derived.want_save();
  return true;
}

}  // namespace orchestrator::runtime
