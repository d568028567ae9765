#include "runtime/project/missions.h"

#include <cstdint>
#include <string_view>
#include <utility>

#include "codec/message.h"
#include "core/sessions/session_lifecycle.h"
#include "orchestrator/step.h"
#include "runtime/history/git_ignore.h"

namespace orchestrator::runtime {
namespace {

/// A new id. Its random part has letters only: OpenCode repeats a request whose error text contains
/// "500" or "429", and our refusals contain mission ids.
MissionId new_mission_id(std::uint64_t random) {
  constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz";
  std::string name = "m-";
  for (int i = 0; i < 10; ++i, random /= kLetters.size())
    name += kLetters[random % kLetters.size()];
  return MissionId(name);
}

}  // namespace

void Missions::load(engine::Outbox& outbox) {
  CurrentMission& mission = p_.mission;
  const std::string known_problem = std::exchange(mission.foreign, "");
  const auto found = mission.store.load(mission.state, outbox.now_ms());
  if (p_.world.observer != nullptr && found.ok() && found.value().found)
    p_.world.observer->loaded(mission.state);
  if (found.ok() && !mission.is_open()) core::forget_ended_turns(mission.state);
  mission.state.mode = mission.mode;
  if (!found.ok()) {
    mission.foreign =
        "The mission of this directory cannot be changed by this process. " + found.error().text();
    if (mission.foreign != known_problem)
      outbox.send(codec::encode_effect(ShowToast{"error", "Orchestrator: " + mission.foreign}));
    return;
  }
  const std::vector<std::string>& notices = found.value().notices;
  if (mission.is_open() || !notices.empty())
    p_.log.open(mission.store.log_path(), mission.state.options.log.level);
  report(notices, outbox);
  p_.worktrees.sweep(mission.is_open() ? mission.state.mission.value : "", outbox);
  if (!mission.is_open()) return;
  p_.hold.configure(mission.state.options);
  p_.log.note(LogLevel::info, "mission " + mission.state.mission.value + " loaded in phase " +
                                  std::string(to_name(mission.state.phase)));
  p_.record.add(ProcessStarted{mission.mode}, outbox);
  p_.observe.watch(outbox);
}

bool Missions::prepare(MissionRequested& request) {
  auto options = options_.read();
  if (!options.ok()) {
    p_.emit.reply(request.request, false,
                  "The mission was not started, because its configuration is wrong. " +
                      options.error().text());
    return false;
  }
  request.options = std::move(options).value();
  if (request.agents.empty()) request.agents = options_.agents();
  if (const std::string why = why_not_start(p_.mission.state, request); !why.empty()) {
    p_.emit.reply(request.request, false, why);
    return false;
  }
  request.seed = p_.world.random();
  request.mission = new_mission_id(request.seed);
  return true;
}

bool Missions::begin(MissionRequested request, engine::Outbox& outbox) {
  if (p_.mission.is_open()) finish(outbox);
  if (const auto begun = p_.mission.store.begin(request.mission); !begun.ok()) {
    p_.emit.reply(request.request, false,
                  "The mission was not started: its state cannot be kept. " + begun.error().text() +
                      ". Make .opencode in the project's directory writable, then start it again.");
    return false;
  }
  p_.observe.forget();
  p_.log.open(p_.mission.store.log_path(), request.options.log.level);
  p_.worktrees.sweep(request.mission.value, outbox);
  if (const auto hidden = hide_state_from_git(p_.world.files, p_.root); !hidden.ok())
    p_.log.note(LogLevel::warn, hidden.error().text());
  p_.log.note(LogLevel::info, "mission " + request.mission.value + " requested");
  warn_of_unused(request.options);
  p_.record.add(std::move(request), outbox);
  p_.observe.watch(outbox);
  return true;
}

void Missions::warn_of_unused(const Options& options) {
  std::string keys;
  for (const std::string& key : options_without_effect(options))
    keys += (keys.empty() ? "" : ", ") + key;
  if (!keys.empty())
    p_.emit.add(ShowToast{"warning", "Orchestrator: this version does not act on " + keys});
}

void Missions::finish(engine::Outbox& outbox) {
  if (p_.sync.run()) {
    p_.derived.save(outbox);
  } else {
    if (p_.world.observer != nullptr) p_.world.observer->storage_failed();
    leave_unsynced(*p_.sync.take_failure());
    return;
  }
  leave();
}

void Missions::leave_unsynced(const base::Error& error) {
  CurrentMission& mission = p_.mission;
  p_.log.note(LogLevel::warn, "the last events are not in the log: " + error.text());
  const auto back = mission.store.fall_back(mission.state);
  if (!back.ok() || back.value() != MissionStore::Back::durable) {
    mission.state = State{};
    mission.loaded = false;
  } else if (p_.world.observer != nullptr) {
    p_.world.observer->loaded(mission.state);
  }
  leave();
}

void Missions::leave() {
  p_.mission.store.close();
  p_.observe.unwatch();
  p_.derived.forget();
}

void Missions::report(const std::vector<std::string>& notices, engine::Outbox& outbox) {
  constexpr std::size_t kToastBytesMax = 600;
  if (notices.empty()) return;
  std::string all;
  for (const std::string& notice : notices) {
    p_.log.note(LogLevel::warn, notice);
    all += (all.empty() ? "" : ". ") + notice;
  }
  if (all.size() > kToastBytesMax)
    all =
        "several files of the mission were repaired; .opencode/orchestrator/engine.log names them";
  outbox.send(codec::encode_effect(ShowToast{"warning", "Orchestrator: " + all}));
}

}  // namespace orchestrator::runtime
