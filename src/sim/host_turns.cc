#include <algorithm>
#include <utility>

#include "orchestrator/step.h"
#include "sim/host.h"
#include "sim/violation.h"

/// The turns of the simulated host's sessions: what its models ask, write and run.
namespace orchestrator::sim {
namespace {

constexpr std::uint64_t kWriteAnswerMs = 5'000;
constexpr std::uint64_t kInstanceComesUpMs = 50;
constexpr std::uint64_t kLongToolMs = 20 * 60'000;
/// The host gives up a model that sends nothing after its own retries.
constexpr std::uint64_t kHangEndsMs = 30 * 60'000;
using opencode_model::kRetriesMax;
// What each request has besides its conversation.
constexpr std::uint64_t kSystemBytes = 12'000;
constexpr std::uint64_t kSystemTokens = 3'000;
constexpr std::uint64_t kToolTokens = 5'000;
constexpr std::uint64_t kConversationMost = 60'000;
constexpr std::uint32_t kOutputMost = 8'000;
// Dollars of a million tokens.
constexpr double kInputUsd = 3;
constexpr double kOutputUsd = 15;

bool is_submission(const Happening& call) {
  return std::holds_alternative<PlanSubmitted>(call) ||
         std::holds_alternative<WorkSubmitted>(call) ||
         std::holds_alternative<ReviewSubmitted>(call);
}

}  // namespace

void Host::message(Child& child) {
  if (child.message() != Child::Arrival::begins) return;
  child.goes_on = false;
  const std::uint64_t life = child.begin_turn();
  start_turn(child.id, life, random_.between(5, 20));
}

/// The host begins no turn before the new instance of its plugin is there.
void Host::start_turn(const SessionId& id, std::uint64_t life, std::uint64_t delay_ms) {
  timeline_.after(delay_ms, [this, id, life] {
    Child* child = find_child(id);
    if (child == nullptr || child->life != life) return;
    if (deaf_) return start_turn(id, life, kInstanceComesUpMs);
    if (process_->session_info(id).empty())
      process_->post(codec::Query{codec::RoleAsked{new_request(), id}});
    if (const std::string why = why_no_request(*child); !why.empty())
      return break_turn(*child, "UnknownError", why);
    tell(id, TurnStarted{id, child->model_name()});
    write_script(*child);
    if (faults_.hit(Fault::host_retries)) return repeat_request(id, life, 1);
    advance(id, life,
            random_.chance(95) ? random_.between(20, 200) : random_.between(1'000, 90'000));
  });
}

/// The provider asks for patience, or is out of order; the host repeats the request by itself.
void Host::repeat_request(const SessionId& id, std::uint64_t life, std::uint32_t attempt) {
  Child* child = find_child(id);
  if (child == nullptr || child->life != life || !child->running) return;
  Random detail = faults_.detail(Fault::host_retries);
  constexpr auto& kWords = opencode_model::kRetryWords;
  const std::string words = kWords[detail.pick(static_cast<std::uint32_t>(kWords.size()))];
  const std::uint32_t most = detail.between(1, kRetriesMax + 1);
  if (attempt > kRetriesMax) return break_turn(*child, "APIError", words, 429);
  if (attempt > most) return advance(id, life, detail.between(20, 200));
  const auto delay_ms =
      static_cast<std::uint64_t>(opencode_model::retry_delay_ms(attempt)) + detail.pick(1'000);
  tell(id, SessionRetried{id, words, attempt, static_cast<TimeMs>(delay_ms)});
  timeline_.after(delay_ms, [this, id, life, attempt] { repeat_request(id, life, attempt + 1); });
}

void Host::write_script(Child& child) {
  child.read_messages();
  child.refusals = 0;
  child.next_step = 0;
  child.script = models_.turn(checker_.state(), child.id, child.role, child.task, ++child.turns);
}

void Host::forget_old_sessions(std::uint64_t older_than_ms) {
  const State* state = checker_.state();
  if (state == nullptr) return;
  std::erase_if(children_, [&](const auto& entry) {
    const Child& child = entry.second;
    const Session* session = find_session(*state, child.id);
    const bool used = session != nullptr && session->state != SessionState::ended;
    return child.creation != 0 && !child.running && !used &&
           timeline_.now_ms() - child.created_ms > older_than_ms;
  });
  for (auto& [id, child] : children_) child.ran.clear();
}

void Host::advance(const SessionId& id, std::uint64_t life, std::uint64_t delay_ms) {
  timeline_.after(delay_ms + (pace_ms_ == 0 ? 0 : random_.between(pace_ms_, 2 * pace_ms_)),
                  [this, id, life] {
                    Child* child = find_child(id);
                    if (child == nullptr || child->life != life || !child->running ||
                        !child->blocked.empty() || !child->leave.empty())
                      return;
                    if (child->creation != 0 && faults_.hit(Fault::session_deleted))
                      return session_gone(*child);
                    if (faults_.hit(Fault::early_idle)) {
                      checker_.excuse_spending();
                      tell(id, SessionIdled{id});
                    }
                    if (child->paid) tell(id, answered(*child, false));
                    ask_leave(*child);
                  });
}

/// The answer to the hook before each model request of a child session.
std::string Host::why_no_request(const Child& child) const {
  const State* state = checker_.state();
  const Session* session = state == nullptr ? nullptr : find_session(*state, child.id);
  return session == nullptr || child.creation == 0 ? "" : why_not_ask(*state, *session);
}

bool Host::is_capped(const Child& child) const {
  const State* state = checker_.state();
  return state != nullptr && is_active(state->phase) && process_->watches(child.id) &&
         (state->budget.tokens_max > 0 || state->budget.usd_max > 0);
}

/// The hook before each model request: in a mission with a budget it waits for the engine's leave,
/// for as long as that takes.
void Host::ask_leave(Child& child) {
  const std::string why = child.goes_on ? "" : why_no_request(child);
  if (!why.empty()) {
    tell(child.id, TurnStarted{child.id, child.model_name()});  // of the message that is the error
    return break_turn(child, "UnknownError", why);
  }
  // The host tells the begin of each request; the first of a turn was told with the turn.
  if (child.goes_on) tell(child.id, TurnStarted{child.id, child.model_name()});
  if (!is_capped(child)) return take_step(child);
  child.leave = new_request();
  leaves_[child.leave] = child.id;
  report(RequestAsked{child.leave, child.id, child.model_name(), child.bytes + 2 * kSystemBytes,
                      kOutputMost, kInputUsd, kOutputUsd});
}

void Host::leave_given(Child& child, const Reply& reply) {
  child.leave = RequestId{};
  if (!reply.ok) return break_turn(child, "UnknownError", reply.text);
  const LeaveAnswer* leave = reply.data ? std::get_if<LeaveAnswer>(&*reply.data) : nullptr;
  child.output_max = leave == nullptr ? kOutputMost : leave->output_max;
  child.paid = true;
  take_step(child);
}

/// What the newest answer of a session has cost: all that was read, and some of what it might have
/// written.
TurnEnded Host::answered(Child& child, bool stopped) {
  TurnEnded event{child.id, 100, 0.01, stopped, next_message(), child.model_name()};
  if (!std::exchange(child.paid, false)) return event;
  const auto most =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(child.output_max, kOutputMost));
  const bool at_length = wordy_ || random_.chance(5);
  const std::uint64_t written = random_.between(1, at_length ? most : std::min(most, 400U));
  const std::uint64_t read = child.tokens + kSystemTokens + kToolTokens;
  event.tokens = read + written;
  event.usd =
      (static_cast<double>(read) * kInputUsd + static_cast<double>(written) * kOutputUsd) / 1e6;
  const std::uint64_t heard = random_.between(20, 600);  // of its tool
  child.tokens += written + heard / 4;
  child.bytes += 4 * written + heard;
  if (child.bytes > kConversationMost) {  // the host compacts it
    child.bytes = 4'000;
    child.tokens = 1'000;
  }
  return event;
}

void Host::take_step(Child& child) {
  if (child.next_step >= child.script.size()) return end_turn(child);
  const Step step = child.script[child.next_step++];
  const SessionId id = child.id;
  if (step.kind != Step::Kind::tool_error) child.tool_failed = false;
  switch (step.kind) {
    case Step::Kind::write:
      return write(child, step.text);
    case Step::Kind::run:
      return run_command(child, step);
    case Step::Kind::call:
      return call(child, step.call);
    case Step::Kind::fail:
      return break_turn(child, "APIError", step.text, step.exit_code);
    case Step::Kind::nothing:
      return stop_turn(id, child.life, true);
    case Step::Kind::tool_error:
      tell(id, ToolFailed{id, "edit", step.text, std::exchange(child.tool_failed, true),
                          step.exit_code != 0});
      return advance(id, child.life, random_.between(5, 60));
    case Step::Kind::overflow:
      child.bytes = 4'000;
      child.tokens = 1'000;
      tell(id, SessionErrored{id, "ContextOverflowError", "too long"});
      tell(id, SessionCompacted{id});
      return advance(id, child.life, random_.between(100, 2'000));
    case Step::Kind::hang:
      return hang(child, false);
    case Step::Kind::hang_in_tool:
      return hang(child, true);
    case Step::Kind::ask:
      return ask_permission(child, step.text);
  }
}

/// A tool call that waits for a person; without an answer it waits for ever.
void Host::ask_permission(Child& child, const std::string& what) {
  const PermissionId permission("per" + std::to_string(++permissions_));
  child.in_tool = true;
  child.permission = permission;
  tell(child.id, PermissionAsked{permission, child.id, what});
  if (random_.chance(30)) return;
  const bool allowed = random_.chance(60);
  const std::uint64_t delay_ms = random_.between(1'000, 1'200'000);
  timeline_.after(delay_ms, [this, id = child.id, life = child.life, permission, allowed] {
    permission_answered(id, life, permission, allowed, false);
  });
}

void Host::permission_answered(const SessionId& id, std::uint64_t life,
                               const PermissionId& permission, bool allowed, bool with_words) {
  Child* child = find_child(id);
  if (child == nullptr || child->life != life || child->permission != permission) return;
  child->permission = PermissionId{};
  child->in_tool = false;
  tell(id, PermissionAnswered{permission, id, allowed});
  if (allowed || with_words) return advance(id, life, random_.between(5, 60));
  // Refused without a word: the host ends the turn, and calls it no error.
  stop_turn(id, life);
}

void Host::hang(Child& child, bool in_tool) {
  child.in_tool = in_tool;
  timeline_.after(in_tool ? kLongToolMs : kHangEndsMs,
                  [this, id = child.id, life = child.life, in_tool] {
                    Child* again = find_child(id);
                    if (again == nullptr || again->life != life || !again->running) return;
                    again->in_tool = false;
                    if (!in_tool) return break_turn(*again, "APIError");
                    take_step(*again);
                  });
}

void Host::write(Child& child, const std::string& path) {
  const RequestId request = new_request();
  child.blocked = request;
  child.blocked_by_tool = false;
  child.command.reset();
  child.writing = path;
  asked_[request] = child.id;
  if (process_->watches(child.id)) {
    process_->post(codec::Query{codec::WriteAsked{request, child.id, {path}}});
    timeline_.after(kWriteAnswerMs, [this, request] {
      if (asked_.contains(request)) on(Reply{request, true, ""});
    });
  } else {
    on(Reply{request, true, ""});
  }
}

/// It begins when the engine has looked at the files, or has not answered in time.
void Host::run_command(Child& child, const Step& step) {
  const RequestId request = new_request();
  child.blocked = request;
  child.blocked_by_tool = false;
  child.command = step;
  asked_[request] = child.id;
  if (!process_->watches(child.id)) return on(Reply{request, true, ""});
  process_->post(codec::Query{codec::CommandAsked{request, child.id, request.value, ""}});
  timeline_.after(kWriteAnswerMs, [this, request] {
    if (asked_.contains(request)) on(Reply{request, true, ""});
  });
}

void Host::begin_command(Child& child, const Step& step, const RequestId& call) {
  const Ran run{step.text, step.exit_code, git_.next_tick()};
  child.in_tool = true;
  const std::uint64_t takes_ms =
      random_.chance(97) ? random_.between(5, 100) : random_.between(1'000, 400'000);
  timeline_.after(takes_ms, [this, id = child.id, life = child.life, run, step, call] {
    Child* again = find_child(id);
    if (again == nullptr || again->life != life || !again->running) return;
    again->ran.push_back(run);  // one that is cut off says nothing
    end_command(*again, step, call);
  });
}

void Host::end_command(Child& child, const Step& step, const RequestId& call) {
  child.in_tool = false;
  // A lost success costs a proof; the hook that tells of commands loses no failure.
  const bool lost = faults_.hit(Fault::event_lost) && step.exit_code == 0;
  if (process_->watches(child.id) && !lost) {
    CommandRan ran;
    ran.session = child.id;
    ran.command = step.text;
    ran.exit_code = step.exit_code;
    ran.call = call.value;
    process_->post_now(ran);
  }
  advance(child.id, child.life, random_.between(5, 60));
}

bool Host::proves(const Child& child, const std::string& command) const {
  const State* state = checker_.state();
  const auto ran = std::find_if(child.ran.rbegin(), child.ran.rend(),
                                [&](const Ran& one) { return one.command == command; });
  if (state == nullptr || ran == child.ran.rend() || ran->exit_code != 0) return false;
  return !git_.changed_since(child.directory, ran->tick, vouched_files(*state, child.id));
}

void Host::call(Child& child, Happening happening) {
  const RequestId request = new_request();
  std::visit([&](auto& e) { set_request(e, request); }, happening);
  child.blocked = request;
  child.blocked_by_tool = true;
  child.command.reset();
  child.call = happening;
  asked_[request] = child.id;
  if (is_submission(happening)) {
    child.submission = happening;
    child.submission_answered = false;
  }
  child.green.reset();
  const State* state = checker_.state();
  const Session* session = state == nullptr ? nullptr : find_session(*state, child.id);
  const bool first_look = session != nullptr && session->lease.early_review;  // proves nothing
  if (std::holds_alternative<ReviewSubmitted>(happening) && state != nullptr && !first_look) {
    child.green.emplace();
    for (const Ran& ran : child.ran) {
      if (proves(child, ran.command)) child.green->insert(ran.command);
    }
  }
  report(happening);
}

/// A pass was taken: what it rests on must really have been run, and by this very session.
void Host::check_verdict(const Child& child) {
  const auto* review = std::get_if<ReviewSubmitted>(&*child.call);
  if (review == nullptr || review->args.verdict != Verdict::pass) return;
  const State* state = checker_.state();
  if (state == nullptr || !child.green) return;
  const Task* task = find_task(*state, child.task);
  const auto& verify = child.role == Role::master_reviewer || task == nullptr ? state->plan.verify
                                                                              : task->spec.verify;
  for (const std::string& command : verify) {
    if (child.green->contains(command)) continue;
    throw Violation{"seal only with every receipt in place",
                    "session " + child.id.value + " passed \"" +
                        (task == nullptr ? "the whole" : task->id.value) + "\" without \"" +
                        command + "\" having been green in it"};
  }
}

void Host::call_answered(Child& child, const Reply& reply) {
  child.blocked = RequestId{};
  const std::uint64_t delay_ms = random_.between(5, 60);
  if (child.command) {
    const Step step = *std::exchange(child.command, std::nullopt);
    return begin_command(child, step, reply.request);
  }
  if (!child.blocked_by_tool) {
    const std::string path = std::exchange(child.writing, "");
    if (reply.ok && !path.starts_with("/")) git_.write(child.directory, path);
    return advance(child.id, child.life, delay_ms);
  }
  if (!child.call) return;
  if (is_submission(*child.call)) {
    child.submission_answered = reply.ok;
    if (!reply.ok) child.submission.reset();
  }
  if (reply.ok) check_verdict(child);
  const bool taken = reply.ok && is_submission(*child.call) && child.creation != 0;
  if (taken && faults_.hit(Fault::model_goes_on)) {
    child.goes_on = true;
    const Script more = models_.go_on(child.role, *child.call);
    child.script.insert(child.script.end(), more.begin(), more.end());
  }
  if (!reply.ok && child.next_step >= child.script.size()) {
    const Script answer = models_.after_refusal(checker_.state(), child.id, child.role, child.task,
                                                *child.call, ++child.refusals);
    child.script.insert(child.script.end(), answer.begin(), answer.end());
  }
  child.call.reset();
  advance(child.id, child.life, delay_ms);
}

void Host::end_turn(Child& child) {
  const bool asks = mode_ == HostMode::run && child.creation == 0 && process_->watches(child.id);
  if (!asks) return stop_turn(child.id, child.life);
  const RequestId request = new_request();
  child.blocked = request;
  child.blocked_by_tool = false;
  turn_endings_[request] = child.id;
  report(TurnEnding{request, child.id});
}

void Host::stop_turn(const SessionId& id, std::uint64_t life, bool empty) {
  Child* child = find_child(id);
  if (child == nullptr || child->life != life) return;
  TurnEnded ended = answered(*child, true);
  ended.empty = empty;
  tell(id, ended);
  timeline_.after(opencode_model::kIdleAfterAnswerMs, [this, id, life] {
    Child* again = find_child(id);
    if (again == nullptr) return;
    switch (again->finish_turn(life)) {
      case Child::End::void_already:
        return;
      case Child::End::goes_on:
        tell(id, TurnStarted{id, again->model_name()});
        write_script(*again);
        return advance(id, life, random_.between(20, 100));
      case Child::End::idle:
        tell(id, SessionIdled{id});
        if (run_ended_ && id == last_root_) run_ended_();
    }
  });
}

void Host::break_turn(Child& child, const std::string& error, const std::string& words,
                      std::int64_t status) {
  const SessionId id = child.id;
  const RequestId request = child.blocked;
  const std::uint64_t life = child.break_turn();
  child.permission = PermissionId{};
  if (!request.empty()) {
    asked_.erase(request);
    turn_endings_.erase(request);
    if (child.blocked_by_tool) report(CallAborted{request, id});
  }
  leaves_.erase(std::exchange(child.leave, RequestId{}));
  child.paid = false;
  for (auto& told : child.broken(error, words, status, next_message(), child.model_name())) {
    timeline_.after(static_cast<std::uint64_t>(told.after_ms),
                    [this, id, events = std::move(told.events)] {
                      for (const Happening& event : events) tell(id, event);
                    });
  }
  timeline_.after(random_.between(40, 500), [this, id, life] {
    Child* dead = find_child(id);
    if (dead == nullptr || !dead->end_broken_turn(life)) return;
    tell(id, SessionIdled{id});
    if (run_ended_ && id == last_root_) run_ended_();
  });
}

void Host::session_gone(Child& child) {
  const SessionId id = child.id;
  if (!child.blocked.empty()) {
    asked_.erase(child.blocked);
    turn_endings_.erase(child.blocked);
  }
  leaves_.erase(child.leave);
  trace_.note(timeline_.now_ms(), "**", "session " + id.value + " is deleted");
  tell(id, SessionDeleted{id});
  children_.erase(id);
  if (run_ended_ && id == last_root_) run_ended_();
}

}  // namespace orchestrator::sim
