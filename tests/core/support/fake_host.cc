#include "core/support/fake_host.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "codec/binary.h"
#include "core/schedule/schedule.h"
#include "core/sessions/recovery.h"
#include "core/state/context.h"
#include "core/state/path_claims.h"
#include "core/state/races.h"
#include "core/state/sessions.h"
#include "core/state/tasks.h"
#include "core/step.h"

namespace orchestrator::test {
namespace {

constexpr std::size_t kEventsMax = 100'000;
constexpr TimeMs kRealIdleMs = 200;
const SessionId kRoot("root");

bool is_from_host(const Happening& what) {
  return !std::holds_alternative<TimerFired>(what) && !std::holds_alternative<ProcessStarted>(what);
}

}  // namespace

std::vector<Scenario>& scenarios() {
  static std::vector<Scenario> all;
  return all;
}

Trace& taken_rows() {
  static Trace rows;
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

// ---- a model's turn -----------------------------------------------------------------------------

Answer Turn::mission_run(RunArgs args) {
  return host.call(RunCalled{host.new_request(), session, std::move(args), {}}, session);
}
Answer Turn::plan(PlanArgs args) {
  return host.call(PlanSubmitted{host.new_request(), session, std::move(args), {}}, session);
}
Answer Turn::work(WorkArgs args) {
  return host.call(WorkSubmitted{host.new_request(), session, std::move(args), {}}, session);
}
Answer Turn::todo(TodoArgs args) {
  return host.call(TodoUpdated{host.new_request(), session, std::move(args), {}}, session);
}
Answer Turn::delegate(DelegateArgs args) {
  return host.call(DelegateCalled{host.new_request(), session, std::move(args), {}}, session);
}
Answer Turn::result(const std::string& task_id) {
  return host.call(ResultAsked{host.new_request(), session, {TaskId(task_id)}, {}}, session);
}
Answer Turn::cancel(const std::string& task_id, const std::string& reason) {
  return host.call(CancelCalled{host.new_request(), session, {TaskId(task_id), reason}, {}},
                   session);
}
Answer Turn::review(ReviewArgs args) {
  return host.call(
      ReviewSubmitted{
          host.new_request(), session, std::move(args), {}, host.files_hash(session), {}},
      session);
}

void Turn::write(const std::string& path) {
  if (!why_not_write(host.state, session, path).empty()) return;
  host.files_of(session)[path] = host.git_.new_text();
  host.host_says(FileWritten{session, path});
}

void Turn::run(const std::string& command, int exit_code) {
  run_while(
      command, [] {}, exit_code);
}

void Turn::run_while(const std::string& command, const std::function<void()>& meanwhile,
                     int exit_code) {
  const std::string begun = host.files_hash(session);
  meanwhile();
  CommandRan ran{session, command, "", exit_code, "output", host.files_hash(session)};
  ran.begun_hash = begun;
  ran.previous = host.state.receipt_head;
  ran.chain_hash = "receipt" + std::to_string(host.log.size());
  host.host_says(std::move(ran));
}

Answer Turn::do_work() {
  const Task* mine = find_task(host.state, task);
  WorkArgs args;
  args.summary = "Did " + task.value;
  if (mine != nullptr) {
    for (const std::string& file : std::vector<std::string>(mine->files)) {
      if (file.find('*') != std::string::npos) continue;
      write(file);
      args.files.push_back(file);
    }
  }
  return work(std::move(args));
}

void Turn::run_verify(int exit_code) {
  const Task* mine = find_task(host.state, task);
  const auto commands = mine == nullptr ? host.state.plan.verify : mine->spec.verify;
  for (const std::string& command : commands) run(command, exit_code);
}

Answer Turn::pass() {
  run_verify();
  ReviewArgs args;
  args.verdict = Verdict::pass;
  return review(std::move(args));
}

Answer Turn::reject(const std::string& message, const std::string& file) {
  ReviewArgs args;
  args.verdict = Verdict::reject;
  args.findings = {Finding{file, 0, Severity::error, message}};
  return review(std::move(args));
}

void Turn::fail(const std::string& name) { host.break_turn(session, name); }

void Turn::hang(bool in_tool) {
  host.child_of(session).hangs = true;
  host.child_of(session).in_tool = in_tool;
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
  const Effects effects = core::step_traced(state, log.back(), taken_rows());
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

// ---- what must hold at any time -----------------------------------------------------------------

void FakeHost::check(const State& before, const Effects& effects) {
  EXPECT_EQ(validate_state(state), "") << "a state that `step` has made would not be loaded again";
  const std::size_t slots = core::slots_used(state);
  if (slots > core::slots_used(before)) {
    EXPECT_LE(slots, std::max(state.parallel, before.parallel)) << "too many sessions at once";
  }
  const bool silent = state.phase == Phase::cancelled || state.phase == Phase::paused;
  for (const Effect& effect : effects) {
    const bool acts = std::holds_alternative<PromptSession>(effect) ||
                      std::holds_alternative<CreateSession>(effect);
    EXPECT_FALSE(silent && acts) << "a prompt while " << to_name(state.phase);
  }
  for (std::size_t i = 0; i < state.tasks.size(); ++i) {
    const Task& one = state.tasks[i];
    if (one.status != TaskStatus::running) continue;
    for (const TaskId& dep : one.deps) {
      const Task* found = find_task(state, dep);
      // What was begun goes on even if a dropped dependency of it is put back.
      EXPECT_TRUE(found == nullptr || core::is_settled(found->status) ||
                  core::is_in_work(find_task(before, one.id)->status))
          << one.id.value << " runs before " << dep.value;
    }
    for (std::size_t k = i + 1; k < state.tasks.size(); ++k) {
      const Task& other = state.tasks[k];
      // A task that is raced does nothing itself: its runs do.
      if (other.status != TaskStatus::running || one.race.running || other.race.running) continue;
      const bool kin =
          core::is_subtask_of(state, one, other.id) || core::is_subtask_of(state, other, one.id) ||
          core::isolated_from(state, one, other) || core::isolated_from(state, other, one);
      EXPECT_FALSE(!kin && core::claims_overlap(one.files, other.files))
          << one.id.value << " and " << other.id.value << " run with the same files";
    }
    EXPECT_LE(std::ranges::count_if(state.sessions,
                                    [&](const Session& session) {
                                      return session.role == Role::worker &&
                                             session.task == one.id &&
                                             session.state != SessionState::ended;
                                    }),
              1)
        << one.id.value << " has two Workers";
  }
  if (state.phase == Phase::sealed) {
    EXPECT_TRUE(core::all_settled(state)) << "sealed with open tasks";
  }
  for (const Session& session : state.sessions) {
    const bool waits = core::holds_slot(session);
    EXPECT_TRUE(!waits || session.timer != 0) << "a slot without a timer";
  }
}

namespace {

std::string first_move(const Trace& moves) {
  const auto words = [](const std::string& what, auto from, auto to) {
    return what + " from " + std::string(to_name(from)) + " to " + std::string(to_name(to));
  };
  if (!moves.tasks.empty()) return words("a task", moves.tasks[0].from, moves.tasks[0].to);
  if (!moves.sessions.empty())
    return words("a session", moves.sessions[0].from, moves.sessions[0].to);
  return "a phase";
}

}  // namespace

/// Scheduling is skipped where nothing has moved: that must never be wrong.
void FakeHost::check_fixpoint() const {
  if (!is_running(state.phase) || state.dormant || core::is_recovering(state)) return;
  State again = state;
  Trace moves;
  core::Context ctx{again, now, {}, &moves};
  ctx.moved = ctx.graph_moved = true;
  core::schedule(ctx);
  const bool idle = moves.phases.empty() && moves.tasks.empty() && moves.sessions.empty();
  EXPECT_TRUE(idle && ctx.effects.empty())
      << "something could have been scheduled after " << type_of(log.back().what) << ", e.g. "
      << (ctx.effects.empty() ? first_move(moves)
                              : std::visit([](const auto& e) { return std::string(e.kType); },
                                           ctx.effects.front()));
}

void FakeHost::check_standstill() const {
  std::string standing;
  for (const Worktree& tree : state.worktrees.trees)
    standing += tree.name + " of " + tree.task.value + ": " + std::string(to_name(tree.state)) +
                (tree.opened ? ", opened\n" : "\n");
  EXPECT_FALSE(is_running(state.phase) && !state.dormant)
      << "nothing is due any more, and the mission is " << status_text(state)
      << task_list_text(state, std::nullopt) << standing;
}

void FakeHost::check_replay() const {
  State again;
  for (const Event& event : log) (void)step(again, event);
  EXPECT_EQ(codec::encode(again), codec::encode(state)) << "the log does not give the state";
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

// ---- turns --------------------------------------------------------------------------------------

void FakeHost::message(const SessionId& session, const std::string& text) {
  Child& child = child_of(session);
  const Child::Arrival arrival = child.message();
  if (arrival != Child::Arrival::lost) child.inbox = text;
  if (arrival == Child::Arrival::begins) begin_turn(session);
}

void FakeHost::begin_turn(const SessionId& session) {
  Child& child = child_of(session);
  const std::uint64_t life = child.begin_turn();
  child.hangs = child.answering = child.empty = false;
  // What a turn that was stopped has done already is done.
  if (child.answers_left < 0) child.answers_left = answers_per_turn - 1;
  child.bytes += 8'000 + child.inbox.size();
  after(10, [this, session, life] { ask_leave(session, life); });
}

/// The hook before each model request, of a mission with a budget.
void FakeHost::ask_leave(const SessionId& session, std::uint64_t life) {
  Child& child = child_of(session);
  if (child.life != life) return;
  child.output_max = 8'000;
  const bool capped = state.budget.tokens_max > 0 || state.budget.usd_max > 0;
  if (!capped || !watched_.contains(session)) return start_answer(session, life);
  const RequestId request = new_request();
  leaves_[request] = {session, life};
  const std::string& model = child.model.empty() ? host_model : child.model;
  deliver(RequestAsked{request, session, model, child.bytes, child.output_max, 0, 0});
}

void FakeHost::start_answer(const SessionId& session, std::uint64_t life) {
  if (child_of(session).life != life) return;
  const std::string& named = child_of(session).model;
  host_says(TurnStarted{session, named.empty() ? host_model : named});
  if (child_of(session).life == life) ask_provider(session, life, 1);
}

/// With the host's own retries.
void FakeHost::ask_provider(const SessionId& session, std::uint64_t life, std::uint32_t attempt) {
  Child& child = child_of(session);
  if (child.life != life) return;
  const std::string says =
      provider ? provider(session, child.model.empty() ? host_model : child.model) : "";
  if (says.empty() || says == "empty") {
    child.answering = true;
    child.empty = says == "empty";
    after(think_ms, [this, session, life] { go_on_answering(session, life); });
  } else if (says == "stall") {
    child.hangs = true;
  } else if ((says == "429" || says == "500" || says == "503") &&
             attempt <= opencode_model::kRetriesMax) {
    const TimeMs delay_ms = opencode_model::retry_delay_ms(attempt);
    const char* words = says == "429"   ? opencode_model::kRateLimited
                        : says == "503" ? opencode_model::kOverloaded
                                        : opencode_model::kProviderBroken;
    host_says(SessionRetried{session, words, attempt, delay_ms});
    after(delay_ms, [this, session, life, attempt] { ask_provider(session, life, attempt + 1); });
  } else {
    child.empty = true;
    break_turn(session, "APIError", says);
  }
}

void FakeHost::go_on_answering(const SessionId& session, std::uint64_t life) {
  Child& child = child_of(session);
  if (child.life != life) return;
  child.answering = false;
  if (child.empty) return end_turn(session);
  child.answers_left -= 1;
  if (child.answers_left < 0) return think(session, child.inbox);
  host_says(ended_answer(session, false));
  if (child_of(session).life == life) ask_leave(session, life);
}

TurnEnded FakeHost::ended_answer(const SessionId& session, bool stopped) {
  Child& child = child_of(session);
  const std::string& model = child.model.empty() ? host_model : child.model;
  const std::uint64_t tokens = child.empty ? 0
                               : cost      ? cost({session, model, child.bytes, child.output_max})
                                           : 100;
  child.bytes += 4'000;
  return {session,     tokens,         cost ? static_cast<double>(tokens) * 1e-6 : 0.01,
          stopped,     next_message(), model,
          child.empty, false};
}

std::size_t FakeHost::being_answered(const std::string& of_model) const {
  return static_cast<std::size_t>(std::ranges::count_if(children_, [&](const auto& entry) {
    const Child& child = entry.second;
    return child.answering && (child.model.empty() ? host_model : child.model) == of_model;
  }));
}

void FakeHost::think(const SessionId& session, const std::string& text) {
  Child& child = child_of(session);
  child.read_messages();
  const std::uint64_t life = child.life;
  Turn turn{*this, session, child.role, text, child.task, ++child.turns};
  const auto model = models_.find(child.role);
  if (model != models_.end() && model->second) {
    model->second(turn);
  } else {
    default_model(turn);
  }
  const Child& left = child_of(session);
  if (left.life != life || !left.running) return;  // it failed, or was aborted
  if (!left.blocked.empty() || left.hangs) return;
  // Its next request is the plugin's to refuse, which ends the turn with an error.
  const Session* child_session = find_session(state, session);
  const std::string why = child_session == nullptr ? "" : why_not_ask(state, *child_session);
  if (why.empty()) return end_turn(session);
  host_says(ended_answer(session, false));
  if (child_of(session).life != life) return;
  if (goes_on && goes_on(session)) {
    after(think_ms, [this, session, life] {
      if (child_of(session).life != life) return;
      host_says(TurnStarted{session});
      if (child_of(session).life == life) think(session, "");
    });
    return;
  }
  host_says(TurnStarted{session});  // of the message that is the error
  if (child_of(session).life == life) break_turn(session, "UnknownError", why);
}

void FakeHost::end_turn(const SessionId& session) {
  const std::uint64_t life = child_of(session).life;
  if (mode_ == HostMode::run && session == state.root_session) {
    const RequestId request = new_request();
    turn_endings_[request] = session;
    host_says(TurnEnding{request, session});
    return;
  }
  stop_turn(session, life);
}

void FakeHost::stop_turn(const SessionId& session, std::uint64_t life) {
  host_says(ended_answer(session, true));
  child_of(session).empty = false;
  after(opencode_model::kIdleAfterAnswerMs, [this, session, life] {
    Child& child = child_of(session);
    const Child::End end = child.finish_turn(life);
    if (end == Child::End::goes_on) think(session, child.inbox);
    if (end == Child::End::idle) host_says(SessionIdled{session});
  });
}

void FakeHost::break_turn(const SessionId& session, const std::string& error,
                          const std::string& words) {
  Child& child = child_of(session);
  child.hangs = child.answering = false;
  const std::uint64_t life = child.break_turn();
  const std::string& model = child.model.empty() ? host_model : child.model;
  for (opencode_model::Told& news : child.broken(error, words, 0, next_message(), model)) {
    after(news.after_ms, [this, events = std::move(news.events)] {
      for (const Happening& event : events) host_says(event);
    });
  }
  after(kRealIdleMs, [this, session, life] {
    if (child_of(session).settle(life)) host_says(SessionIdled{session});
  });
}

Answer FakeHost::call(Happening what, const SessionId& session) {
  RequestId request;
  std::visit(
      [&](const auto& event) {
        if constexpr (requires { event.request; }) request = event.request;
      },
      what);
  if (lost && lost(what)) return {};
  const Happening copy = what;
  Answer given = deliver(std::move(what));
  if (!given.given) {  // `answer` goes on with it
    child_of(session).blocked = request;
  }
  if (doubled) deliver(copy);
  const auto reply = replies_.find(request);
  if (!given.given) return given;
  if (std::holds_alternative<RunCalled>(copy)) told.push_back(reply->second.text);
  return Answer{reply->second.ok, true, reply->second.text};
}

void FakeHost::default_model(Turn& turn) {
  switch (turn.role) {
    case Role::commander:
      if (is_running(state.phase)) turn.mission_run();
      return;
    case Role::planner:
      turn.plan(plan);
      return;
    case Role::worker:
      turn.do_work();
      return;
    case Role::reviewer:
    case Role::master_reviewer:
      turn.pass();
      return;
    case Role::none:
      return;
  }
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
