// Writes seeds for the fuzzers, from missions in the fake host: `fuzz_seeds <directory>` fills
// <directory>/<target>/. They are raw material: what is kept in tests/fuzz/corpus is minimised with
// `-merge=1`, see docs/design/building.md.
#include <filesystem>
#include <fstream>
#include <set>

#include "codec/binary.h"
#include "codec/log_record.h"
#include "codec/message.h"
#include "core/support/fake_host.h"
#include "store/wal_format.h"

namespace orchestrator::test {
namespace {

namespace fs = std::filesystem;

class Seeds {
 public:
  explicit Seeds(fs::path directory) : directory_(std::move(directory)) {}

  void put(const std::string& target, const std::string& bytes) {
    const fs::path path = directory_ / target;
    fs::create_directories(path);
    std::ofstream(path / ("seed-" + std::to_string(++count_)), std::ios::binary) << bytes;
  }

  /// The state of a mission at this moment.
  void keep_state(const State& state) {
    put("snapshot", codec::dump(state));
    put("todo_parser", todo_markdown(state));
  }

  /// Each kind of event, as a message and as a record; and the log as a whole.
  void keep_log(const std::vector<Event>& events) {
    std::string log = store::wal_header();
    State state;
    for (const Event& event : events) {
      std::string logged = codec::encode_event_record(event);
      const Effects effects = step(state, event);
      codec::set_witness(logged, step_digest(state, effects));
      store::append_wal_record(log, {store::WalKind::event, true, event.seq, logged, 0});
      const std::string record = codec::encode_event(event);
      if (!kinds_.insert(event.what.index()).second) continue;
      put("event_decoder", codec::dump(event.what));
      put("event_decoder", record);
    }
    constexpr char kRaw = 1;
    put("wal_reader", kRaw + log.substr(0, 4000));
    std::string second = store::wal_header();
    const std::string whole = codec::encode_state(state);
    const std::string mark = codec::encode_mark({"0.1.0", std::string(64, '0')});
    store::append_wal_record(second, {store::WalKind::checkpoint, true, state.last_seq, whole, 0});
    store::append_wal_record(second, {store::WalKind::mark, true, state.last_seq, mark, 0});
    put("wal_reader", kRaw + second);
    put("wal_reader", kRaw + log.substr(0, 500));
  }

 private:
  fs::path directory_;
  int count_ = 0;
  std::set<std::size_t> kinds_;
};

/// A mission that uses every feature, recorded at each step.
void play(Seeds& seeds, HostMode mode, bool rejects, bool dies) {
  FakeHost host(mode);
  host.plan = plan_of({task("T1"), task("T2", {"T1"}, {"src/**"})});
  host.options.models = {{"worker", "acme/large"}};
  bool once = rejects;
  const auto review = [&](Turn& turn) {
    if (!once) {
      turn.pass();
      return;
    }
    once = false;
    turn.reject("It does not build", "src/T1.cc");
  };
  host.script(Role::reviewer, review);
  if (rejects) host.script(Role::master_reviewer, review);
  host.task_command("Build it --budget 5usd --time 2h");
  for (std::size_t at = 5; is_active(host.state.phase) && at < 200; at += 12) {
    host.run_to_event(at);
    seeds.keep_state(host.state);
    if (dies && at > 40) {
      host.crash(mode);
      host.resume("");
      dies = false;
    }
    if (at == 53) host.say("How far is it?");
  }
  host.stop("--pause");
  seeds.keep_state(host.state);
  host.resume("");
  host.run();
  seeds.keep_state(host.state);
  seeds.keep_log(host.log);
}

}  // namespace
}  // namespace orchestrator::test

int main(int argc, char** argv) {
  using namespace orchestrator;
  if (argc != 2) return std::fprintf(stderr, "usage: fuzz_seeds <directory>\n"), 2;
  test::Seeds seeds(argv[1]);
  for (const HostMode mode : {HostMode::serve, HostMode::run}) {
    for (const bool rejects : {false, true}) test::play(seeds, mode, rejects, rejects);
  }
  seeds.put("event_decoder", R"({"type":"hello","mode":"tui"})");
  seeds.put("event_decoder", R"({"type":"role_asked","request":"r","session":"s"})");
  seeds.put("event_decoder", R"({"type":"mission_status","request":"r"})");
  seeds.put("event_decoder", R"({"type":"write_asked","request":"r","session":"s","paths":["a"]})");
  seeds.put("event_decoder",
            R"({"type":"submit_review","request":"r","session":"s","args":{"verdict":"pass",
"findings":[{"severity":"note","message":"m","file":"f","line":3}],
"evidence":[{"command":"c","exit_code":0}]}})");
  seeds.put("event_decoder",
            R"({"type":"update_todo","request":"r","session":"s","args":{"id":"T1",
"status":"dropped","add":{"id":"T9","title":"t"}}})");
  seeds.put("event_decoder",
            R"({"type":"command_ran","session":"s","command":"make","exit_code":2,"output":"o"})");
  seeds.put("event_decoder", codec::dump(Options{}));
  return 0;
}
