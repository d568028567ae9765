// `mission_loop.json` after edits by a person or another program: the mission can go on from every
// state that the loader accepts.
#include "codec/binary.h"
#include "codec/message.h"
#include "fuzz/support/require.h"
#include "orchestrator/step.h"

namespace orchestrator::fuzz {
namespace {

void show(const State& state) {
  REQUIRE(status_text(state).size() <= 1000);
  REQUIRE(progress_title(state).size() <= 120, progress_title(state));
  (void)todo_markdown(state);
}

/// The first events after a start, and some that may follow in any state.
void go_on(State state, HostMode mode) {
  TimeMs now = state.updated_at;
  const auto tell = [&](Happening what) {
    const Effects effects = step(state, Event{state.last_seq + 1, now += 1000, std::move(what)});
    for (const Effect& effect : effects) (void)codec::encode_effect(effect);
    show(state);
  };
  tell(ProcessStarted{mode});
  const std::vector<Session> sessions = state.sessions;
  for (std::size_t i = 0; i < sessions.size() && i < 4; ++i) {
    const SessionId& id = sessions[i].id;
    tell(TurnStarted{id});
    WorkSubmitted work{RequestId("w"), id, {}, {}};
    work.args.summary = "done";
    tell(std::move(work));
    ReviewSubmitted review{RequestId("v"), id, {}, {}, "", {}};
    review.args.verdict = Verdict::pass;
    tell(std::move(review));
    tell(TurnEnded{id, 100, 0.1, true});
    tell(SessionErrored{id, "APIError", "503"});
    tell(SessionIdled{id});
    tell(TimerFired{state.clock.next_timer - 1});
    (void)system_card(state, id);
    (void)vouched_files(state, id);
    (void)why_not_write(state, id, "src/a.cc");
  }
  tell(ResumeRequested{RequestId("r"), SessionId("another"), "", mode});
  tell(RunCalled{RequestId("m"), SessionId("another"), {}, {}});
  tell(StopRequested{RequestId("p"), SessionId("another"), "--pause"});
  tell(ResumeRequested{RequestId("r2"), SessionId("another"), "", mode});
  tell(StopRequested{RequestId("s"), SessionId("another"), ""});
}

}  // namespace
}  // namespace orchestrator::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace orchestrator;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  State state;
  codec::Problems problems;
  if (!codec::parse_state(text, state, problems)) {
    REQUIRE(!problems.empty());
    return 0;
  }
  const std::string written = codec::dump_state(state);
  State again;
  REQUIRE(codec::parse_state(written, again, problems), codec::to_string(problems));
  REQUIRE(codec::encode(again) == codec::encode(state));
  fuzz::show(state);
  fuzz::go_on(state, HostMode::serve);
  fuzz::go_on(state, HostMode::run);
  return 0;
}
