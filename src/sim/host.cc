#include "sim/host.h"

#include <algorithm>
#include <utility>

#include "orchestrator/step.h"
#include "sim/violation.h"

namespace orchestrator::sim {
namespace {

constexpr std::uint64_t kCommandAnswerMs = 15'000;
}  // namespace

Host::Host(Faults& faults, Timeline& timeline, Git& git, Checker& checker, Trace& trace,
           Models& models, std::uint64_t seed)
    : faults_(faults),
      timeline_(timeline),
      git_(git),
      checker_(checker),
      trace_(trace),
      models_(models),
      random_(mix(seed, 31)),
      wordy_(random_.chance(40)) {}

Host::Child* Host::find_child(const SessionId& id) {
  const auto it = children_.find(id);
  return it == children_.end() ? nullptr : &it->second;
}

void Host::start(Process& process, HostMode mode) {
  process_ = &process;
  mode_ = mode;
  run_ended_ = nullptr;
  process.post(codec::Query{codec::Hello{mode}});
}

void Host::end_turns(Child& child) {
  child.lose_turn();
  child.goes_on = false;
  child.leave = RequestId{};
  child.paid = false;
  child.permission = PermissionId{};
  child.call.reset();
}

void Host::reload() {
  if (deaf_) return;
  trace_.note(timeline_.now_ms(), "**", "the host reloads the plugin");
  deaf_ = true;
  for (auto& [id, child] : children_) end_turns(child);
  engine_failed();
  timeline_.after(random_.between(300, 3'000), [this] {
    deaf_ = false;
    process_->post(codec::Query{codec::Hello{mode_}});
    process_->post(HostReloaded{mode_});
    for (const Effect& effect : std::exchange(held_, {})) carry_out(effect);
  });
}

void Host::second_instance() { process_->post(codec::Query{codec::Hello{mode_}}); }

void Host::process_gone() {
  process_ = nullptr;
  deaf_ = false;
  held_.clear();
  run_ended_ = nullptr;
  asked_.clear();
  turn_endings_.clear();
  leaves_.clear();
  commands_.clear();
  for (auto it = children_.begin(); it != children_.end();) {
    Child& child = it->second;
    end_turns(child);
    const bool forgets = faults_.hit(Fault::host_forgets);
    if (forgets && child.creation != 0 && timeline_.now_ms() - child.created_ms < 2'000) {
      it = children_.erase(it);
      continue;
    }
    if (forgets) {
      child.prompt = child.prompt_before;
      child.submission.reset();
    }
    ++it;
  }
}

SessionId Host::new_session() {
  SessionId id("s" + std::to_string(++sessions_));
  children_[id].id = id;
  return id;
}

bool Host::has(const SessionId& session) const { return children_.contains(session); }

SessionId Host::some_child(Random& random) const {
  std::vector<SessionId> found;
  for (const auto& [id, child] : children_) {
    if (child.creation != 0) found.push_back(id);
  }
  return found.empty() ? SessionId{} : found[random.pick(static_cast<std::uint32_t>(found.size()))];
}

void Host::end_with(const SessionId& session, std::function<void()> ended) {
  last_root_ = session;
  run_ended_ = std::move(ended);
}

void Host::report(const Happening& happening, std::uint64_t delay_ms) {
  if (!deaf_) process_->post(happening, delay_ms);
}

void Host::tell(const SessionId& session, const Happening& happening) {
  if (process_ == nullptr || deaf_ || !process_->watches(session)) return;
  if (faults_.hit(Fault::event_lost)) return;
  std::uint64_t delay_ms = 0;
  if (faults_.hit(Fault::event_late)) {
    checker_.excuse_spending();
    Random detail = faults_.detail(Fault::event_late);
    delay_ms = detail.chance(70) ? detail.between(1, 500) : detail.between(1'000, 600'000);
  }
  if (faults_.hit(Fault::event_doubled)) {
    checker_.excuse_spending();
    process_->post(happening, faults_.detail(Fault::event_doubled).pick(300));
  }
  process_->post(happening, delay_ms);
}

// ---- what the engine asks for -------------------------------------------------------------------

void Host::carry_out(const Effect& effect) {
  if (deaf_) return held_.push_back(effect);
  // Each effect has its overload: a new one does not compile until it is known what the host does.
  std::visit([this](const auto& one) { on(one); }, effect);
}

void Host::effect_failed(EffectId effect, const char* why, std::uint64_t delay_ms) {
  timeline_.after(delay_ms, [this, effect, why] { report(EffectFailed{effect, why}); });
}

void Host::on(const CreateSession& effect) {
  if (faults_.hit(Fault::create_failed))
    return effect_failed(effect.effect, "the host makes no session", random_.between(1, 50));
  const bool silent = faults_.hit(Fault::create_silent);
  timeline_.after(random_.between(1, 30), [this, effect, silent] {
    const SessionId id = new_session();
    Child& child = children_[id];
    child.role = effect.role;
    child.mission = effect.mission;
    child.task = effect.task;
    child.directory = effect.directory;
    child.creation = effect.effect;
    child.created_ms = timeline_.now_ms();
    if (!silent) report(SessionCreated{effect.effect, id}, random_.pick(10));
  });
}

void Host::on(const PromptSession& effect) {
  if (faults_.hit(Fault::prompt_failed))
    return effect_failed(effect.effect, "the host is busy", random_.between(1, 50));
  const bool vanishes = faults_.hit(Fault::prompt_vanished);
  const bool silent = faults_.hit(Fault::prompt_silent);
  const bool half = faults_.hit(Fault::prompt_half_failed);
  timeline_.after(random_.between(1, 10), [this, effect, vanishes, silent, half] {
    Child* child = find_child(effect.session);
    if (child == nullptr) return report(EffectFailed{effect.effect, "no such session"});
    child->prompt_before = child->prompt;
    child->store(effect);
    child->bytes += effect.text.size();
    child->tokens += effect.text.size() / 4;
    child->submission.reset();
    if (half) {
      report(EffectFailed{effect.effect, "the connection was cut"});
    } else if (!silent) {
      report(PromptAccepted{effect.effect});
    }
    if (!vanishes) message(*child);
  });
}

void Host::on(const AbortSession& effect) {
  if (faults_.hit(Fault::abort_failed)) return;
  timeline_.after(random_.between(1, 10), [this, session = effect.session] {
    Child* child = find_child(session);
    if (child != nullptr && child->can_break()) break_turn(*child, "MessageAbortedError");
  });
}

void Host::on(const InspectSession& effect) {
  if (faults_.hit(Fault::inspect_failed))
    return effect_failed(effect.effect, "the host does not answer", random_.between(1, 1'000));
  if (faults_.hit(Fault::inspect_silent)) return;
  timeline_.after(random_.between(1, 20), [this, effect] {
    const Child* child = find_child(effect.session);
    report(child == nullptr ? SessionInspected{effect.effect, effect.session}
                            : child->inspected(effect.effect));
  });
}

void Host::on(const FindSessions& effect) {
  if (faults_.hit(Fault::find_failed))
    return effect_failed(effect.effect, "the host does not answer", random_.between(1, 1'000));
  if (faults_.hit(Fault::find_silent)) return;
  timeline_.after(random_.between(1, 200), [this, effect] {
    SessionsFound found{effect.effect, {}};
    for (const auto& entry : children_) {
      const SessionId& id = entry.first;
      const Child& child = entry.second;
      const bool known = std::ranges::find(effect.known, id) != effect.known.end();
      if (child.creation == 0 || (child.mission != effect.mission && !known)) continue;
      if (!known) {
        found.sessions.push_back({id, child.creation, child.running, false, false, 0});
        continue;
      }
      const bool told_already = child.submission_answered && !faults_.hit(Fault::harvest_doubled);
      if (child.submission && !told_already && !child.running) {
        Happening harvested = *child.submission;
        std::visit(
            [&](auto& call) {
              if constexpr (requires { call.harvested; }) {
                call.harvested = true;
                call.prompt = child.prompt;
                call.request = RequestId("harvest-" + id.value);
              }
            },
            harvested);
        report(harvested);
      }
      found.sessions.push_back(child.found());
    }
    report(found);
  });
}

void Host::on(const Reply& reply) {
  if (const auto it = commands_.find(reply.request); it != commands_.end()) {
    const auto [session, told] = std::move(it->second);
    commands_.erase(it);
    if (Child* child = find_child(session); child != nullptr && reply.ok) {
      child->role = Role::commander;
      message(*child);
    }
    return told(reply.ok);
  }
  if (const auto it = turn_endings_.find(reply.request); it != turn_endings_.end()) {
    const SessionId id = it->second;
    turn_endings_.erase(it);
    Child* child = find_child(id);
    if (child == nullptr || child->blocked != reply.request) return;
    child->blocked = RequestId{};
    const std::uint64_t life = child->life;
    if (reply.text.empty()) {
      timeline_.after(1, [this, id, life] { stop_turn(id, life); });
      return;
    }
    timeline_.after(1, [this, id, life] {
      Child* again = find_child(id);
      if (again == nullptr || again->life != life) return;
      tell(id, answered(*again, true));
      tell(id, TurnStarted{id, again->model_name()});
      write_script(*again);
      advance(id, life, random_.between(20, 100));
    });
    return;
  }
  if (const auto leave = leaves_.find(reply.request); leave != leaves_.end()) {
    Child* child = find_child(leave->second);
    leaves_.erase(leave);
    if (child != nullptr && child->leave == reply.request) leave_given(*child, reply);
    return;
  }
  const auto it = asked_.find(reply.request);
  if (it == asked_.end()) return;
  Child* child = find_child(it->second);
  asked_.erase(it);
  if (child != nullptr && child->blocked == reply.request) call_answered(*child, reply);
}

void Host::on(const RejectPermission& effect) {
  timeline_.after(random_.between(1, 10), [this, effect] {
    const Child* child = find_child(effect.session);
    if (child != nullptr)
      permission_answered(effect.session, child->life, effect.permission, false, true);
  });
}

/// The host's first start in a directory costs it a second or three.
void Host::on(const OpenDirectory& effect) {
  const bool opens = !faults_.hit(Fault::open_failed);
  timeline_.after(random_.between(opens ? 800 : 1, 3'000), [this, id = effect.effect, opens] {
    report(DirectoryOpened{id, opens});
  });
}

/// With the host's instance of a worktree every turn in it ends.
void Host::on(const DisposeDirectory& effect) {
  if (faults_.hit(Fault::dispose_failed))
    return effect_failed(effect.effect, "the host does not let go", random_.between(1, 1'000));
  timeline_.after(random_.between(1, 200), [this, effect] {
    for (auto& [id, child] : children_) {
      if (child.directory == effect.directory) end_turns(child);
    }
    report(DirectoryDisposed{effect.effect});
  });
}

void Host::engine_failed() {
  std::vector<RequestId> pending;
  for (const auto& [request, session] : commands_) pending.push_back(request);
  for (const auto& [request, session] : turn_endings_) pending.push_back(request);
  for (const auto& [request, session] : asked_) pending.push_back(request);
  for (const auto& [request, session] : leaves_) pending.push_back(request);
  for (const RequestId& request : pending)
    on(Reply{request, false, turn_endings_.contains(request) ? "" : "The engine failed."});
}

// ---- what a person does -------------------------------------------------------------------------

void Host::command(const SessionId& session, Happening event, std::function<void(bool ok)> told) {
  const RequestId request = new_request();
  std::visit([&](auto& e) { set_request(e, request); }, event);
  commands_[request] = {session, std::move(told)};
  report(event);
  timeline_.after(kCommandAnswerMs, [this, request] {
    if (commands_.contains(request)) on(Reply{request, false, "no answer"});
  });
}

void Host::say(const SessionId& session, const std::string& text) {
  Child* child = find_child(session);
  if (child == nullptr || process_ == nullptr) return;
  if (process_->watches(session) && child->creation == 0) report(UserSpoke{session, text});
  message(*child);
}

void Host::press_escape(const SessionId& session) {
  Child* child = find_child(session);
  if (child != nullptr && child->can_break()) break_turn(*child, "MessageAbortedError");
}

void Host::delete_session(const SessionId& session) {
  if (Child* child = find_child(session)) session_gone(*child);
}

}  // namespace orchestrator::sim
