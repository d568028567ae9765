// The core with a host, models and people that do anything: the bytes choose the next event, mostly
// a possible one, sometimes an impossible one. After each step the invariants are checked,
// now and then the process dies and its snapshot is loaded, and in the end the same events give the
// same state. With ORCH_FUZZ_TRACE set, every event is printed.
#include "orchestrator/step.h"

#include <cstdio>
#include <cstdlib>
#include <deque>

#include "codec/binary.h"
#include "codec/message.h"
#include "core/tools/todo_format.h"
#include "fuzz/support/byte_source.h"
#include "fuzz/support/invariants.h"
#include "fuzz/support/require.h"

namespace orchestrator::fuzz {
namespace {

constexpr std::size_t kEventsMax = 400;

class Story {
 public:
  explicit Story(ByteSource source) : source_(source) {
    options_.limits.attempts = 1 + source_.pick(3);
    options_.limits.iterations = 1 + source_.pick(3);
    options_.limits.continuations = 1 + source_.pick(3);
    options_.limits.tasks = 1 + source_.pick(20);
    options_.parallel.initial = 1 + source_.pick(4);
    if (source_.flag()) options_.resume = ResumePolicy::manual;
    if (source_.flag()) options_.verify = {"test all"};
    if (source_.pick(4) == 3) options_.budget.tokens = 100'000;
    if (source_.pick(8) == 7) options_.budget.usd = 2;
    if (source_.pick(4) == 3) options_.fallback = {{model(), model()}};
    if (source_.pick(4) == 3) options_.parallel.per_model = {{"p/a", 1 + source_.pick(3)}};
    mode_ = mode();
  }

  void run() {
    tell(MissionRequested{request(),
                          root_,
                          source_.flag() ? "Build it --background" : "Build it",
                          mode_,
                          MissionId("m-fuzz"),
                          7,
                          {"worker", "auditor"},
                          options_});
    while (!source_.empty() && log_.size() < kEventsMax) act();
    check_state(state_);
    State again;
    for (const Event& event : log_) (void)step(again, event);
    REQUIRE(codec::encode(again) == codec::encode(state_), "the log does not give the state");
  }

 private:
  // ---- things to name -------------------------------------------------------------------------

  HostMode mode() { return source_.flag() ? HostMode::serve : HostMode::run; }
  RequestId request() {
    if (source_.pick(16) == 15) return last_request_;  // the host tells a call twice
    return last_request_ = RequestId("r" + std::to_string(++requests_));
  }
  SessionId session() {
    const std::uint32_t n = source_.pick(static_cast<std::uint32_t>(state_.sessions.size()) + 4);
    if (n < state_.sessions.size()) return state_.sessions[state_.sessions.size() - 1 - n].id;
    const SessionId others[] = {state_.root_session, root_, SessionId("stranger"), SessionId{}};
    return others[n - state_.sessions.size()];
  }
  TaskId task() {
    const std::uint32_t n = source_.pick(static_cast<std::uint32_t>(state_.tasks.size()) + 2);
    if (n < state_.tasks.size()) return state_.tasks[n].id;
    return TaskId(n == state_.tasks.size() ? "T" + std::to_string(source_.pick(12)) : "no id!");
  }
  std::string file() {
    static const char* const kFiles[] = {"src/a.cc", "src/b.cc",  "src/**",    "docs/x.md",
                                         "../out",   "{a,b}.txt", "src/a.cc/", ""};
    return kFiles[source_.pick(8)];
  }
  std::string model() {
    static const char* const kModels[] = {"p/a", "p/b", "", "worker"};
    return kModels[source_.pick(4)];
  }
  std::string command() {
    static const char* const kCommands[] = {"test all", "test T1", "make", " test all "};
    return kCommands[source_.pick(4)];
  }
  std::string text() {
    if (source_.pick(8) == 7) return source_.utf8();
    static const char* const kTexts[] = {"done", "",    "a\nb",       "  ",
                                         "Ünï",  "503", "rate limit", "invalid api key"};
    return kTexts[source_.pick(8)];
  }
  TaskSpec spec() {
    TaskSpec made;
    made.id = TaskId("T" + std::to_string(source_.pick(12)));
    made.title = source_.pick(8) == 7 ? text() : "Title of " + made.id.value;
    if (source_.flag()) made.files = {file()};
    for (std::uint32_t i = source_.pick(3); i > 0; --i) made.deps.push_back(task());
    if (source_.flag()) made.verify = {command()};
    if (source_.pick(8) == 7) made.agent = "auditor";
    return made;
  }
  std::vector<CommandClaim> claims() {
    if (source_.pick(4) != 3) return {};
    return {CommandClaim{command(), source_.pick(2)}};
  }

  /// The prompt that a harvested call answers.
  EffectId sent(const SessionId& caller) {
    const Session* found = find_session(state_, caller);
    return found == nullptr || source_.pick(8) == 7 ? 0 : found->lease.sent;
  }

  // ---- what happens ---------------------------------------------------------------------------

  void tell(Happening what) {
    now_ += source_.pick(8) == 7 ? static_cast<TimeMs>(source_.number(4)) - (TimeMs{1} << 30)
                                 : source_.byte() * 10;
    log_.push_back(Event{log_.size() + 1, now_, std::move(what)});
    static const bool traced = std::getenv("ORCH_FUZZ_TRACE") != nullptr;
    if (traced) std::fprintf(stderr, "%s\n", codec::dump(log_.back()).c_str());
    // A replay reads what was written.
    Event read;
    REQUIRE(codec::decode_event(codec::encode_event(log_.back()), read, nullptr));
    const State before = state_;
    const Effects effects = step(state_, read);
    check_step(before, state_, effects);
    bool replied = false;
    bool harvested = false;  // no session waits for its answer
    RequestId asked;
    std::visit(
        [&](const auto& event) {
          if constexpr (requires { event.request; }) asked = event.request;
          if constexpr (requires { event.harvested; }) harvested = event.harvested;
        },
        read.what);
    for (const Effect& effect : effects) {
      (void)codec::encode_effect(effect);
      const auto* reply = std::get_if<Reply>(&effect);
      replied = replied || (reply != nullptr && reply->request == asked);
      keep(effect);
    }
    const bool known = asked.empty() || std::holds_alternative<CallAborted>(read.what);
    const bool waits =
        state_.commander.waiting == asked || state_.commander.metering.request.waiting == asked ||
        std::ranges::any_of(
            state_.sessions,
            [&](const Session& session) { return session.metering.request.waiting == asked; }) ||
        std::ranges::find(state_.waiters, asked, &Waiter::request) != state_.waiters.end();
    REQUIRE(known || harvested || replied || waits, asked.value);
  }

  void keep(const Effect& effect) {
    if (const auto* timer = std::get_if<StartTimer>(&effect)) timers_.push_back(timer->timer);
    if (std::holds_alternative<CreateSession>(effect) ||
        std::holds_alternative<PromptSession>(effect) ||
        std::holds_alternative<InspectSession>(effect) ||
        std::holds_alternative<FindSessions>(effect)) {
      pending_.push_back(effect);
    }
    while (pending_.size() > 64) pending_.pop_front();
    while (timers_.size() > 64) timers_.pop_front();
  }

  template <class T>
  T taken(std::deque<T>& from) {
    const std::size_t at =
        source_.pick(static_cast<std::uint32_t>(std::min<std::size_t>(from.size(), 255)));
    T one = from[at];
    if (source_.pick(8) != 7) from.erase(from.begin() + static_cast<std::ptrdiff_t>(at));
    return one;
  }

  /// The host answers an effect: as it was asked, or not.
  void answer(bool well) {
    if (pending_.empty()) return tell(EffectFailed{source_.byte(), text()});
    const Effect effect = taken(pending_);
    std::visit(
        [&](const auto& asked) {
          using T = std::decay_t<decltype(asked)>;
          if constexpr (requires { asked.effect; }) {
            if (!well) return tell(EffectFailed{asked.effect, text()});
          }
          if constexpr (std::is_same_v<T, CreateSession>) {
            const bool odd = source_.pick(16) == 15;
            tell(SessionCreated{asked.effect,
                                odd ? session() : SessionId("s" + std::to_string(++made_))});
          } else if constexpr (std::is_same_v<T, PromptSession>) {
            tell(PromptAccepted{asked.effect});
          } else if constexpr (std::is_same_v<T, InspectSession>) {
            tell(SessionInspected{asked.effect, asked.session, source_.pick(8) != 7, source_.flag(),
                                  source_.flag(), source_.flag()});
          } else if constexpr (std::is_same_v<T, FindSessions>) {
            tell(found(asked.effect));
          }
        },
        effect);
  }

  SessionsFound found(EffectId effect) {
    SessionsFound all{effect, {}};
    for (const Session& one : state_.sessions) {
      if (source_.pick(4) == 3) continue;
      const bool odd = source_.pick(8) == 7;
      all.sessions.push_back({odd ? session() : one.id, source_.flag() ? one.effect : 0,
                              source_.flag(), source_.flag(), source_.flag(), one.lease.sent});
    }
    return all;
  }

  void fire() {
    if (timers_.empty()) return tell(TimerFired{source_.byte()});
    tell(TimerFired{taken(timers_)});
  }

  void crash() {
    check_state(state_);
    codec::Problems problems;
    REQUIRE(codec::parse_state(codec::dump_state(State(state_)), state_, problems));
    pending_.clear();
    timers_.clear();
    mode_ = mode();
    tell(ProcessStarted{mode_});
  }

  void call() {
    const SessionId caller = session();
    switch (source_.pick(8)) {
      case 5: {
        DelegateArgs part{text(), text(), "", {}, source_.flag(), {}};
        if (source_.flag()) part.files = {file()};
        return tell(DelegateCalled{request(), caller, part, {}});
      }
      case 6:
        return tell(ResultAsked{request(), caller, {task()}, {}});
      case 7:
        return tell(CancelCalled{request(), caller, {task(), ""}, {}});
      case 0: {
        PlanArgs plan{text(), {}, source_.flag() ? "nothing runs" : "", {}, {}};
        if (source_.flag()) plan.verify = {command()};
        for (std::uint32_t i = source_.pick(8); i > 0; --i) plan.tasks.push_back(spec());
        return tell(PlanSubmitted{request(), caller, plan, {}, source_.pick(8) == 7, sent(caller)});
      }
      case 1: {
        WorkArgs work{source_.pick(8) == 7 ? task() : TaskId{}, text(), {}, claims(), {}};
        if (source_.flag()) work.files = {file()};
        if (source_.pick(8) == 7) work.follow_ups = {spec()};
        return tell(WorkSubmitted{request(), caller, work, {}, source_.pick(8) == 7, sent(caller)});
      }
      case 2: {
        ReviewArgs review{{}, {}, {}, claims()};
        if (source_.pick(8) != 7) review.verdict = source_.flag() ? Verdict::reject : Verdict::pass;
        for (std::uint32_t i = source_.pick(3); i > 0; --i) {
          review.findings.push_back({file(), source_.byte(), static_cast<Severity>(source_.pick(3)),
                                     source_.pick(8) == 7 ? text() : "it is red"});
        }
        return tell(ReviewSubmitted{
            request(), caller, review, {}, "h", {}, source_.pick(8) == 7, sent(caller)});
      }
      case 3: {
        TodoArgs todo;
        todo.id = task();
        if (source_.flag()) todo.status = static_cast<TodoStatus>(source_.pick(5));
        if (source_.pick(4) == 3) todo.title = text();
        if (source_.pick(4) == 3) todo.add = spec();
        return tell(TodoUpdated{request(), caller, todo, {}});
      }
      default:
        return tell(RunCalled{request(), caller, {text(), {}, {}, ""}, {}});
    }
  }

  /// A person saves todo.md, having seen an older text of it.
  void edit() {
    TodoEdited event{core::todo_lines(state_), {}, {}};
    if (!seen_.empty() && source_.flag()) event.lines = event.before = seen_;
    for (std::uint32_t i = source_.pick(4); i > 0; --i) {
      const std::size_t at = source_.pick(static_cast<std::uint32_t>(event.lines.size()) + 1);
      const TaskSpec made = spec();
      const auto mark = static_cast<TodoMark>(source_.pick(5));
      if (at == event.lines.size()) {
        event.lines.push_back({source_.flag() ? made.id : TaskId{}, mark, made.title, made.agent,
                               made.files, made.deps});
      } else if (source_.pick(4) == 3) {
        event.lines.erase(event.lines.begin() + static_cast<std::ptrdiff_t>(at));
      } else {
        event.lines[at].mark = mark;
        if (source_.pick(4) == 3) event.lines[at].title = made.title;
        if (source_.pick(4) == 3) event.lines[at].deps = made.deps;
      }
    }
    seen_ = core::todo_lines(state_);
    tell(std::move(event));
  }

  void person() {
    switch (source_.pick(9)) {
      case 8:
        return edit();
      case 0:
        return tell(StopRequested{request(), session(), "--pause"});
      case 1:
        if (source_.pick(4) == 3) tell(StopRequested{request(), session(), ""});
        return;
      case 2:
      case 3:
        return tell(ResumeRequested{request(), session(), "", mode()});
      case 4:
        return tell(UserSpoke{state_.root_session, text()});
      case 5:
        return tell(CallAborted{last_request_, state_.root_session});
      case 6:
        return tell(StorageFailed{text()});
      default:
        return tell(MissionRequested{request(),
                                     session(),
                                     text(),
                                     mode(),
                                     MissionId("m-next"),
                                     source_.byte(),
                                     {"worker"},
                                     options_});
    }
  }

  void host() {
    const SessionId of = session();
    switch (source_.pick(17)) {
      case 12:
        return tell(ToolFailed{of, "edit", text(), source_.flag()});
      case 13:
      case 14:
      case 15:
        return tell(RequestAsked{request(), of, model(), source_.number(3), source_.number(2),
                                 source_.pick(4) * 1.0, source_.pick(4) * 5.0});
      case 16:
        return tell(LoadChanged{static_cast<Load>(source_.pick(3)), text()});
      case 10:
        return tell(
            PermissionAsked{PermissionId("p" + std::to_string(source_.pick(4))), of, text()});
      case 11:
        return tell(PermissionAnswered{PermissionId("p" + std::to_string(source_.pick(4))), of,
                                       source_.flag()});
      case 0:
      case 1:
        return tell(TurnStarted{of, model()});
      case 2:
        return tell(TurnEnded{of, source_.number(2), 0.25, source_.flag(), text(), model(),
                              source_.pick(4) == 3, source_.pick(4) == 3});
      case 3:
      case 4:
        return tell(SessionIdled{of});
      case 5:
        return tell(SessionErrored{of,
                                   source_.flag()   ? "APIError"
                                   : source_.flag() ? "MessageAbortedError"
                                                    : "ContextOverflowError",
                                   text(), source_.flag() ? 0 : 400 + source_.byte()});
      case 6:
        return tell(SessionRetried{of, text(), source_.pick(8), source_.byte() * 1000});
      case 7:
        return tell(SessionCompacted{of});
      case 8:
        return tell(SessionDeleted{of});
      default:
        return tell(TurnEnding{request(), of});
    }
  }

  void act() {
    switch (source_.pick(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return answer(source_.pick(8) != 7);
      case 4:
      case 5:
        return fire();
      case 6:
      case 7:
      case 8:
        return host();
      case 9:
      case 10:
      case 11:
        return call();
      case 12:
        return tell(CommandRan{session(), command(), source_.pick(8) == 7 ? "sub" : "",
                               source_.pick(2), "o", "h"});
      case 13:
        return tell(FileWritten{session(), file()});
      case 14:
        return person();
      default:
        return source_.pick(4) == 3 ? crash() : fire();
    }
  }

  ByteSource source_;
  const SessionId root_{"root"};
  Options options_;
  HostMode mode_ = HostMode::serve;
  State state_;
  TimeMs now_ = 1'700'000'000'000;
  std::vector<Event> log_;
  std::deque<Effect> pending_;
  std::deque<TimerId> timers_;
  RequestId last_request_;
  std::vector<TodoLine> seen_;
  std::uint64_t requests_ = 0;
  std::uint64_t made_ = 0;
};

}  // namespace
}  // namespace orchestrator::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  orchestrator::fuzz::Story(orchestrator::fuzz::ByteSource(data, size)).run();
  return 0;
}
