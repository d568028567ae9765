#include "sim/process.h"

#include <exception>
#include <utility>

#include "codec/json.h"
#include "runtime/project/session_info.h"
#include "sim/git.h"
#include "sim/violation.h"

namespace orchestrator::sim {
namespace {

constexpr std::uint64_t kRevivalMs = 1000;

bool is_type(const std::string& json, std::string_view type) {
  constexpr std::string_view kStart = "{\"type\":\"";
  return json.starts_with(kStart) &&
         std::string_view(json).substr(kStart.size()).starts_with(std::string(type) + "\"");
}

}  // namespace

Process::Process(Disk& disk, Checker& checker, Timeline& timeline, Trace& trace,
                 std::string options, runtime::LogLimits limits,
                 std::function<std::string(const std::string&)> machine, Git* git,
                 std::uint64_t seed, Ears ears)
    : disk_(disk),
      checker_(checker),
      timeline_(timeline),
      trace_(trace),
      options_(std::move(options)),
      limits_(limits),
      machine_(std::move(machine)),
      git_(git),
      random_(seed),
      ears_(std::move(ears)) {}

Process::~Process() {
  over_ = true;
  checker_.process_gone();
  project_.reset();
}

void Process::post(std::string json, std::uint64_t delay_ms) {
  if (delay_ms > 0) {
    timeline_.after(delay_ms,
                    [this, json = std::move(json)]() mutable { post(std::move(json), 0); });
    return;
  }
  inbox_.push_back(std::move(json));
  if (drain_due_) return;
  drain_due_ = true;
  timeline_.after(random_.pick(3), [this] { work_off(); });
}

void Process::post_now(const Happening& happening) {
  inbox_.push_back(codec::dump(happening));
  if (!inside_) work_off();
}

void Process::work_off() {
  drain_due_ = false;
  if (inbox_.empty()) return;
  const std::vector<std::string> batch = std::exchange(inbox_, {});
  messages_ += batch.size();
  for (const std::string& message : batch) trace_.note(timeline_.now_ms(), "->", message);
  enter([&](engine::Directory& project) { project.on_messages(batch, *this); });
}

void Process::enter(const std::function<void(engine::Directory&)>& call) {
  if (over_ || given_up_) return;
  disk_.set_now(timeline_.now_ms());
  inside_ = true;
  checker_.note_snapshot(disk_.look(std::string(kRoot) + "/.opencode/mission_loop.json"));
  try {
    if (!project_) {
      runtime::World world{disk_, [this] { return random_.next(); }, false, &checker_, limits_};
      world.machine = machine_;
      if (git_ != nullptr) world.trees = [this](const std::string&) { return git_->service(); };
      project_ = runtime::make_project(kRoot, options_, *this, std::move(world));
    }
    call(*project_);
    inside_ = false;
  } catch (const ProcessDied&) {
    inside_ = false;
    trace_.note(timeline_.now_ms(), "**", "the process dies in a call to the disk");
    over_ = true;
    return ears_.died();
  } catch (const base::AssertionFailure& failure) {
    inside_ = false;
    throw Violation{"no assertion fails", failure.what()};
  } catch (const std::exception& error) {
    inside_ = false;
    fail(error.what());
  }
  check_standing();
  let_out();
}

/// Checks that each session information equals the reply to the query, and that no session with a
/// text is forbidden to ask its model.
void Process::check_standing() const {
  const State* state = checker_.state();
  for (const auto& [session, text] : standing_) {
    if (text.empty()) continue;
    if (state == nullptr) throw Violation{"what is read in place is of a mission", text};
    const auto answer = runtime::session_info_of(*state, SessionId(session), "", "");
    if (text != codec::dump(answer) || !answer.stopped.empty())
      throw Violation{"what is read in place is the answer", text + " / " + codec::dump(answer)};
  }
}

/// Fails like the real engine: drops the logic, informs the JS side, and starts a new logic a
/// little later.
void Process::fail(const std::string& reason) {
  trace_.note(timeline_.now_ms(), "**", "the engine fails: " + reason);
  ++failures_;
  disk_.set_quiet(true);
  checker_.process_gone();
  project_.reset();
  disk_.set_quiet(false);
  timers_.clear();
  watched_.clear();
  standing_.clear();
  if (disk_.is_dead()) {
    over_ = true;
    return ears_.died();
  }
  ears_.failed();
  if (--revivals_left_ < 0) {
    given_up_ = true;
    return;
  }
  timeline_.after(kRevivalMs, [this] { enter([](engine::Directory&) {}); });
}

void Process::end_in_order() {
  disk_.set_quiet(true);
  over_ = true;
  checker_.process_gone();
  project_.reset();
}

void Process::let_out() {
  std::vector<std::string> outgoing;
  outgoing.swap(outgoing_);
  for (const std::string& json : outgoing) show(json);
}

void Process::show(const std::string& json) {
  trace_.note(timeline_.now_ms(), "<-", json);
  if (is_type(json, "show_progress")) return checker_.shown_progress();
  Effect effect;
  codec::Problems problems;
  if (!codec::parse_json(json, effect, problems))
    throw Violation{"every effect can be read", json + ": " + codec::to_string(problems)};
  checker_.shown(effect);
  ears_.effect(effect);
}

void Process::start_timer(std::uint64_t id, std::uint64_t delay_ms) {
  const std::uint64_t setting = ++timer_settings_;
  timers_[id] = setting;
  timeline_.after(delay_ms, [this, id, setting] {
    const auto it = timers_.find(id);
    if (it == timers_.end() || it->second != setting) return;
    timers_.erase(it);
    enter([&](engine::Directory& project) { project.on_timer(id, *this); });
  });
}

void Process::run_on_pool(std::function<void()> work, std::function<void(engine::Outbox&)> done) {
  // Pool work of a logic that was dropped is not done.
  timeline_.after(1, [this, failures = failures_, work = std::move(work), done = std::move(done)] {
    if (failures != failures_) return;
    enter([&](engine::Directory&) {
      work();
      done(*this);
    });
  });
}

}  // namespace orchestrator::sim
