#include "runtime/project/project.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>
#include <variant>

#include "codec/message.h"
#include "core/worktrees/worktrees.h"
#include "orchestrator/step.h"
#include "runtime/project/code_tools.h"
#include "runtime/project/gates.h"
#include "runtime/project/load_watch.h"
#include "runtime/project/missions.h"
#include "runtime/project/outage.h"
#include "runtime/project/own_files.h"
#include "runtime/project/pipeline.h"
#include "runtime/project/project_options.h"
#include "runtime/project/queries.h"
#include "runtime/project/timer.h"

namespace orchestrator::runtime {
namespace {

class Project final : public engine::Directory, private Inlet {
 public:
  Project(const std::string& path, const std::string& options_json, World world)
      : p_(std::move(world), path, *this),
        options_(p_.world.files, path, options_json),
        gates_(p_.mission, p_.world, p_.observe, p_.hold, p_.record, p_.sync, p_.emit),
        code_tools_(p_.mission, p_.world.files, p_.observe, p_.record, p_.sync, p_.emit, *this),
        queries_(p_, options_),
        missions_(p_, options_),
        own_files_(p_, missions_),
        outage_(p_, missions_),
        load_watch_(p_) {}

  ~Project() override {
    CurrentMission& mission = p_.mission;
    if (p_.derived.changed() && mission.failure.empty() && mission.store.sync().ok())
      (void)mission.store.save(mission.state).ok();
  }
  Project(const Project&) = delete;
  Project& operator=(const Project&) = delete;

  /// decode, then hold (`take`), observe and record (`advance`) for each message; sync and emit
  /// (`release`) for the batch.
  void on_messages(std::span<const std::string> batch, engine::Outbox& outbox) override {
    for (const std::string& message : batch) take(codec::decode_message(message), outbox);
    release(outbox);
  }

  void on_timer(std::uint64_t id, engine::Outbox& outbox) override {
    const auto own = std::ranges::find(kTimers, id, &TimerRow::id);
    if (own != kTimers.end()) return (this->*own->fired)(outbox);
    enter(TimerFired{id}, outbox);
  }

  void on_bound(engine::Outbox& /*outbox*/) override {}

 private:
  // ---- the pipeline

  /// Handles a decoded message: replies to a query from the state, sends an event through the
  /// pipeline.
  void take(codec::Incoming incoming, engine::Outbox& outbox) {
    if (!incoming.problem.empty())
      return p_.log.note(LogLevel::warn, "message refused: " + incoming.problem);
    if (const auto* query = std::get_if<codec::Query>(&incoming.what))
      return std::visit([&](const auto& asked) { put_to(asked, outbox); }, *query);
    auto& happening = std::get<Happening>(incoming.what);
    if (const auto* aborted = std::get_if<CallAborted>(&happening))
      code_tools_.call_off(aborted->request);
    if (!p_.mission.failure.empty()) return outage_.hold_back(happening);
    if (comes_from_user(happening)) look_again();
    load(outbox);
    if (!p_.mission.foreign.empty()) return p_.emit.decline(happening);
    if (auto* request = std::get_if<MissionRequested>(&happening))
      return request_mission(std::move(*request), outbox);
    if (p_.hold.keeps(happening, incoming.output, outbox)) return go_on(outbox);
    advance(std::move(happening), incoming.output, outbox);
  }

  void advance(Happening happening, const std::string& output, engine::Outbox& outbox) {
    p_.observe.add(happening, output, outbox);
    p_.record.add(std::move(happening), outbox);
  }

  /// Records the events that `hold` releases.
  void go_on(engine::Outbox& outbox) {
    for (const CheckReport& report : p_.hold.take_reports()) {
      auto work = p_.hold.take_work(report);
      if (!work) continue;
      const SessionId session = work->event.session;
      advance(std::move(work->event), "", outbox);
      p_.hold.note_outcome(session);
      for (codec::Incoming& behind : work->later) take(std::move(behind), outbox);
    }
    for (codec::Incoming& behind : p_.hold.take_abandoned()) take(std::move(behind), outbox);
  }

  /// Makes the batch durable, then lets out its effects.
  void release(engine::Outbox& outbox) override {
    if (const auto failed = p_.sync.take_failure()) outage_.begin(*failed, outbox);
    go_on(outbox);
    p_.emit.let_out_first(outbox);
    if (p_.mission.is_open() && p_.mission.failure.empty()) {
      own_files_.heal(outbox);
      const bool due = p_.derived.wants_save() || p_.emit.shows_something();
      if (due && !make_durable(outbox)) return;
      if (p_.derived.wants_save()) p_.derived.save(outbox);
      // The log and the lock outlive the mission until its worktrees are gone.
      if (p_.mission.is_over() && !core::leaves_worktrees(p_.mission.state))
        missions_.finish(outbox);
    }
    p_.emit.let_out(outbox);
    load_watch_.follow(outbox);
    p_.derived.follow(outbox);
  }

  void enter(Happening happening, engine::Outbox& outbox) override {
    if (!p_.mission.failure.empty()) {
      outage_.hold_back(happening);
    } else if (!p_.mission.foreign.empty()) {
      p_.emit.decline(happening);
    } else {
      advance(std::move(happening), "", outbox);
    }
    release(outbox);
  }

  /// Makes the batch durable. False: the disk failed; the batch is discarded and its callers were
  /// refused.
  bool make_durable(engine::Outbox& outbox) {
    if (p_.sync.run()) return true;
    if (const auto failed = p_.sync.take_failure()) outage_.begin(*failed, outbox);
    return false;
  }

  // ---- queries, and the start of a mission

  /// Passes a query to the part that can answer it.
  template <class Asked>
  void put_to(const Asked& asked, engine::Outbox& outbox) {
    if constexpr (std::is_same_v<Asked, codec::Hello>) {
      p_.mission.mode = asked.mode;
      load(outbox);
    } else if constexpr (requires { gates_.answer(asked, outbox); }) {
      gates_.answer(asked, outbox);
    } else if constexpr (requires { code_tools_.answer(asked, outbox); }) {
      code_tools_.answer(asked, outbox);
    } else if constexpr (requires { p_.hold.answer(asked, outbox); }) {
      p_.hold.answer(asked, outbox);
      go_on(outbox);
    } else {
      if constexpr (std::is_same_v<Asked, codec::StatusAsked> ||
                    std::is_same_v<Asked, codec::ListAsked>) {
        look_again();
        load(outbox);
      }
      queries_.answer(asked);
    }
  }

  /// Loads the mission again before the next use: without an open log, another process may have
  /// changed it.
  void look_again() {
    if (!p_.mission.is_open() && p_.mission.failure.empty()) p_.mission.loaded = false;
  }

  void load(engine::Outbox& outbox) {
    if (std::exchange(p_.mission.loaded, true)) return;
    p_.hold.begin(Options{});
    go_on(outbox);
    missions_.load(outbox);
  }

  void request_mission(MissionRequested request, engine::Outbox& outbox) {
    if (!missions_.prepare(request)) return;
    p_.hold.begin(request.options);
    go_on(outbox);
    p_.worktrees.give_lock_back();  // the sweep's calls to git come before those of this mission
    // Events of the mission before, in the same batch, must be durable before their effects leave.
    if (p_.mission.is_open() && !make_durable(outbox) && !p_.mission.failure.empty()) {
      return p_.emit.reply(request.request, false,
                           "The mission was not started. " + p_.mission.outage_text());
    }
    if (missions_.begin(std::move(request), outbox)) gates_.forget();
  }

  // ---- timers of the project's own

  struct TimerRow {
    std::uint64_t id;
    void (Project::*fired)(engine::Outbox&);
  };
  static const std::array<TimerRow, 6> kTimers;

  void on_derive_timer(engine::Outbox& outbox) {
    p_.derived.fired();
    if (!p_.mission.failure.empty() || !p_.derived.take_changed()) return;
    if (p_.mission.is_open()) own_files_.heal(outbox);
    if (!p_.mission.is_open())
      return p_.emit.let_out(outbox);  // the directory may just have been lost
    if (!make_durable(outbox)) return;
    p_.derived.save(outbox);
    p_.emit.let_out(outbox);
    show_progress(outbox);
  }

  void on_progress_timer(engine::Outbox& outbox) {
    p_.derived.progress_fired();
    show_progress(outbox);
  }

  /// Shows the progress line. The state must be durable first, as for every effect.
  void show_progress(engine::Outbox& outbox) {
    if (!p_.derived.progress_is_due() || !p_.mission.failure.empty()) return;
    if (make_durable(outbox)) p_.derived.show_progress(outbox);
  }

  void on_storage_timer(engine::Outbox& outbox) {
    if (outage_.try_again(outbox)) release(outbox);
  }

  void on_todo_timer(engine::Outbox& outbox) {
    own_files_.fired();
    release(outbox);
  }

  void on_load_timer(engine::Outbox& outbox) {
    load_watch_.look(outbox);
    release(outbox);
  }

  void on_server_timer(engine::Outbox& outbox) { p_.hold.tick(outbox); }

  Pipeline p_;
  ProjectOptions options_;
  Gates gates_;
  CodeTools code_tools_;
  Queries queries_;
  Missions missions_;
  OwnFiles own_files_;
  Outage outage_;
  LoadWatch load_watch_;
};

constexpr std::array<Project::TimerRow, 6> Project::kTimers = {{
    {kDeriveTimer, &Project::on_derive_timer},
    {kProgressTimer, &Project::on_progress_timer},
    {kStorageTimer, &Project::on_storage_timer},
    {kTodoTimer, &Project::on_todo_timer},
    {kLoadTimer, &Project::on_load_timer},
    {LanguageServers::kTimer, &Project::on_server_timer},
}};

}  // namespace

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
