#include "runtime/project/project.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <random>
#include <set>
#include <thread>
#include <utility>
#include <variant>

#include "base/text.h"
#include "codec/binary.h"
#include "codec/message.h"
#include "core/sessions/session_lifecycle.h"
#include "core/tools/todo_format.h"
#include "core/worktrees/worktrees.h"
#include "orchestrator/step.h"
#include "runtime/code/language_servers.h"
#include "runtime/history/git_ignore.h"
#include "runtime/history/mission_store.h"
#include "runtime/history/receipt_chain.h"
#include "runtime/project/code_tools.h"
#include "runtime/project/gates.h"
#include "runtime/project/log.h"
#include "runtime/project/machine_load.h"
#include "runtime/project/mission_access.h"
#include "runtime/project/mission_worktrees.h"
#include "runtime/project/project_options.h"
#include "runtime/project/session_info.h"
#include "runtime/project/unsynced.h"

namespace orchestrator::runtime {
namespace {

/// Derived files and the progress line follow the state at most this often; a phase's change at
/// once.
constexpr std::uint64_t kDeriveEveryMs = 100;
/// The progress line costs the host two requests of its one thread, which the sessions need.
constexpr std::uint64_t kProgressEveryMs = 500;
/// Timer ids of the mission are small; these are ours.
constexpr std::uint64_t kDeriveTimer = std::uint64_t{1} << 62U;
constexpr std::uint64_t kProgressTimer = kDeriveTimer + 2;
constexpr std::uint64_t kStorageTimer = kDeriveTimer + 3;
constexpr std::uint64_t kTodoTimer = kDeriveTimer + 4;
constexpr std::uint64_t kLoadTimer = kDeriveTimer + 5;
/// How often it is looked how busy the machine is, while a mission runs.
constexpr std::uint64_t kLoadEveryMs = 5'000;
constexpr std::uint64_t kMachineBytesMax = 65'536;
/// A file that somebody else has just written is looked at again after this time.
constexpr std::uint64_t kTodoSettlesMs = 200;
/// While the disk refuses, it is asked again this often.
constexpr std::uint64_t kStorageRetryMs = 3000;
/// Letters only: OpenCode takes an error text in which it finds "500" or "429" for one of a server
/// and tries again, and our refusals name missions.
MissionId new_mission_id(std::uint64_t random) {
  constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz";
  std::string name = "m-";
  for (int i = 0; i < 10; ++i, random /= kLetters.size())
    name += kLetters[random % kLetters.size()];
  return MissionId(name);
}

class Project final : public engine::Directory, private MissionAccess {
 public:
  Project(const std::string& path, const std::string& options_json, World world)
      : world_(std::move(world)),
        root_(path),
        store_(world_.files, path, world_.log_limits),
        options_(world_.files, path, options_json),
        gates_(*this, world_, root_),
        code_tools_(
            *this, [this](const SessionId& id) -> ProjectFiles& { return gates_.files_of(id); },
            world_.files),
        trees_(*this, gates_, world_, root_, store_.lock_path()) {}

  ~Project() override {
    if (changed_ && failure_.empty() && store_.sync().ok()) (void)store_.save(state_).ok();
  }
  Project(const Project&) = delete;
  Project& operator=(const Project&) = delete;

  void on_messages(std::span<const std::string> batch, engine::Outbox& outbox) override {
    for (const std::string& message : batch) take(codec::decode_message(message), outbox);
    release(outbox);
  }

  void on_timer(std::uint64_t id, engine::Outbox& outbox) override {
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
    if (id == kTodoTimer) {
      todo_pending_ = false;
      release(outbox);
      return;
    }
    if (id == kStorageTimer) {
      if (!failure_.empty()) try_storage(outbox);
      return;
    }
    if (id == LanguageServers::kTimer) return gates_.tick(outbox);
    if (load_problem_.empty()) record(TimerFired{id}, outbox);
    release(outbox);
  }

  void on_bound(engine::Outbox& /*outbox*/) override {}

 private:
  // ---- what comes in

  /// A question goes to the part that knows the answer.
  template <class Asked>
  void put_to(const Asked& asked, engine::Outbox& outbox) {
    if constexpr (requires { gates_.answer(asked, outbox); }) {
      gates_.answer(asked, outbox);
    } else if constexpr (requires { code_tools_.answer(asked, outbox); }) {
      code_tools_.answer(asked, outbox);
    } else {
      answer(asked, outbox);
    }
  }

  void take(codec::Incoming incoming, engine::Outbox& outbox) override {
    if (!incoming.problem.empty()) {
      note(LogLevel::warning, "message refused: " + incoming.problem);
      return;
    }
    if (auto* query = std::get_if<codec::Query>(&incoming.what)) {
      std::visit([&](const auto& asked) { put_to(asked, outbox); }, *query);
      return;
    }
    auto& happening = std::get<Happening>(incoming.what);
    if (const auto* aborted = std::get_if<CallAborted>(&happening))
      code_tools_.call_off(aborted->request);
    if (!failure_.empty()) return hold_back(happening);
    if (comes_from_user(happening)) look_again();
    load(outbox);
    if (!load_problem_.empty()) return decline(happening);
    if (auto* request = std::get_if<MissionRequested>(&happening)) {
      request_mission(std::move(*request), outbox);
      return;
    }
    if (gates_.keeps(happening, incoming.output, outbox)) return;
    gates_.observe(happening, incoming.output);
    if (auto* review = std::get_if<ReviewSubmitted>(&happening)) {
      gates_.record_review(std::move(*review), outbox);
    } else {
      record(std::move(happening), outbox);
    }
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

  void answer(const codec::Hello& hello, engine::Outbox& outbox) {
    mode_ = hello.mode;
    load(outbox);
  }

  void answer(const codec::RoleAsked& asked, engine::Outbox& /*outbox*/) {
    const std::string outage = failure_.empty() ? "" : outage_text();
    answers_.push_back(Reply{asked.request, true, "",
                             session_info_of(state_, asked.session, load_problem_, outage)});
  }

  void answer(const codec::StatusAsked& asked, engine::Outbox& outbox) {
    look_again();
    load(outbox);
    const std::string problem = failure_.empty() ? load_problem_ : outage_text();
    const std::string more = problem.empty() ? "" : "\n" + problem;
    reply(asked.request, true, status_text(state_) + more);
  }

  /// A mistake in the configuration is told when a mission is to start.
  void answer(const codec::SettingsAsked& asked, engine::Outbox& /*outbox*/) {
    SettingsAnswer settings;
    if (const auto options = options_.read(); options.ok())
      settings.snapshots = options.value().snapshots;
    unlogged_.push_back(asked.request);
    effects_.emplace_back(Reply{asked.request, true, "", settings});
  }

  void answer(const codec::ListAsked& asked, engine::Outbox& outbox) {
    look_again();
    load(outbox);
    if (!asked.problems.empty())
      return reply(asked.request, false, base::listed("list_tasks:", asked.problems));
    const std::optional<TaskStatus> status = from_name<TaskStatus>(asked.args.status);
    std::string unknown;
    if (!status && !asked.args.status.empty()) {
      for (const std::string_view name : names_of<TaskStatus>())
        unknown += (unknown.empty() ? "" : ", ") + std::string(name);
      unknown =
          "There is no such status, so all tasks are listed. Status is one of " + unknown + ".\n";
    }
    reply(asked.request, true, unknown + task_list_text(state_, status));
  }

  // ---- what its parts may do with the mission

  [[nodiscard]] const State& state() const override { return state_; }
  [[nodiscard]] bool is_open() const override { return store_.is_open(); }
  [[nodiscard]] std::string problem() const override {
    return failure_.empty() ? load_problem_ : outage_text();
  }
  void record_late(Happening happening, engine::Outbox& outbox) override {
    if (!failure_.empty()) {
      hold_back(happening);
    } else if (!load_problem_.empty()) {
      decline(happening);
    } else {
      record(std::move(happening), outbox);
    }
  }
  void reply_first(const RequestId& request) override {
    answers_.push_back(Reply{request, true, ""});
  }
  void await_disk(const RequestId& request) override { unsynced_.note_request(request); }
  void show(Effect effect) override { effects_.push_back(std::move(effect)); }

  /// Replies of queries wait for the batch's end like all others, so that they keep their order.
  void reply(const RequestId& request, bool ok, std::string text) override {
    unlogged_.push_back(request);
    effects_.emplace_back(Reply{request, ok, std::move(text)});
  }

  [[nodiscard]] bool wants_load() const {
    return store_.is_open() && is_running(state_.phase) && !state_.dormant;
  }

  void observe_load(engine::Outbox& outbox) {
    if (!wants_load() || !failure_.empty()) return;
    const MachineLoad machine = read_machine(world_.machine, std::thread::hardware_concurrency());
    LoadVerdict verdict = judge_load(machine, state_.governor.load);
    if (verdict.load != state_.governor.load)
      record(LoadChanged{verdict.load, std::move(verdict.why)}, outbox);
  }

  // ---- missions

  /// What stands on disk may have changed hands while we held nothing of it.
  void look_again() {
    if (!store_.is_open() && failure_.empty()) loaded_ = false;
  }

  /// What an earlier process has left, or another one is doing.
  void load(engine::Outbox& outbox) {
    if (loaded_) return;
    loaded_ = true;
    gates_.begin_diagnoses(Options{}, outbox);
    const std::string known_problem = std::exchange(load_problem_, "");
    const auto found = store_.load(state_, outbox.now_ms());
    if (world_.observer != nullptr && found.ok() && found.value().found)
      world_.observer->loaded(state_);
    if (found.ok() && !store_.is_open()) core::forget_ended_turns(state_);
    state_.mode = mode_;
    if (!found.ok()) {
      load_problem_ = "The mission of this directory cannot be changed by this process. " +
                      found.error().text();
      if (load_problem_ != known_problem)
        outbox.send(codec::encode_effect(ShowToast{"error", "Orchestrator: " + load_problem_}));
      return;
    }
    if (store_.is_open() || !found.value().notices.empty()) open_log(state_.options.log.level);
    tell(found.value().notices, outbox);
    trees_.sweep(store_.is_open() ? state_.mission.value : "", outbox);
    if (!store_.is_open()) return;
    gates_.configure(state_.options);
    note(LogLevel::info, "mission " + state_.mission.value + " loaded in phase " +
                             std::string(to_name(state_.phase)));
    record(ProcessStarted{mode_}, outbox);
    gates_.watch_files(outbox);
  }

  /// What was wrong on the disk and what was made of it: a line each, and one toast.
  void tell(const std::vector<std::string>& notices, engine::Outbox& outbox) {
    constexpr std::size_t kToastBytesMax = 600;
    if (notices.empty()) return;
    std::string all;
    for (const std::string& notice : notices) {
      note(LogLevel::warning, notice);
      all += (all.empty() ? "" : ". ") + notice;
    }
    if (all.size() > kToastBytesMax)
      all =
          "several files of the mission were repaired; .opencode/orchestrator/engine.log names "
          "them";
    outbox.send(codec::encode_effect(ShowToast{"warning", "Orchestrator: " + all}));
  }

  void request_mission(MissionRequested request, engine::Outbox& outbox) {
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
    gates_.begin_diagnoses(request.options, outbox);
    request.seed = world_.random();
    request.mission = new_mission_id(request.seed);
    trees_.give_lock_back();  // its work is done before anything of this mission is
    // What the same batch has said of the mission before is shown only if it is durable.
    if (store_.is_open() && !make_durable(outbox) && !failure_.empty())
      return reply(request.request, false, "The mission was not started. " + outage_text());
    if (store_.is_open()) finish(outbox);
    if (const auto begun = store_.begin(request.mission); !begun.ok()) {
      return reply(
          request.request, false,
          "The mission was not started: its state cannot be kept. " + begun.error().text() +
              ". Make .opencode in the project's directory writable, then start it again.");
    }
    gates_.forget_files();
    open_log(request.options.log.level);
    trees_.sweep(request.mission.value, outbox);
    if (const auto hidden = hide_state_from_git(world_.files, root_); !hidden.ok())
      note(LogLevel::warning, hidden.error().text());
    note(LogLevel::info, "mission " + request.mission.value + " requested");
    warn_of_unused(request.options);
    record(std::move(request), outbox);
    gates_.watch_files(outbox);
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

  void note(LogLevel level, const std::string& line) override {
    if (log_) log_->write(level, line);
  }

  // ---- log, step, effects

  void record(Happening happening, engine::Outbox& outbox) override {
    if (!load_problem_.empty()) return;  // somebody else's to move
    Event event{store_.next_seq(), static_cast<TimeMs>(outbox.now_ms()), std::move(happening)};
    auto* ran = std::get_if<CommandRan>(&event.what);
    if (ran != nullptr && store_.is_open()) add_link(state_, *ran, event.at_ms);
    if (!store_.is_open()) {
      // None, or one that is over and saved: refusals, and the last words to its Commander.
      event.seq = state_.last_seq;
      Effects caused = step(state_, event);
      if (world_.observer != nullptr) world_.observer->stepped(state_, event, caused, false);
      for (Effect& effect : caused) effects_.push_back(std::move(effect));
      return;
    }
    if (const auto* written = std::get_if<FileWritten>(&event.what)) note_write(*written, outbox);
    const Phase before = state_.phase;
    auto applied = store_.apply(state_, event);
    if (!applied.ok()) {
      note(LogLevel::warning, type_of(event.what) + " was refused: " + applied.error().text());
      if (const RequestId* request = waiting_request(event.what))
        reply(*request, false, "Refused: " + applied.error().text());
      return;
    }
    unsynced_.note(event.what);
    Effects& caused = applied.value();
    if (world_.observer != nullptr) world_.observer->stepped(state_, event, caused, true);
    for (Effect& effect : caused) effects_.push_back(std::move(effect));
    changed_ = true;
    if (state_.phase != before) {
      phase_changed_ = true;
      note(LogLevel::info,
           "phase " + std::string(to_name(before)) + " -> " + std::string(to_name(state_.phase)));
    }
  }

  void note_write(const FileWritten& written, engine::Outbox& outbox) {
    if (directory_of(state_, written.session).empty())
      gates_.note_write(written.path, outbox.now_ms());
  }

  /// Lets out what the batch has caused, now that it is durable.
  void release(engine::Outbox& outbox) override {
    for (const Reply& answer : std::exchange(answers_, {}))
      outbox.send(codec::encode_effect(answer));
    if (store_.is_open() && failure_.empty()) {
      heal(outbox);
      const bool due = phase_changed_ || save_due_ || shows_something();
      if (due && !make_durable(outbox)) return;
      if (phase_changed_ || save_due_) save(outbox);
      // The log and the lock outlive the mission until its worktrees are gone.
      if (is_over() && !core::leaves_worktrees(state_)) finish(outbox);
    }
    let_out(outbox);
    if (world_.machine && !load_pending_ && wants_load()) {
      load_pending_ = true;
      outbox.start_timer(kLoadTimer, kLoadEveryMs);
    }
    if (changed_ && !derive_pending_) {
      derive_pending_ = true;
      outbox.start_timer(kDeriveTimer, kDeriveEveryMs);
    }
  }

  void let_out(engine::Outbox& outbox) {
    unlogged_.clear();
    Effects effects;
    effects.swap(effects_);
    for (const Effect& effect : effects) carry_out(effect, outbox);
    session_infos_.update(state_, load_problem_.empty() && failure_.empty(), outbox);
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

  /// False: it cannot be done, nothing of this batch has happened, and that has been said.
  bool make_durable(engine::Outbox& outbox) override {
    const auto synced = store_.sync();
    if (synced.ok()) {
      unsynced_.settle();
      return true;
    }
    fail_storage(synced.error(), outbox);
    return false;
  }

  void carry_out(const Effect& effect, engine::Outbox& outbox) {
    if (const auto* start = std::get_if<StartTimer>(&effect)) {
      outbox.start_timer(start->timer, static_cast<std::uint64_t>(start->delay_ms));
    } else if (const auto* cancel = std::get_if<CancelTimer>(&effect)) {
      outbox.cancel_timer(cancel->timer);
    } else if (const auto* watch = std::get_if<WatchSession>(&effect)) {
      outbox.watch_session(watch->session.value);
    } else if (const auto* question = std::get_if<AskWorktrees>(&effect)) {
      trees_.ask(*question, outbox);
    } else {
      outbox.send(codec::encode_effect(effect));
    }
  }

  /// A mission has ended whose log is still open.
  [[nodiscard]] bool is_over() const { return store_.is_open() && !is_active(state_.phase); }

  /// The mission is over: another process may start the next one.
  void finish(engine::Outbox& outbox) {
    if (const auto synced = store_.sync(); synced.ok()) {
      unsynced_.settle();
      save(outbox);
    } else {
      note(LogLevel::warning, "the last events are not in the log: " + synced.error().text());
    }
    leave();
  }

  /// Nothing more is kept of the mission that is over.
  void leave() {
    store_.close();
    gates_.unwatch_files();
    changed_ = phase_changed_ = save_due_ = false;
  }

  /// The log has everything already: a snapshot that cannot be written costs a slower start, and is
  /// told once.
  void save(engine::Outbox& outbox) {
    phase_changed_ = save_due_ = false;
    const auto saved = store_.save(state_);
    const std::string problem = saved.ok() ? "" : saved.error().text();
    if (problem == save_problem_) return;
    const bool first = save_problem_.empty();
    save_problem_ = problem;
    if (problem.empty()) return note(LogLevel::info, "the snapshot can be written again");
    note(LogLevel::warning, "snapshot: " + problem);
    if (first) {
      outbox.send(codec::encode_effect(
          ShowToast{"warning",
                    "Orchestrator: the mission's snapshot cannot be written (its log can, and "
                    "nothing is lost). " +
                        problem}));
    }
  }

  /// What follows from the state and is shown elsewhere.
  void derive(engine::Outbox& outbox) {
    if (!changed_ || !failure_.empty()) return;
    changed_ = false;
    if (store_.is_open()) heal(outbox);
    if (!store_.is_open()) return let_out(outbox);  // it may just have been lost
    if (!make_durable(outbox)) return;
    save(outbox);
    let_out(outbox);
    if (!progress_pending_) show_progress(outbox);
  }

  // ---- what others do to our files

  void heal(engine::Outbox& outbox) {
    if (is_over() && !phase_changed_) {  // people may tidy up
      if (!store_.lock_is_seen()) leave();
      return;
    }
    const auto healed = store_.heal(state_, outbox.now_ms());
    if (!healed.ok()) return lose_directory(healed.error(), outbox);
    if (healed.value().look_again && !todo_pending_) {
      todo_pending_ = true;
      outbox.start_timer(kTodoTimer, kTodoSettlesMs);
    }
    if (healed.value().notices.empty() && !healed.value().todo) return;
    if (!healed.value().notices.empty()) open_log(state_.options.log.level);
    tell(healed.value().notices, outbox);
    save_due_ = save_due_ || healed.value().save_due;
    if (healed.value().todo) on_todo_changed(*healed.value().todo, outbox);
  }

  /// Somebody else has written `todo.md`; `text` is all of it.
  void on_todo_changed(const std::string& text, engine::Outbox& outbox) {
    auto now = core::parse_todo(text);
    if (!now.ok()) return refuse_todo(now.error().text(), outbox);
    const MissionId& named = now.value().mission;
    if (!named.empty() && named != state_.mission) {
      return refuse_todo("todo.md: is of mission " + named.value.substr(0, 64) + ", not of " +
                             state_.mission.value + " (the engine restores it)",
                         outbox);
    }
    TodoEdited edit{std::move(now.value().lines), {}, {}};
    if (auto before = core::parse_todo(store_.todo_text()); before.ok())
      edit.before = std::move(before.value().lines);
    const bool same = codec::encode(TodoEdited{edit.lines, {}, {}}) ==
                      codec::encode(TodoEdited{edit.before, {}, {}});
    if (same) return;  // notes between the lines
    edit.by = gates_.state_writer(outbox.now_ms());
    note(LogLevel::info, edit.by.empty() ? "todo.md was edited"
                                         : "todo.md was changed by a command of " + edit.by.value);
    store_.take_todo();
    save_due_ = true;
    record(std::move(edit), outbox);
  }

  /// No todo list any more, or not ours.
  void refuse_todo(const std::string& why, engine::Outbox& outbox) {
    const auto kept = store_.refuse_todo(outbox.now_ms());
    tell({why + (kept.ok() ? "; the old text is kept as " + kept.value() : "")}, outbox);
    save_due_ = true;
  }

  /// Another process holds the directory, though we held it: the lock file was taken away.
  void lose_directory(const base::Error& error, engine::Outbox& outbox) {
    load_problem_ =
        "The mission of this directory cannot be changed by this process any more. " + error.text();
    drop_unsynced(load_problem_);
    store_.close();
    gates_.unwatch_files();
    gates_.drop_kept(load_problem_, outbox);
    changed_ = phase_changed_ = save_due_ = false;
    outbox.send(codec::encode_effect(ShowToast{"error", "Orchestrator: " + load_problem_}));
  }

  // ---- a disk that fails

  [[nodiscard]] std::string outage_text() const {
    return "The mission's state cannot be written: " + failure_ +
           ". Nothing that was acknowledged is lost; as soon as it can be written the mission is "
           "paused, and /resume continues it.";
  }

  /// Nothing of what is not durable has happened: whoever waits for it is refused, and all that it
  /// would have let out is forgotten. Answers that stand in no log are given.
  void drop_unsynced(const std::string& why) {
    Effects answers;
    const auto given = [&](const RequestId& request) {
      return std::ranges::find(unlogged_, request) != unlogged_.end();
    };
    for (Effect& effect : effects_) {
      const auto* said = std::get_if<Reply>(&effect);
      if (said != nullptr && given(said->request) && !unsynced_.holds(said->request))
        answers.push_back(std::move(effect));
    }
    for (const RequestId& request : unsynced_.take_requests()) {
      answers.emplace_back(Reply{request, false, "Not done. " + why});
    }
    effects_ = std::move(answers);
    held_back_ = unsynced_.take_facts();
  }

  void fail_storage(const base::Error& error, engine::Outbox& outbox) {
    if (is_over() && !phase_changed_) {  // its end is on the disk
      note(LogLevel::warning, "the last events are not in the log: " + error.text());
      drop_unsynced("The log of mission " + state_.mission.value +
                    ", which is over, cannot be written: " + error.text());
      held_back_.clear();
      leave();
      return let_out(outbox);
    }
    failure_ = error.text();
    changed_ = phase_changed_ = save_due_ = false;
    note(LogLevel::error, "the log cannot be written: " + failure_);
    drop_unsynced(outage_text());
    gates_.drop_kept("Not done. " + outage_text(), outbox);
    fall_back(outbox);
    if (failure_.empty()) return let_out(outbox);
    for (const Session& session : state_.sessions) {
      if (!session.id.empty() && session.state != SessionState::ended &&
          session.state != SessionState::idle) {
        effects_.emplace_back(AbortSession{session.id});
      }
    }
    effects_.emplace_back(ShowToast{"error", "Orchestrator: " + outage_text()});
    let_out(outbox);
    outbox.start_timer(kStorageTimer, kStorageRetryMs);
  }

  /// To the state that the disk has for certain.
  void fall_back(engine::Outbox& /*outbox*/) {
    const auto back = store_.fall_back(state_);
    fallen_back_ = back.ok();
    if (!back.ok()) {
      note(LogLevel::error, "reading it back: " + back.error().text());
      return;
    }
    if (back.value()) {
      if (world_.observer != nullptr) world_.observer->loaded(state_);
      return;
    }
    // Not even the mission had begun.
    failure_.clear();
    held_back_.clear();
    loaded_ = false;
  }

  /// Kept for later, or refused.
  void hold_back(Happening& happening) {
    constexpr std::size_t kHeldBackMax = 10'000;
    if (const RequestId* request = waiting_request(happening)) {
      reply(*request, false, outage_text());
    } else if (held_back_.size() < kHeldBackMax) {
      held_back_.push_back(std::move(happening));
    }
  }

  void try_storage(engine::Outbox& outbox) {
    if (!fallen_back_) fall_back(outbox);
    if (failure_.empty()) return;
    const auto again =
        fallen_back_ ? store_.go_on(state_, outbox.now_ms()) : base::Result<void>(base::Error{});
    if (!again.ok()) {
      outbox.start_timer(kStorageTimer, kStorageRetryMs);
      return;
    }
    note(LogLevel::info, "the log can be written again");
    record(StorageFailed{std::exchange(failure_, "")}, outbox);
    for (Happening& fact : std::exchange(held_back_, {})) record(std::move(fact), outbox);
    save_due_ = true;
    release(outbox);
  }

  void show_progress(engine::Outbox& outbox) {
    const RequestId& waiting = state_.commander.waiting;
    if (waiting.empty()) return;
    const std::string title = progress_title(state_);
    if (title == shown_) return;
    // The timer comes at any time: what it tells must be durable, too.
    if (!failure_.empty() || !make_durable(outbox)) return;
    shown_ = title;
    progress_pending_ = true;
    outbox.start_timer(kProgressTimer, kProgressEveryMs);
    outbox.send(codec::encode_notice(codec::ShowProgress{waiting, title, status_text(state_)}));
  }

  const World world_;
  const std::string root_;
  MissionStore store_;
  std::unique_ptr<Log> log_;
  ProjectOptions options_;
  std::string load_problem_;
  State state_;
  HostMode mode_ = HostMode::serve;
  Effects effects_;
  std::vector<Reply> answers_;  ///< to questions that every request of a model waits for
  CachedSessionInfo session_infos_;
  std::string shown_;
  Unsynced unsynced_;
  std::vector<RequestId> unlogged_;   ///< of this batch, whose answers stand in no log
  std::string failure_;               ///< why the log cannot be written; empty: it can
  std::vector<Happening> held_back_;  ///< what the host has told meanwhile
  std::string save_problem_;          ///< of the snapshot, as it was last told
  bool fallen_back_ = false;          ///< `state_` is what the disk has
  bool save_due_ = false;
  bool loaded_ = false;
  bool changed_ = false;
  bool phase_changed_ = false;
  bool load_pending_ = false;
  bool derive_pending_ = false;
  bool todo_pending_ = false;
  bool progress_pending_ = false;
  Gates gates_;  ///< it and the next one call back into all of the above
  CodeTools code_tools_;
  MissionWorktrees trees_;  ///< last: what it runs calls back into all of the above
};

}  // namespace

namespace {

std::string program_path() {
  const char* const path = std::getenv("PATH");
  return path == nullptr ? "" : path;
}

}  // namespace

World posix_world() {
  auto source = std::make_shared<std::random_device>();
  World world{os::posix_file_system(),
              [source] { return (std::uint64_t{(*source)()} << 32U) ^ (*source)(); }};
  world.program_path = program_path();
  world.trees = [](const std::string& project) { return make_git_keeper(project, program_path()); };
  world.machine = [](const std::string& path) {
    auto text = os::posix_file_system().read(path, kMachineBytesMax);
    return text.ok() ? std::move(text).value() : std::string();
  };
  return world;
}

std::unique_ptr<engine::Directory> make_project(const std::string& path,
                                                const std::string& options_json,
                                                engine::Outbox& outbox) {
  return make_project(path, options_json, outbox, posix_world());
}

std::unique_ptr<engine::Directory> make_project(const std::string& path,
                                                const std::string& options_json,
                                                engine::Outbox& /*outbox*/, World world) {
  return std::make_unique<Project>(path, options_json, std::move(world));
}

}  // namespace orchestrator::runtime
