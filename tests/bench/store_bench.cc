// What durability costs: `store_bench <empty directory on the disk to measure>` prints one JSON
// object. js/bench/store.mjs starts it; docs/lab/benchmarks.md says what the figures mean.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <string>
#include <vector>

#include "codec/log_record.h"
#include "orchestrator/step.h"
#include "os/file_system.h"
#include "runtime/history/mission_store.h"
#include "runtime/history/replay.h"
#include "store/wal_format.h"
#include "store/wal_writer.h"

namespace orchestrator::bench {
namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

/// Processor time: for what waits for no disk, so that neighbours on the machine do not count.
double cpu_ms() { return static_cast<double>(std::clock()) * 1000 / CLOCKS_PER_SEC; }

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "store_bench: %s\n", why.c_str());
  std::exit(1);
}

template <class T>
void need(const base::Result<T>& result) {
  if (!result.ok()) give_up(result.error().text());
}

constexpr std::size_t kPayloadBytes = 100;

// ---- appending ----------------------------------------------------------------------------------

/// The least that durability can cost: the same bytes by bare system calls.
double bare_us(const std::string& path, int records) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_TRUNC, 0600);
  if (fd < 0) give_up("cannot open " + path);
  const std::string bytes(kPayloadBytes + store::kWalRecordHeaderBytes, 'b');
  const auto begin = Clock::now();
  for (int i = 0; i < records; ++i) {
    if (::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
        ::fdatasync(fd) != 0) {
      give_up("cannot write " + path);
    }
  }
  const double us = ms_since(begin) * 1000 / records;
  ::close(fd);
  return us;
}

double appended_us(os::FileSystem& fs, const std::string& path, int records, int group) {
  need(fs.remove(path));
  auto writer = store::WalWriter::create(fs, path, 1);
  need(writer);
  const std::string payload(kPayloadBytes, 'p');
  const auto begin = Clock::now();
  for (int i = 0; i < records; i += group) {
    for (int k = 0; k < group; ++k) need(writer.value()->append(payload));
    need(writer.value()->sync());
  }
  return ms_since(begin) * 1000 / records;
}

struct Appending {
  double bare_us = 0;
  double one_us = 0;
  double group_us = 0;
};

/// Turn by turn: what the disk does besides meets all three.
Appending measure_appending(os::FileSystem& fs, const std::string& directory) {
  std::vector<double> bare, one, group;
  for (int round = 0; round < 15; ++round) {
    bare.push_back(bare_us(directory + "/bare", 100));
    one.push_back(appended_us(fs, directory + "/one.wal", 100, 1));
    group.push_back(appended_us(fs, directory + "/group.wal", 6400, 64));
  }
  return {median(bare), median(one), median(group)};
}

// ---- a mission that takes so many events --------------------------------------------------------

/// Plays host and models of one mission. Most events are those that sessions make all the time:
/// turns, files and commands.
class Mission {
 public:
  Mission(os::FileSystem& fs, const std::string& root, int tasks, int turns)
      : store_(fs, root), tasks_(tasks), turns_(turns) {
    need(store_.begin(MissionId("m-bench")));
  }

  /// Plays until so many events are there, or the mission is over.
  void play_until(std::uint64_t events) {
    if (state_.phase == Phase::none) start();
    while (store_.next_seq() <= events && is_running(state_.phase)) advance();
    need(store_.sync());
    need(store_.save(state_));
  }
  [[nodiscard]] std::uint64_t events() const { return store_.next_seq() - 1; }

 private:
  void happen(Happening what) {
    now_ms_ += 7;
    auto effects = store_.apply(state_, Event{store_.next_seq(), now_ms_, std::move(what)});
    need(effects);
    for (Effect& effect : effects.value()) due_.push_back(std::move(effect));
    if (++unsynced_ >= 64) {
      need(store_.sync());
      unsynced_ = 0;
    }
    if (store_.next_seq() % 2000 == 0) {
      need(store_.sync());
      need(store_.save(state_));
    }
  }

  void start() {
    MissionRequested request;
    request.request = RequestId("r");
    request.session = SessionId("ses_root");
    request.arguments = "Build the library.";
    request.mission = MissionId("m-bench");
    request.agents = {"worker"};
    happen(request);
    PlanSubmitted plan;
    plan.session = SessionId("ses_root");
    plan.args.summary = "Modules from the bottom up.";
    plan.args.verify = {"npm test"};
    for (int i = 0; i < tasks_; ++i) {
      TaskSpec task;
      task.id = TaskId("T" + std::to_string(i + 1));
      task.title = "Module " + std::to_string(i + 1);
      task.description = "Write the module and its tests; keep to the style of the others.";
      task.files = {"src/m" + std::to_string(i + 1) + ".js",
                    "test/m" + std::to_string(i + 1) + ".js"};
      task.verify = {"node --test test/m" + std::to_string(i + 1) + ".js"};
      plan.args.tasks.push_back(task);
    }
    happen(plan);
    RunCalled run;
    run.request = RequestId("run");
    run.session = SessionId("ses_root");
    happen(run);
  }

  void advance() {
    if (due_.empty()) give_up("the mission stands still");
    const Effect effect = std::move(due_.front());
    due_.pop_front();
    if (const auto* create = std::get_if<CreateSession>(&effect)) {
      happen(SessionCreated{create->effect,
                            SessionId("ses_" + std::to_string(++sessions_) + "ffeMbench")});
    } else if (const auto* prompt = std::get_if<PromptSession>(&effect)) {
      happen(PromptAccepted{prompt->effect});
      work(prompt->session);
    }
  }

  void turn(const SessionId& session) {
    happen(TurnStarted{session});
    const Session* const found = find_session(state_, session);
    if (found != nullptr && found->role == Role::worker) {
      happen(FileWritten{session, "src/m" + found->task.value.substr(1) + ".js"});
    } else {
      happen(CommandRan{session, "git diff --stat", "", 0, std::string(64, 'a'),
                        std::string(64, 'b')});
    }
    TurnEnded ended{session, 1200, 0.01, false, {}};
    ended.message = "msg_" + std::to_string(store_.next_seq()) + "ffeMbench";
    happen(ended);
  }

  void work(const SessionId& session) {
    for (int i = 0; i < turns_ && find_session(state_, session) != nullptr; ++i) turn(session);
    const Session* const found = find_session(state_, session);
    if (found == nullptr) return;
    if (found->role == Role::worker) {
      WorkSubmitted work;
      work.request = RequestId("w");
      work.session = session;
      work.args.summary = "The module and its tests.";
      work.args.files = {"src/m" + found->task.value.substr(1) + ".js"};
      happen(work);
    } else {
      review(session, found->role == Role::master_reviewer ? TaskId("mission") : found->task);
    }
    happen(SessionIdled{session});
  }

  void review(const SessionId& session, const TaskId& task) {
    const Task* const found = find_task(state_, task);
    for (const std::string& command : found != nullptr ? found->spec.verify : state_.plan.verify)
      happen(CommandRan{session, command, "", 0, std::string(64, 'a'), "hash"});
    ReviewSubmitted review;
    review.request = RequestId("v");
    review.session = session;
    review.args.task = task;
    review.args.verdict = Verdict::pass;
    review.files_hash = "hash";
    happen(review);
  }

  runtime::MissionStore store_;
  State state_;
  const int tasks_;
  const int turns_;  ///< of each session
  std::deque<Effect> due_;
  TimeMs now_ms_ = 1'700'000'000'000;
  int unsynced_ = 0;
  int sessions_ = 0;
};

// ---- replay and recovery ------------------------------------------------------------------------

struct Replayed {
  std::uint64_t events = 0;
  double events_per_s = 0;       ///< from the files: read, checksum, decode, step, compare
  double step_events_per_s = 0;  ///< decode and step alone
  double step_only_per_s = 0;
};

Replayed measure_replay(os::FileSystem& fs, const std::string& root) {
  const auto files = runtime::log_files(fs, root + "/.opencode/orchestrator", "m-bench");
  Replayed result;
  std::vector<double> whole, decoded, stepped;
  std::vector<std::string> records;
  for (int round = 0; round < 7; ++round) {
    runtime::Replay replay;
    const double begin = cpu_ms();
    for (const auto& file : files) (void)replay.read(fs, file.path);
    whole.push_back(static_cast<double>(replay.events()) / (cpu_ms() - begin) * 1000);
    if (replay.divergence()) give_up(replay.divergence()->what);
    result.events = replay.events();
  }
  for (const auto& file : files) {
    (void)store::scan_wal(fs, file.path,
                          [&](const store::WalRecord& record) {
                            if (record.kind == store::WalKind::event)
                              records.emplace_back(record.payload);
                            return true;
                          },
                          {});
  }
  std::vector<Event> events(records.size());
  for (int round = 0; round < 7; ++round) {
    State state;
    codec::LoggedEvent logged;
    double begin = cpu_ms();
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (!codec::decode_event_record(records[i], store::kWalVersion, logged, nullptr))
        give_up("an event cannot be decoded");
      (void)step(state, logged.event);
      if (round == 0) events[i] = logged.event;
    }
    if (round > 0)
      decoded.push_back(static_cast<double>(records.size()) / (cpu_ms() - begin) * 1000);
    State again;
    begin = cpu_ms();
    for (const Event& event : events) (void)step(again, event);
    stepped.push_back(static_cast<double>(events.size()) / (cpu_ms() - begin) * 1000);
  }
  result.events_per_s = median(whole);
  result.step_events_per_s = median(decoded);
  result.step_only_per_s = median(stepped);
  return result;
}

std::uint64_t log_bytes(os::FileSystem& fs, const std::string& root) {
  std::uint64_t bytes = 0;
  for (const auto& file : runtime::log_files(fs, root + "/.opencode/orchestrator", "m-bench"))
    bytes += fs.stat(file.path).value().size_bytes;
  return bytes;
}

double measure_recovery(os::FileSystem& fs, const std::string& root) {
  std::vector<double> times;
  for (int round = 0; round < 7; ++round) {
    runtime::MissionStore store(fs, root);
    State state;
    const auto begin = Clock::now();
    const auto loaded = store.load(state, 1'700'000'000'000);
    times.push_back(ms_since(begin));
    need(loaded);
    if (!loaded.value().found || !store.is_open()) give_up("the mission was not found again");
  }
  return median(times);
}

void run(const std::string& directory) {
  os::FileSystem& fs = os::posix_file_system();
  const Appending appending = measure_appending(fs, directory);

  // One mission to its end, and one of 100,000 events in its middle.
  const std::string short_root = directory + "/short";
  {
    Mission mission(fs, short_root, 20, 60);
    mission.play_until(1'000'000);
  }
  const Replayed replayed = measure_replay(fs, short_root);

  const std::string long_root = directory + "/long";
  std::vector<std::pair<std::uint64_t, std::uint64_t>> growth;
  std::uint64_t events = 0;
  {
    Mission mission(fs, long_root, 500, 40);
    for (const std::uint64_t until : {25'000U, 50'000U, 100'000U}) {
      mission.play_until(until);
      growth.emplace_back(mission.events(), log_bytes(fs, long_root));
    }
    events = mission.events();
  }
  const double recovery_ms = measure_recovery(fs, long_root);
  std::printf(
      "{\"bare_us\": %.2f, \"one_us\": %.2f, \"group_us\": %.3f, \"replay_events\": %llu, "
      "\"replay_per_s\": %.0f, \"decode_step_per_s\": %.0f, \"step_per_s\": %.0f, "
      "\"recovery_events\": %llu, \"recovery_ms\": %.2f, \"growth\": [",
      appending.bare_us, appending.one_us, appending.group_us,
      static_cast<unsigned long long>(replayed.events), replayed.events_per_s,
      replayed.step_events_per_s, replayed.step_only_per_s, static_cast<unsigned long long>(events),
      recovery_ms);
  for (std::size_t i = 0; i < growth.size(); ++i) {
    std::printf("%s{\"events\": %llu, \"bytes\": %llu}", i == 0 ? "" : ", ",
                static_cast<unsigned long long>(growth[i].first),
                static_cast<unsigned long long>(growth[i].second));
  }
  std::printf("]}\n");
}

}  // namespace
}  // namespace orchestrator::bench

int main(int argc, char** argv) {
  if (argc != 2) orchestrator::bench::give_up("usage: store_bench <empty directory>");
  orchestrator::bench::run(argv[1]);
  return 0;
}
