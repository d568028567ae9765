#include "core/support/fake_host.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "core/state/path_claims.h"
#include "core/step.h"

namespace orchestrator::test {
namespace {

constexpr std::size_t kEventsMax = 100'000;
const SessionId kRoot("root");

bool is_from_host(const Happening& what) {
  return !std::holds_alternative<TimerFired>(what) && !std::holds_alternative<ProcessStarted>(what);
}

}  // namespace

std::vector<Scenario>& scenarios() {
  static std::vector<Scenario> all;
  return all;
}

MovesMade& taken_rows() {
  static MovesMade rows;
  return rows;
}

TaskSpec task(const std::string& id, std::vector<std::string> deps,
              std::vector<std::string> files) {
  TaskSpec spec;
  spec.id = TaskId(id);
  spec.title = "Title of " + id;
  spec.description = "Build " + id;
  for (std::string& dep : deps) spec.deps.emplace_back(std::move(dep));
  spec.files = files.empty() ? std::vector<std::string>{"src/" + id + ".cc"} : std::move(files);
  spec.verify = {"test " + id};
  return spec;
}

PlanArgs plan_of(std::vector<TaskSpec> tasks) {
  PlanArgs args;
  args.summary = "A plan";
  args.verify = {"test all"};
  args.tasks = std::move(tasks);
  return args;
}

PlanArgs diamond() {
  return plan_of({task("T1"), task("T2", {"T1"}), task("T3", {"T1"}), task("T4", {"T1"}),
                  task("T5", {"T2", "T3"}), task("T6", {"T4", "T5"})});
}

// ---- the host -----------------------------------------------------------------------------------

FakeHost::FakeHost(HostMode host_mode) : mode_(host_mode) {
  child_of(kRoot).role = Role::commander;
}

FakeHost::~FakeHost() { check_replay(); }

void FakeHost::after(TimeMs ms, std::function<void()> act) {
  queue_.push(Due{now + ms, ++order_, std::move(act)});
}

/// The session's row; a session that a test names for the first time is a person's.
FakeHost::Child& FakeHost::child_of(const SessionId& session) {
  Child& child = children_[session];
  child.id = session;
  return child;
}

RequestId FakeHost::new_request() { return RequestId("r" + std::to_string(++requests_)); }

bool FakeHost::step_once() {
  if (queue_.empty()) return false;
  Due due = queue_.top();
  queue_.pop();
  now = std::max(now, due.at);
  due.act();
  return true;
}

void FakeHost::run() {
  while (log.size() < kEventsMax && step_once()) {
  }
  EXPECT_LT(log.size(), kEventsMax) << "the mission does not end";
  check_standstill();
}

void FakeHost::run_until(const std::function<bool()>& condition) {
  while (!condition()) {
    if (log.size() >= kEventsMax || !step_once()) {
      ADD_FAILURE() << "what was waited for never came; " << status_text(state);
      return;
    }
  }
}

void FakeHost::run_to_event(std::size_t events) {
  while (log.size() < events && step_once()) {
  }
}

void FakeHost::run_for(TimeMs ms) {
  const TimeMs end = now + ms;
  while (!queue_.empty() && queue_.top().at <= end) step_once();
  now = end;
}

Answer FakeHost::deliver(Happening what) {
  RequestId request;
  std::visit(
      [&](const auto& event) {
        if constexpr (requires { event.request; }) request = event.request;
      },
      what);
  const State before = state;
  log.push_back(Event{log.size() + 1, now, std::move(what)});
  const Effects effects = core::step_with_moves(state, log.back(), taken_rows());
  check(before, effects);
  check_fixpoint();
  watch_states(before);
  for (const Effect& effect : effects) carry_out(effect);
  const auto reply = replies_.find(request);
  if (request.empty() || reply == replies_.end()) return {};
  return Answer{reply->second.ok, true, reply->second.text};
}

void FakeHost::host_says(Happening what) {
  SessionId session;
  std::visit(
      [&](const auto& event) {
        if constexpr (requires { event.session; }) session = event.session;
      },
      what);
  if (!session.empty() && !watched_.contains(session) &&
      !std::holds_alternative<SessionCreated>(what)) {
    return;
  }
  if (lost && lost(what)) return;
  if (doubled && is_from_host(what)) deliver(what);
  deliver(std::move(what));
}

void FakeHost::watch_states(const State& before) {
  std::size_t now_running = 0;
  for (const Task& each : state.tasks) {
    now_running += each.status == TaskStatus::running ? 1 : 0;
    const Task* old = find_task(before, each.id);
    const TaskStatus was = old == nullptr ? TaskStatus::pending : old->status;
    if (was == each.status) continue;
    if (each.status == TaskStatus::running) started.push_back(each.id);
    if (each.status == TaskStatus::done) finished.push_back(each.id);
  }
  together = std::max(together, now_running);
}

// ---- effects ------------------------------------------------------------------------------------

void FakeHost::carry_out(const Effect& effect) {
  if (refused) {
    const std::string error = refused(effect);
    if (!error.empty()) {
      EffectId id = 0;
      std::visit(
          [&](const auto& e) {
            if constexpr (requires { e.effect; }) id = e.effect;
          },
          effect);
      after(1, [this, id, error] { host_says(EffectFailed{id, error}); });
      return;
    }
  }
  // Each effect has its overload: a new one does not compile until it is known what the host does.
  std::visit([this](const auto& one) { on(one); }, effect);
}

void FakeHost::on(const DisposeDirectory& effect) {
  disposed.push_back(effect.directory);
  after(2, [this, id = effect.effect] { host_says(DirectoryDisposed{id}); });
}

void FakeHost::on(const OpenDirectory& effect) {
  opened.push_back(effect.directory);
  after(40, [this, id = effect.effect, opens = !open_fails || !open_fails()] {
    host_says(DirectoryOpened{id, opens});
  });
}

void FakeHost::on(const AbortSession& effect) {
  aborted.push_back(effect.session);
  abort(effect.session, false);
}

void FakeHost::on(const StartTimer& effect) {
  const TimerId timer = effect.timer;
  const std::uint64_t set = ++order_;
  timers_[timer] = set;
  after(effect.delay_ms, [this, timer, set] {
    const auto it = timers_.find(timer);
    if (it == timers_.end() || it->second != set) return;
    timers_.erase(it);
    deliver(TimerFired{timer});
  });
}

void FakeHost::on(const CreateSession& effect) {
  creations.push_back(effect);
  const SessionId session("ses" + std::to_string(++sessions_));
  child_of(session).role = effect.role;
  child_of(session).task = effect.task;
  child_of(session).creation = effect.effect;
  after(5, [this, effect, session] { host_says(SessionCreated{effect.effect, session}); });
}

void FakeHost::on(const PromptSession& effect) {
  prompts.push_back(effect);
  if (effect.session == state.root_session) told.push_back(effect.text);
  const bool vanishes = swallowed && swallowed(effect);
  after(2, [this, effect, vanishes] {
    child_of(effect.session).store(effect);
    host_says(PromptAccepted{effect.effect});
    if (!vanishes) message(effect.session, effect.text);
  });
}

void FakeHost::on(const InspectSession& effect) {
  after(1, [this, effect] { host_says(child_of(effect.session).inspected(effect.effect)); });
}

void FakeHost::on(const FindSessions& effect) {
  after(3, [this, effect] {
    SessionsFound found{effect.effect, {}};
    for (const auto& [id, child] : children_) {
      if (child.creation == 0 || child.gone) continue;
      found.sessions.push_back(child.found());
    }
    host_says(found);
  });
}

void FakeHost::abort(const SessionId& session, bool by_user) {
  Child& child = child_of(session);
  if (!child.can_break()) return;
  if (by_user && !child.blocked.empty()) host_says(CallAborted{child.blocked, session});
  break_turn(session, "MessageAbortedError");
}

void FakeHost::on(const Reply& reply) {
  replies_.emplace(reply.request, reply);
  if (const auto leave = leaves_.find(reply.request); leave != leaves_.end()) {
    const auto [session, life] = leave->second;
    leaves_.erase(leave);
    if (child_of(session).life != life) return;
    const bool ok = reply.ok;
    const std::string text = reply.text;
    const std::optional<ReplyData> data = reply.data;
    const SessionId id = session;
    const std::uint64_t turn = life;
    after(1, [this, id, turn, ok, text, data] {
      if (child_of(id).life != turn) return;
      if (!ok) return break_turn(id, "UnknownError", text);
      if (data) child_of(id).output_max = std::get<LeaveAnswer>(*data).output_max;
      start_answer(id, turn);
    });
    return;
  }
  if (const auto ending = turn_endings_.find(reply.request); ending != turn_endings_.end()) {
    const SessionId session = ending->second;
    turn_endings_.erase(ending);
    const std::uint64_t life = child_of(session).life;
    const std::string text = reply.text;
    if (!text.empty()) told.push_back(text);
    after(1, [this, session, life, text] {
      if (child_of(session).life != life) return;
      if (text.empty()) return stop_turn(session, life);
      host_says(ended_answer(session, true));
      host_says(TurnStarted{session});
      after(think_ms, [this, session, life, text] {
        if (child_of(session).life == life) think(session, text);
      });
    });
    return;
  }
  for (auto& [session, child] : children_) {
    if (child.blocked != reply.request) continue;
    child.blocked = RequestId{};
    child.hangs = child.in_tool = false;
    const std::uint64_t life = child.life;
    const SessionId id = session;
    told.push_back(reply.text);
    const std::string text = reply.text;
    after(1, [this, id, life, text] {
      if (child_of(id).life == life && child_of(id).running) think(id, text);
    });
  }
}

// ---- worktrees ----------------------------------------------------------------------------------

FakeHost::Files& FakeHost::files_of(const SessionId& session) {
  Files* const files = git_.files_in(directory_of(state, session));
  return files == nullptr ? nowhere_ : *files;
}

void FakeHost::on(const AskWorktrees& effect) {
  git_calls.push_back(effect);
  after(3, [this, effect] {
    WorktreesAnswered answer;
    answer.effect = effect.effect;
    if (git_fails) answer.problem = git_fails(effect);
    if (answer.problem.empty()) {
      answer = git_.answer(effect);
      EXPECT_EQ(answer.problem, "") << "the engine asked git for what cannot be";
    }
    deliver(std::move(answer));
  });
}

// ---- a person -----------------------------------------------------------------------------------

Answer FakeHost::task_command(const std::string& arguments, const SessionId& session) {
  MissionRequested event;
  event.request = new_request();
  event.session = session;
  event.arguments = arguments;
  event.mode = mode_;
  event.mission = MissionId("m-" + std::to_string(++missions_));
  event.seed = 7;
  event.agents = agents;
  event.options = options;
  event.extreme = extreme;
  const Answer given = deliver(std::move(event));
  if (given.ok) {
    child_of(session).role = Role::commander;
    message(session, given.text);
  }
  return given;
}

Answer FakeHost::stop(const std::string& arguments, const SessionId& session) {
  return deliver(StopRequested{new_request(), session, arguments});
}

Answer FakeHost::resume(const std::string& arguments, const SessionId& session) {
  const Answer given = deliver(ResumeRequested{new_request(), session, arguments, mode_});
  if (given.ok) {
    child_of(session).role = Role::commander;
    message(session, given.text);
  }
  return given;
}

void FakeHost::say(const std::string& text) {
  host_says(UserSpoke{state.root_session, text});
  message(state.root_session, text);
}

void FakeHost::press_escape() { abort(state.root_session, true); }

void FakeHost::lose_turns() {
  turn_endings_.clear();
  leaves_.clear();
  for (auto& [id, child] : children_) {
    child.lose_turn();
    child.hangs = child.answered = false;
  }
}

void FakeHost::reload() {
  lose_turns();
  deliver(HostReloaded{mode_});
}

void FakeHost::crash(HostMode host_mode) {
  queue_ = {};
  timers_.clear();
  watched_.clear();
  lose_turns();
  mode_ = host_mode;
  deliver(ProcessStarted{host_mode});
}

void FakeHost::crash_engine(std::size_t events) {
  timers_.clear();
  log.resize(std::min(log.size(), events));
  state = State{};
  for (const Event& event : log) (void)step(state, event);
  deliver(ProcessStarted{mode_});
}

// ---- looking ------------------------------------------------------------------------------------

const Task& FakeHost::at(const std::string& id) const {
  const Task* found = find_task(state, TaskId(id));
  if (found == nullptr) throw std::out_of_range("no task " + id);
  return *found;
}

std::vector<PromptSession> FakeHost::prompts_to(const SessionId& session) const {
  std::vector<PromptSession> found;
  std::ranges::copy_if(prompts, std::back_inserter(found),
                       [&](const PromptSession& p) { return p.session == session; });
  return found;
}

std::vector<PromptSession> FakeHost::prompts_that_begin(const std::string& start) const {
  std::vector<PromptSession> found;
  std::ranges::copy_if(prompts, std::back_inserter(found),
                       [&](const PromptSession& p) { return p.text.starts_with(start); });
  return found;
}

std::size_t FakeHost::sessions_of(Role role, const std::string& task_id) const {
  return static_cast<std::size_t>(std::ranges::count_if(creations, [&](const CreateSession& c) {
    return c.role == role && (task_id.empty() || c.task.value == task_id);
  }));
}

std::string FakeHost::files_hash(const SessionId& session) const {
  std::string hash = "h";
  const Files& files = const_cast<FakeHost*>(this)->files_of(session);
  for (const auto& [path, version] : files) {
    for (const std::string& glob : vouched_files(state, session)) {
      if (!core::glob_matches(glob, path)) continue;
      hash += " " + path + ":" + std::to_string(version);
      break;
    }
  }
  return hash;
}

bool FakeHost::running(const std::string& id) const {
  const Task* found = find_task(state, TaskId(id));
  return found != nullptr && found->status == TaskStatus::running;
}

void crash_after_events(std::size_t stride, const std::function<void(FakeHost&)>& begin,
                        const std::function<void(FakeHost&)>& expect) {
  std::size_t events = 2;  // of the mission that is left alone
  for (std::size_t at = 0; at + 1 < events; at += at == 0 ? 1 : stride) {
    FakeHost host;
    begin(host);
    if (at > 0) {
      host.run_to_event(at);
      host.crash(HostMode::serve);
    }
    host.run();
    if (at == 0) events = host.log.size();
    expect(host);
    if (!::testing::Test::HasFailure()) continue;
    ADD_FAILURE() << "crashed after event " << at;
    return;
  }
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace orchestrator::test
