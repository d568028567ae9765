#include "sim/simulation.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "sim/git.h"
#include "sim/host.h"

namespace orchestrator::sim {
namespace {

/// Steps between two moments at which persons act, processes die and files are damaged.
constexpr std::uint64_t kOccasionEvery = 8;
constexpr std::uint64_t kStepsMost = 400'000;
constexpr std::uint64_t kHealedStepsMost = 100'000;
constexpr std::uint32_t kHealedResumesMost = 40;
/// Resumptions of a mission with a small budget; each grants the budget once more.
constexpr std::uint32_t kCappedResumesMost = 400;
constexpr std::uint32_t kResumesBeforeHealing = 5;
constexpr std::uint64_t kStepsAfterTheEnd = 300;
constexpr std::uint64_t kHourMs = 3'600'000;
/// Limits at their largest, so that a person is needed as rarely as possible.
constexpr const char* kEndlessOptions =
    R"({"options":{"limits":{"attempts":100,"iterations":100,"continuations":100}},"agents":["worker"]})";

class Simulation {
 public:
  explicit Simulation(const RunOptions& options)
      : seed_(options.seed),
        endless_ms_(std::uint64_t{options.endless_hours} * kHourMs),
        sampled_(options.sampled),
        faults_(endless_ms_ > 0 ? Faults::everyday(options.seed)
                                : Faults(options.seed, options.only)),
        disk_(faults_),
        git_(faults_, timeline_, disk_, options.seed),
        checker_(disk_, git_.model(), endless_ms_ == 0),
        trace_(options.trace_lines),
        models_(faults_, options.seed, endless_ms_ > 0),
        host_(faults_, timeline_, git_, checker_, trace_, models_, options.seed),
        random_(mix(options.seed, 41)),
        trees_(mix(options.seed, 42)) {
    has_git_ = endless_ms_ == 0 && trees_.chance(60);
    disk_.put(std::string(kRoot) + "/README.md", "A project");
    const std::uint32_t mode = random_.pick(8);
    mode_ = mode < 4 ? HostMode::serve : mode < 6 ? HostMode::tui : HostMode::run;
    heals_at_ = random_.between(100, 4'000);
    missions_wanted_ = random_.chance(10) ? 2 : 1;
    options_ = some_options();
    // The missions are small, but in one run of four the log rotates.
    if (random_.chance(25)) limits_ = {random_.between(10, 100), 4U << 20U, random_.between(1, 64)};
    if (endless_ms_ > 0) {
      mode_ = HostMode::serve;
      limits_ = {};
      host_.set_pace(5'000);
      options_ = kEndlessOptions;
    }
  }

  RunResult run() {
    RunResult result;
    try {
      start_process();
      while (!is_over()) go_on();
      final_checks();
    } catch (Violation& violation) {
      result.violation = std::move(violation);
    }
    checker_.process_gone();
    result.hits = faults_.hits();
    result.outcome = to_name(checker_.phase());
    result.missions = checker_.missions();
    result.processes = processes_;
    result.messages = messages_ + (process_ ? process_->messages() : 0);
    result.events = checker_.events();
    result.disk_calls = disk_.calls();
    result.in_worktrees = git_.counts().missions.size();
    result.worktrees = git_.counts().worktrees;
    result.races = checker_.races();
    result.merges = git_.counts().merges;
    result.conflicts = git_.counts().conflicts;
    result.deaths = deaths_;
    result.virtual_ms = timeline_.now_ms() - began_ms_;
    for (const std::string& name : disk_.files()) trace_.mix_in(name, *disk_.look(name));
    result.trace_hash = trace_.hash();
    result.trace.assign(trace_.lines().begin(), trace_.lines().end());
    disk_.die(false, Random(0));
    return result;
  }

 private:
  // ---- the course of a run

  void go_on() {
    ++steps_;
    if (endless_ms_ > 0) sample();
    if (!timeline_.step()) {
      stand_still();
    } else if (steps_ % kOccasionEvery == 0 && !died_) {
      occasion();
    }
    if (died_) bury(faults_.hit(Fault::power_cut));
    if (endless_ms_ == 0 && !faults_.healed() &&
        (steps_ > heals_at_ || resumes_ > kResumesBeforeHealing))
      heal();
    if (mission_over()) ++steps_after_;
    check_measures();
  }

  void sample() {
    const std::uint64_t lived_ms = timeline_.now_ms() - began_ms_;
    if (lived_ms < next_sample_ms_) return;
    next_sample_ms_ += kHourMs;
    host_.forget_old_sessions(6 * kHourMs);
    Sample sample;
    sample.virtual_ms = lived_ms;
    sample.events = checker_.events();
    sample.disk_bytes = disk_.bytes();
    for (const std::string& name : disk_.files()) {
      if (name.ends_with("/mission_loop.json")) sample.snapshot_bytes = disk_.look(name)->size();
      if (name.find(".wal") != std::string::npos) sample.log_bytes += disk_.look(name)->size();
    }
    if (sampled_) sampled_(sample);
  }

  void heal() {
    trace_.note(timeline_.now_ms(), "**", "no more faults from here on");
    faults_.heal();
    disk_.end_faults();
    healed_at_step_ = steps_;
    resumes_ = 0;
  }

  void check_measures() const {
    if (endless_ms_ > 0) return;
    const std::uint64_t healed_steps = faults_.healed() ? steps_ - healed_at_step_ : 0;
    if (steps_ < kStepsMost && healed_steps < kHealedStepsMost &&
        (!faults_.healed() || resumes_ <= (capped_ ? kCappedResumesMost : kHealedResumesMost)))
      return;
    throw Violation{"every mission ends, within its measure",
                    "after " + std::to_string(steps_) + " steps and " + std::to_string(resumes_) +
                        " resumes without faults it is " + std::string(to_name(checker_.phase())) +
                        ": " + (checker_.state() == nullptr ? "" : checker_.state()->reason)};
  }

  [[nodiscard]] bool mission_over() const {
    return checker_.missions() > 0 && !is_active(checker_.phase());
  }

  bool is_over() {
    if (endless_ms_ > 0 && timeline_.now_ms() - began_ms_ >= endless_ms_) return true;
    if (!mission_over() || steps_after_ < kStepsAfterTheEnd) return false;
    if (checker_.missions() >= missions_wanted_) return true;
    if (process_ == nullptr || asking_) return false;
    steps_after_ = 0;
    ask_for_mission(host_.new_session());
    return false;
  }

  void final_checks() {
    checker_.check_replay();
    checker_.check_files();
    check_worktrees();
  }

  /// Checks that no worktree is left: a mission without faults removes its own at its end, and the
  /// next start removes what a dead process has left.
  void check_worktrees() {
    if (endless_ms_ > 0 || git_.model().trees().empty()) return;
    const std::string left = git_.model().trees().begin()->first;
    const bool spotless = faults_.hits().empty() && process_ != nullptr && processes_ == 1;
    if (!spotless) {
      heal();
      if (process_ != nullptr) {
        process_->end_in_order();
        bury(false);
      }
      mode_ = HostMode::serve;
      start_process();
      for (int i = 0; i < 1'000 && !git_.model().trees().empty() && timeline_.step(); ++i) {
      }
    }
    if (git_.model().trees().empty()) return;
    // Its end was lost with the process, before anything of it was seen outside: the mission waits
    // to be resumed.
    if (is_active(checker_.phase())) return;
    throw Violation{"no worktree is left at the end", left + " stands when the mission is over"};
  }

  // ---- processes

  void start_process() {
    if (process_ != nullptr) return;
    ++processes_;
    trace_.note(
        timeline_.now_ms(), "**",
        "process " + std::to_string(processes_) + " starts in mode " + std::string(to_name(mode_)));
    disk_.start();
    died_ = false;
    asking_ = false;
    process_ = std::make_unique<Process>(
        disk_, checker_, timeline_, trace_, options_, limits_, machine(),
        has_git_ ? &git_ : nullptr, mix(seed_, 1000 + processes_),
        Process::Ears{[this](const Effect& effect) {
                        timeline_.after(1, [this, effect] { host_.carry_out(effect); });
                      },
                      [this] { host_.engine_failed(); }, [this] { died_ = true; }});
    host_.start(*process_, mode_);
    if (checker_.missions() == 0 || mode_ == HostMode::run) open_session();
  }

  /// The first action of this process's user.
  void open_session() {
    const SessionId session = host_.new_session();
    if (mode_ == HostMode::run) {
      // `opencode run` ends when its session becomes idle for the first time.
      host_.end_with(session, [this] {
        ends_ = true;
        timeline_.after(10, [this] { end_run(); });
      });
    }
    timeline_.after(random_.between(1, 50), [this, session] {
      if (checker_.missions() == 0) return ask_for_mission(session);
      // The user asks another question, or resumes the mission.
      if (random_.chance(30)) return host_.say(session, "What is in this directory?");
      resume(session);
    });
  }

  void end_run() {
    if (random_.chance(50)) process_->end_in_order();
    died_ = true;
  }

  void bury(bool power_cut) {
    died_ = false;
    ++deaths_;
    trace_.note(timeline_.now_ms(), "**",
                power_cut ? "the process dies, and the power goes" : "the process dies");
    if (!disk_.is_dead()) checker_.check_replay();
    disk_.die(power_cut, Random(mix(seed_, 5000 + processes_)));
    timeline_.end_life();
    messages_ += process_->messages();
    checker_.process_gone();
    host_.process_gone();
    process_.reset();
    asking_ = false;
    checker_.check_files();
    const bool goes_on = mission_over() ? checker_.missions() < missions_wanted_ : true;
    if (!goes_on) {
      steps_after_ = kStepsAfterTheEnd;
      return;
    }
    if (checker_.missions() > 0) ++resumes_;
    if (endless_ms_ == 0 && random_.chance(20))
      mode_ = mode_ == HostMode::run ? HostMode::serve : HostMode::run;
    timeline_.outside(random_.between(100, 60'000), [this] { start_process(); });
  }

  // ---- persons

  [[nodiscard]] SessionId root() {
    const State* state = checker_.state();
    if (state != nullptr && host_.has(state->root_session)) return state->root_session;
    return host_.new_session();
  }

  void ask_for_mission(const SessionId& session) {
    MissionRequested event;
    event.session = session;
    event.mode = mode_;
    event.arguments = "Build it";
    if (random_.chance(20)) event.arguments += " --background";
    const bool capped = random_.chance(20);
    capped_ = capped_ || capped;
    if (capped) {
      constexpr std::array kBudgets{"150ktok", "400ktok", "2Mtok", "2usd", "10usd"};
      event.arguments += std::string(" --budget ") +
                         kBudgets[random_.pick(static_cast<std::uint32_t>(kBudgets.size()))];
    }
    event.extreme = random_.chance(5);
    if (random_.chance(10)) event.arguments += " --time 1h";
    if (random_.chance(20))
      event.arguments += random_.chance(50) ? " --parallel 2" : " --parallel 40";
    if (trees_.chance(50)) event.arguments += " --isolation worktree";
    if (has_git_ && trees_.chance(10)) event.extreme = true;
    asking_ = true;
    host_.command(session, event, [this](bool /*ok*/) { asking_ = false; });
  }

  void resume(const SessionId& session) {
    ResumeRequested event;
    event.session = session;
    event.mode = mode_;
    host_.command(session, event, [](bool) {});
  }

  void stop(const char* words) {
    StopRequested event;
    event.session = root();
    event.arguments = words;
    host_.command(event.session, event, [](bool) {});
  }

  /// Lets those faults happen that are possible at any time.
  void occasion() {
    if (process_ == nullptr) return;
    damage();
    if (faults_.hit(Fault::die)) died_ = true;
    if (faults_.hit(Fault::restart)) {
      process_->end_in_order();
      died_ = true;
    }
    if (died_) return;
    if (mode_ != HostMode::run && faults_.hit(Fault::reload)) host_.reload();
    if (faults_.hit(Fault::instance)) host_.second_instance();
    if (checker_.missions() == 0) return;
    if (faults_.hit(Fault::person_speaks)) host_.say(root(), "A word");
    if (faults_.hit(Fault::person_writes)) write_beside();
    if (faults_.hit(Fault::person_edits_todo)) edit_todo();
    if (faults_.hit(Fault::person_escapes)) host_.press_escape(root());
    if (faults_.hit(Fault::person_pauses)) stop("--pause");
    if (faults_.hit(Fault::person_stops)) stop("");
    if (faults_.hit(Fault::person_resumes)) resume(host_.new_session());
    if (faults_.hit(Fault::person_deletes_root)) host_.delete_session(root());
    if (faults_.hit(Fault::person_starts_beside)) start_beside();
  }

  void start_beside() {
    MissionRequested event;
    event.session = host_.new_session();
    event.arguments = "Something else";
    event.mode = mode_;
    host_.command(event.session, event, [](bool) {});
  }

  /// A person changes a file that a task may claim.
  void write_beside() {
    Random detail = faults_.detail(Fault::person_writes);
    git_.write("", "src/" + std::to_string(detail.pick(3)) + "/T" +
                       std::to_string(detail.between(1, 4)) + ".txt");
  }

  /// A person changes a line of the task list, adds or removes one, or spoils the file.
  void edit_todo() {
    const std::string path = std::string(kRoot) + "/.opencode/todo.md";
    const std::string* text = disk_.look(path);
    if (text == nullptr) return;
    Random detail = faults_.detail(Fault::person_edits_todo);
    std::string edited = *text;
    std::vector<std::size_t> boxes;  // where each line of a task begins
    for (std::size_t at = edited.find("\n- ["); at != std::string::npos;
         at = edited.find("\n- [", at + 1))
      boxes.push_back(at + 1);
    const std::uint32_t kind = boxes.empty() ? 3 : detail.pick(12);
    const std::size_t line =
        boxes.empty() ? 0 : boxes[detail.pick(static_cast<std::uint32_t>(boxes.size()))];
    const std::size_t end = std::min(edited.find('\n', line), edited.size());
    if (kind < 6) {
      edited[std::min(line + 3, edited.size() - 1)] = " xX~!-"[kind];
    } else if (kind < 8) {
      edited.erase(line, end - line);
    } else if (kind < 10) {
      const std::string number = std::to_string(detail.pick(1'000));
      edited += "- [ ] Wish " + number + " (files: src/" + std::to_string(detail.pick(3)) + "/W" +
                number + ".txt)\n";
    } else if (kind == 10) {
      edited.insert(end, " (deps: T1; agent: nobody)");
    } else {
      edited.resize(edited.size() / 2);
    }
    disk_.put(path, edited);
  }

  void damage() {
    const std::string snapshot = std::string(kRoot) + "/.opencode/mission_loop.json";
    const std::string log =
        std::string(kRoot) + "/.opencode/orchestrator/" + checker_.mission().value + ".wal";
    if (faults_.hit(Fault::lose_snapshot)) disk_.lose(snapshot);
    if (faults_.hit(Fault::lose_todo)) disk_.lose(std::string(kRoot) + "/.opencode/todo.md");
    if (faults_.hit(Fault::lose_log)) disk_.lose(log);
    if (faults_.hit(Fault::rot_snapshot)) disk_.rot(snapshot, faults_.detail(Fault::rot_snapshot));
    if (faults_.hit(Fault::rot_log)) disk_.rot(log, faults_.detail(Fault::rot_log));
    checker_.files_damaged();
  }

  /// The timeline is empty: the mission is over, or a person must act.
  void stand_still() {
    if (mission_over()) {
      steps_after_ = kStepsAfterTheEnd;
      return;
    }
    if (process_ == nullptr) return start_process();
    ++resumes_;
    if (checker_.missions() == 0) return ask_for_mission(host_.new_session());
    const State* state = checker_.state();
    const bool stuck = state != nullptr && is_running(state->phase) && !state->dormant;
    if (stuck) {
      throw Violation{
          "every mission ends or waits for a person",
          "nothing is due any more, and the mission is " + std::string(to_name(state->phase))};
    }
    // A person who gets no answer may restart the program.
    if (state == nullptr && random_.chance(50)) {
      died_ = true;
      return;
    }
    resume(random_.chance(30) ? host_.new_session() : root());
  }

  [[nodiscard]] std::string some_options() {
    Options options;
    options.limits.attempts = random_.between(1, 3);
    options.limits.iterations = random_.between(1, 3);
    options.limits.continuations = random_.between(1, 3);
    options.parallel.initial = random_.between(1, 4);
    options.parallel.max = random_.between(options.parallel.initial, 6);
    options.timeouts.stall_s = random_.between(20, 300);
    options.timeouts.task_min = random_.chance(70) ? 60 : random_.between(1, 10);
    some_models(options);
    options.resume = random_.chance(75) ? ResumePolicy::automatic : ResumePolicy::manual;
    return "{\"options\":" + codec::dump(options) + ",\"agents\":[\"worker\"]}";
  }

  void some_models(Options& options) {
    if (random_.chance(20)) options.models["worker"] = "sim/small";
    if (random_.chance(20)) options.models["reviewer"] = "sim/third";
    if (random_.chance(20)) options.fallback["sim/large"] = "sim/small";
    if (random_.chance(10)) options.fallback["worker"] = "sim/third";
    if (random_.chance(20)) options.parallel.per_model["sim/large"] = random_.between(1, 3);
    if (random_.chance(20)) options.parallel.per_model["sim/small"] = random_.between(1, 3);
  }

  /// Simulated /proc files, in runs with a varying machine load.
  [[nodiscard]] std::function<std::string(const std::string&)> machine() {
    if (!faults_.enabled(Fault::machine_is_busy)) return nullptr;
    return [this](const std::string& path) -> std::string {
      if (path != "/proc/meminfo") return "";
      if (faults_.hit(Fault::machine_is_busy))
        free_percent_ = faults_.detail(Fault::machine_is_busy).pick(14);
      else if (faults_.healed() || random_.chance(30))
        free_percent_ = 50;
      return "MemTotal: 100 kB\nMemAvailable: " + std::to_string(free_percent_) + " kB\n";
    };
  }

  const std::uint64_t seed_;
  const std::uint64_t endless_ms_;
  const std::function<void(const Sample&)> sampled_;
  Faults faults_;
  Timeline timeline_;
  const std::uint64_t began_ms_ = timeline_.now_ms();
  Disk disk_;
  Git git_;
  Checker checker_;
  Trace trace_;
  Models models_;
  Host host_;
  Random random_;
  Random trees_;          ///< separate, so that older seeds without worktrees give the same runs
  bool has_git_ = false;  ///< the machine has git, and the project is a repository
  std::unique_ptr<Process> process_;
  HostMode mode_ = HostMode::serve;
  std::string options_;
  runtime::LogLimits limits_;
  std::uint64_t next_sample_ms_ = kHourMs;
  std::uint32_t missions_wanted_ = 1;
  std::uint32_t processes_ = 0;
  std::uint64_t deaths_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t steps_after_ = 0;
  std::uint64_t heals_at_ = 0;
  std::uint64_t healed_at_step_ = 0;
  std::uint32_t resumes_ = 0;
  std::uint32_t free_percent_ = 50;  ///< free part of the machine's memory
  bool died_ = false;
  bool ends_ = false;
  bool asking_ = false;
  bool capped_ = false;  ///< the newest mission has a small budget
};

}  // namespace

RunResult simulate(const RunOptions& options) { return Simulation(options).run(); }

}  // namespace orchestrator::sim
