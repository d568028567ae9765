#include "runtime/project.h"

#include <algorithm>
#include <array>
#include <random>
#include <thread>
#include <utility>
#include <variant>

#include "codec/message.h"
#include "orchestrator/step.h"
#include "os/content_hash.h"
#include "runtime/git_ignore.h"
#include "runtime/hand_over.h"
#include "runtime/log.h"
#include "runtime/machine_load.h"
#include "runtime/mission_store.h"
#include "runtime/project_files.h"
#include "runtime/project_options.h"

namespace orchestrator::runtime {
namespace {

/// Derived files and the progress line follow the state at most this often; a phase's change at
/// once.
constexpr std::uint64_t kDeriveEveryMs = 100;
/// The progress line costs the host two requests of its one thread, which the sessions need.
constexpr std::uint64_t kProgressEveryMs = 500;
/// Timer ids of the mission are small; these are ours.
constexpr std::uint64_t kDeriveTimer = std::uint64_t{1} << 62U;
constexpr std::uint64_t kHandOverTimer = kDeriveTimer + 1;
constexpr std::uint64_t kProgressTimer = kDeriveTimer + 2;
constexpr std::uint64_t kLoadTimer = kDeriveTimer + 10;
/// How often it is looked how busy the machine is, while a mission runs.
constexpr std::uint64_t kLoadEveryMs = 5'000;
constexpr std::uint64_t kMachineBytesMax = 65'536;

/// Letters only: OpenCode takes an error text in which it finds "500" or "429" for one of a server
/// and tries again, and our refusals name missions.
MissionId new_mission_id(std::uint64_t random) {
  constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz";
  std::string name = "m-";
  for (int i = 0; i < 10; ++i, random /= kLetters.size())
    name += kLetters[random % kLetters.size()];
  return MissionId(name);
}

struct RoleAnswer {
  Role role = Role::none;
  std::string card;
  bool capped = false;  ///< leave is asked for each of its model requests

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("role", self.role);
    visit("card", self.card);
    visit("capped", self.capped);
  }
};

struct Progress {
  RequestId request;
  std::string title;
  std::string text;

  template <class Self, class Visitor>
  static void describe(Self& self, Visitor&& visit) {
    visit("request", self.request);
    visit("title", self.title);
    visit("text", self.text);
  }
};

template <class T>
std::string typed(std::string_view type, const T& value) {
  std::string body = codec::dump(value);
  return "{\"type\":\"" + std::string(type) + "\"," + body.substr(1);
}

class Project final : public Directory {
 public:
  Project(const std::string& path, const std::string& options_json, World world)
      : world_(std::move(world)),
        root_(path),
        store_(world_.files, path),
        files_(world_.files, path),
        options_(world_.files, path, options_json) {}

  ~Project() override {
    if (!changed_) return;
    if (store_.sync().ok()) save();
  }
  Project(const Project&) = delete;
  Project& operator=(const Project&) = delete;

  void on_messages(std::span<const std::string> batch, Outbox& outbox) override {
    for (const std::string& message : batch) take(codec::decode_message(message), outbox);
    release(outbox);
  }

  void on_timer(std::uint64_t id, Outbox& outbox) override {
    if (id == kDeriveTimer) {
      derive_pending_ = false;
      derive(outbox);
      return;
    }
    if (id == kProgressTimer) {
      progress_pending_ = false;
      show_progress(outbox);
      return;
    }
    if (id == kLoadTimer) {
      load_pending_ = false;
      observe_load(outbox);
      release(outbox);
      return;
    }
    if (id == kHandOverTimer) {
      release(outbox);
      if (!hand_overs_.empty()) outbox.start_timer(kHandOverTimer, HandOvers::kLongestMs);
      return;
    }
    record(TimerFired{id}, outbox);
    release(outbox);
  }

  void on_bound(Outbox& /*outbox*/) override {}

 private:
  // ---- what comes in
  // ------------------------------------------------------------------------------

  void take(codec::Incoming incoming, Outbox& outbox) {
    if (!incoming.problem.empty()) {
      note(LogLevel::warning, "message refused: " + incoming.problem);
      return;
    }
    if (auto* query = std::get_if<codec::Query>(&incoming.what)) {
      std::visit([&](const auto& asked) { answer(asked, outbox); }, *query);
      return;
    }
    auto& happening = std::get<Happening>(incoming.what);
    if (comes_from_user(happening)) look_again();
    load(outbox);
    if (!load_problem_.empty()) return decline(happening);
    if (auto* request = std::get_if<MissionRequested>(&happening)) {
      request_mission(std::move(*request), outbox);
      return;
    }
    observe(happening, incoming.output);
    record(std::move(happening), outbox);
  }

  static bool comes_from_user(const Happening& happening) {
    return std::holds_alternative<MissionRequested>(happening) ||
           std::holds_alternative<StopRequested>(happening) ||
           std::holds_alternative<ResumeRequested>(happening) ||
           std::holds_alternative<RunCalled>(happening);
  }

  /// The mission here is not ours to move: whoever waits is told why, and nothing is done.
  void decline(const Happening& happening) {
    std::visit(
        [&](const auto& event) {
          if constexpr (requires { event.request; }) {
            const std::string about = is_active(state_.phase) ? status_text(state_) + "\n" : "";
            reply(event.request, false, about + load_problem_);
          }
        },
        happening);
  }

  void answer(const codec::Hello& hello, Outbox& outbox) {
    mode_ = hello.mode;
    load(outbox);
  }

  void answer(const codec::RoleAsked& asked, Outbox& /*outbox*/) {
    hand_overs_.started(asked.session);
    const Budget& budget = state_.budget;
    const bool capped = is_active(state_.phase) && (budget.tokens_max > 0 || budget.usd_max > 0);
    const RoleAnswer role{role_of(state_, asked.session), system_card(state_, asked.session),
                          capped};
    answers_.push_back(Reply{asked.request, true, codec::dump(role)});
  }

  void answer(const codec::StatusAsked& asked, Outbox& outbox) {
    look_again();
    load(outbox);
    const std::string more = load_problem_.empty() ? "" : "\n" + load_problem_;
    reply(asked.request, true, status_text(state_) + more);
  }

  /// The claim grows with the permission, not with the write: of two sessions that ask for one free
  /// file, the second is refused.
  void answer(const codec::WriteAsked& asked, Outbox& outbox) {
    std::vector<std::string> inside;
    for (const std::string& path : asked.paths) {
      inside.push_back(files_.relative(path));
      const std::string why = why_not_write(state_, asked.session, inside.back());
      if (!why.empty()) return reply(asked.request, false, why);
    }
    if (role_of(state_, asked.session) != Role::none) {
      for (const std::string& path : inside) {
        files_.note_baseline(path);
        record(FileWritten{asked.session, path}, outbox);
      }
    }
    reply(asked.request, true, "");
  }

  /// Replies of queries wait for the batch's end like all others, so that they keep their order.
  void reply(const RequestId& request, bool ok, std::string text) {
    effects_.emplace_back(Reply{request, ok, std::move(text)});
  }

  void observe_load(Outbox& outbox) {
    if (!store_.is_open() || !is_running(state_.phase)) return;
    const MachineLoad machine = read_machine(world_.machine, std::thread::hardware_concurrency());
    LoadVerdict verdict = judge_load(machine, state_.governor.load);
    if (verdict.load != state_.governor.load)
      record(LoadChanged{verdict.load, std::move(verdict.why)}, outbox);
  }

  /// Adds to an event what only this process can see at this moment.
  void observe(Happening& happening, const std::string& output) {
    if (auto* ran = std::get_if<CommandRan>(&happening)) {
      ran->output_hash = os::content_hash(output);
      const std::string workdir = ran->workdir.empty() ? "." : files_.relative(ran->workdir);
      ran->workdir = workdir == "." ? "" : workdir;
      ran->files_hash = files_.hash_of(vouched_files(state_, ran->session));
    } else if (auto* written = std::get_if<FileWritten>(&happening)) {
      written->path = files_.relative(written->path);
    } else if (auto* review = std::get_if<ReviewSubmitted>(&happening)) {
      const auto vouched = vouched_files(state_, review->session);
      review->files_hash = files_.hash_of(vouched);
      review->syntax_errors = files_.new_syntax_errors(vouched);
    } else if (auto* work = std::get_if<WorkSubmitted>(&happening)) {
      for (std::string& file : work->args.files) file = files_.relative(file);
    }
  }

  // ---- missions
  // -----------------------------------------------------------------------------------

  /// What stands on disk may have changed hands while we held nothing of it.
  void look_again() {
    if (!store_.is_open()) loaded_ = false;
  }

  /// What an earlier process has left, or another one is doing.
  void load(Outbox& outbox) {
    if (loaded_) return;
    loaded_ = true;
    const std::string known_problem = std::exchange(load_problem_, "");
    const auto found = store_.load(state_);
    if (world_.observer != nullptr && found.ok() && found.value()) world_.observer->loaded(state_);
    state_.mode = mode_;
    if (!found.ok()) {
      load_problem_ =
          "The mission of this directory cannot be moved from here. " + found.error().text();
      if (load_problem_ != known_problem)
        outbox.send(codec::encode_effect(ShowToast{"error", "Orchestrator: " + load_problem_}));
      return;
    }
    if (!store_.is_open()) return;
    open_log(state_.options.log.level);
    note(LogLevel::info, "mission " + state_.mission.value + " loaded in phase " +
                             std::string(to_name(state_.phase)));
    record(ProcessStarted{mode_}, outbox);
  }

  void request_mission(MissionRequested request, Outbox& outbox) {
    auto options = options_.read();
    if (!options.ok()) {
      return reply(request.request, false,
                   "The mission was not started, because its configuration is wrong. " +
                       options.error().text());
    }
    request.options = std::move(options).value();
    if (request.agents.empty()) request.agents = options_.agents();
    const std::string why = why_not_start(state_, request);
    if (!why.empty()) return reply(request.request, false, why);
    request.seed = world_.random();
    request.mission = new_mission_id(request.seed);
    if (const auto begun = store_.begin(request.mission); !begun.ok()) {
      return reply(
          request.request, false,
          "The mission was not started: its state cannot be kept. " + begun.error().text() +
              ". Make .opencode in the project's directory writable, then start it again.");
    }
    files_.forget_baselines();
    open_log(request.options.log.level);
    if (const auto hidden = hide_state_from_git(world_.files, root_); !hidden.ok())
      note(LogLevel::warning, hidden.error().text());
    note(LogLevel::info, "mission " + request.mission.value + " requested");
    warn_of_unused(request.options);
    record(std::move(request), outbox);
  }

  void warn_of_unused(const Options& options) {
    std::string keys;
    for (const std::string& key : options_without_effect(options))
      keys += (keys.empty() ? "" : ", ") + key;
    if (!keys.empty())
      effects_.emplace_back(
          ShowToast{"warning", "Orchestrator: this version does not act on " + keys});
  }

  /// A log that cannot be opened costs its lines and nothing else.
  void open_log(orchestrator::LogLevel wanted) {
    if (!world_.log_to_file) return;
    const std::array levels{LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error};
    auto opened = Log::open(store_.log_path(), levels.at(static_cast<std::size_t>(wanted)));
    log_ = opened.ok() ? std::move(opened).value() : nullptr;
  }

  void note(LogLevel level, const std::string& line) {
    if (log_) log_->write(level, line);
  }

  // ---- log, step, effects
  // -------------------------------------------------------------------------

  void record(Happening happening, Outbox& outbox) {
    Event event{store_.next_seq(), static_cast<TimeMs>(outbox.now_ms()), std::move(happening)};
    if (!store_.is_open()) {
      // None, or one that is over and saved: refusals, and the last words to its Commander.
      event.seq = state_.last_seq;
      Effects caused = step(state_, event);
      if (world_.observer != nullptr) world_.observer->stepped(state_, event, caused, false);
      for (Effect& effect : caused) effects_.push_back(std::move(effect));
      return;
    }
    if (const auto kept = store_.append(event); !kept.ok())
      throw std::runtime_error(kept.error().text());
    const Phase before = state_.phase;
    Effects caused = step(state_, event);
    if (world_.observer != nullptr) world_.observer->stepped(state_, event, caused, true);
    if (hand_overs_.hold(event.what, caused, outbox.now_ms()))
      outbox.start_timer(kHandOverTimer, HandOvers::kLongestMs);
    for (Effect& effect : caused) effects_.push_back(std::move(effect));
    changed_ = true;
    if (state_.phase != before) {
      phase_changed_ = true;
      note(LogLevel::info,
           "phase " + std::string(to_name(before)) + " -> " + std::string(to_name(state_.phase)));
    }
  }

  /// Lets out what the batch has caused, now that it is durable.
  void release(Outbox& outbox) {
    for (const Reply& answer : std::exchange(answers_, {}))
      outbox.send(codec::encode_effect(answer));
    if (phase_changed_ || shows_something()) make_durable();
    if (phase_changed_) save();
    if (store_.is_open() && !is_active(state_.phase)) finish();
    Effects effects;
    effects.swap(effects_);
    for (const Effect& effect : effects) carry_out(effect, outbox);
    for (const Effect& answer : hand_overs_.due(outbox.now_ms())) carry_out(answer, outbox);
    if (world_.machine && !load_pending_ && store_.is_open() && is_running(state_.phase)) {
      load_pending_ = true;
      outbox.start_timer(kLoadTimer, kLoadEveryMs);
    }
    if (changed_ && !derive_pending_) {
      derive_pending_ = true;
      outbox.start_timer(kDeriveTimer, kDeriveEveryMs);
    }
  }

  /// Whether an effect of this batch leaves the engine. What does not (a turn that began, a timer)
  /// may become durable a little later, with the derived files.
  [[nodiscard]] bool shows_something() const {
    return std::ranges::any_of(effects_, [](const Effect& effect) {
      return !std::holds_alternative<StartTimer>(effect) &&
             !std::holds_alternative<CancelTimer>(effect) &&
             !std::holds_alternative<WatchSession>(effect);
    });
  }

  void make_durable() {
    if (const auto synced = store_.sync(); !synced.ok())
      throw std::runtime_error(synced.error().text());
  }

  void carry_out(const Effect& effect, Outbox& outbox) {
    if (const auto* start = std::get_if<StartTimer>(&effect)) {
      outbox.start_timer(start->timer, static_cast<std::uint64_t>(start->delay_ms));
    } else if (const auto* cancel = std::get_if<CancelTimer>(&effect)) {
      outbox.cancel_timer(cancel->timer);
    } else if (const auto* watch = std::get_if<WatchSession>(&effect)) {
      outbox.watch_session(watch->session.value);
    } else {
      outbox.send(codec::encode_effect(effect));
    }
  }

  /// The mission is over: another process may start the next one.
  void finish() {
    make_durable();
    save();
    store_.close();
    changed_ = false;
  }

  void save() {
    phase_changed_ = false;
    if (const auto saved = store_.save(state_); !saved.ok())
      note(LogLevel::warning, "snapshot: " + saved.error().text());
  }

  /// What follows from the state and is shown elsewhere.
  void derive(Outbox& outbox) {
    if (!changed_) return;
    changed_ = false;
    make_durable();
    save();
    if (!progress_pending_) show_progress(outbox);
  }

  void show_progress(Outbox& outbox) {
    const RequestId& waiting = state_.commander.waiting;
    if (waiting.empty()) return;
    const std::string title = progress_title(state_);
    if (title == shown_) return;
    shown_ = title;
    progress_pending_ = true;
    outbox.start_timer(kProgressTimer, kProgressEveryMs);
    outbox.send(typed("show_progress", Progress{waiting, title, status_text(state_)}));
  }

  const World world_;
  const std::string root_;
  MissionStore store_;
  ProjectFiles files_;
  std::unique_ptr<Log> log_;
  ProjectOptions options_;
  std::string load_problem_;
  State state_;
  HostMode mode_ = HostMode::serve;
  Effects effects_;
  std::vector<Reply> answers_;  ///< to questions that every request of a model waits for
  HandOvers hand_overs_;
  std::string shown_;
  bool loaded_ = false;
  bool changed_ = false;
  bool phase_changed_ = false;
  bool load_pending_ = false;
  bool derive_pending_ = false;
  bool progress_pending_ = false;
};

}  // namespace

World posix_world() {
  auto source = std::make_shared<std::random_device>();
  return World{os::posix_file_system(),
               [source] { return (std::uint64_t{(*source)()} << 32U) ^ (*source)(); }, true,
               nullptr,
               [](const std::string& path) {
                 auto text = os::posix_file_system().read(path, kMachineBytesMax);
                 return text.ok() ? std::move(text).value() : std::string();
               }};
}

std::unique_ptr<Directory> make_project(const std::string& path, const std::string& options_json,
                                        Outbox& outbox) {
  return make_project(path, options_json, outbox, posix_world());
}

std::unique_ptr<Directory> make_project(const std::string& path, const std::string& options_json,
                                        Outbox& /*outbox*/, World world) {
  return std::make_unique<Project>(path, options_json, std::move(world));
}

}  // namespace orchestrator::runtime
