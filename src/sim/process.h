#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "codec/message.h"
#include "runtime/project/project.h"
#include "sim/checker.h"
#include "sim/disk.h"
#include "sim/timeline.h"
#include "sim/trace.h"

namespace orchestrator::sim {

class Git;

/// The engine of a simulated process: runs the real Project, with the inbox, the timers, the watch
/// list and the revival after a failure that the real engine provides. Messages go in as JSON,
/// effects come out as JSON.
class Process final : private engine::Outbox {
 public:
  struct Ears {
    /// Called when an effect reaches the JS side.
    std::function<void(const Effect&)> effect;
    /// Called when the directory's logic has failed, so that every waiting request fails.
    std::function<void()> failed;
    /// Called when the whole process died in the middle of a call.
    std::function<void()> died;
  };

  /// `git`: null if the machine has none.
  Process(Disk& disk, Checker& checker, Timeline& timeline, Trace& trace, std::string options,
          runtime::LogLimits limits, std::function<std::string(const std::string&)> machine,
          Git* git, std::uint64_t seed, Ears ears);
  ~Process() override;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Puts a message into the inbox; messages of the same moment are one batch.
  void post(std::string json, std::uint64_t delay_ms);
  void post(const Happening& happening, std::uint64_t delay_ms = 0) {
    post(codec::dump(happening), delay_ms);
  }
  void post(const codec::Query& query, std::uint64_t delay_ms = 0) {
    post(codec::dump(query), delay_ms);
  }
  /// Delivers an event at once, without a delay.
  void post_now(const Happening& happening);
  [[nodiscard]] bool watches(const SessionId& session) const {
    return watched_.contains(session.value);
  }
  /// The cached information on a session; empty: the JS side must send a query.
  [[nodiscard]] std::string session_info(const SessionId& session) const {
    const auto it = standing_.find(session.value);
    return it == standing_.end() || !inbox_.empty() || inside_ ? "" : it->second;
  }
  /// Ends the process in an orderly way.
  void end_in_order();
  [[nodiscard]] std::uint64_t messages() const { return messages_; }

 private:
  void send(std::string json) override { outgoing_.push_back(std::move(json)); }
  void start_timer(std::uint64_t id, std::uint64_t delay_ms) override;
  void cancel_timer(std::uint64_t id) override { timers_.erase(id); }
  void watch_session(const std::string& session) override { watched_.insert(session); }
  void unwatch_session(const std::string& session) override { watched_.erase(session); }
  void set_session_info(const std::string& session, std::string text) override {
    if (watched_.contains(session)) standing_[session] = std::move(text);
  }
  std::uint64_t now_ms() override { return timeline_.now_ms(); }
  void run_on_pool(std::function<void()> work, std::function<void(engine::Outbox&)> done) override;

  void work_off();
  void enter(const std::function<void(engine::Directory&)>& call);
  void fail(const std::string& reason);
  void let_out();
  void check_standing() const;
  void show(const std::string& json);

  Disk& disk_;
  Checker& checker_;
  Timeline& timeline_;
  Trace& trace_;
  const std::string options_;
  const runtime::LogLimits limits_;
  const std::function<std::string(const std::string&)> machine_;
  Git* const git_;
  Random random_;
  Ears ears_;
  std::unique_ptr<engine::Directory> project_;
  std::vector<std::string> inbox_;
  std::vector<std::string> outgoing_;
  std::map<std::uint64_t, std::uint64_t> timers_;  ///< id -> number of its newest start
  std::uint64_t timer_settings_ = 0;
  std::uint64_t failures_ = 0;
  std::set<std::string> watched_;
  std::map<std::string, std::string> standing_;
  std::uint64_t messages_ = 0;
  int revivals_left_ = 3;
  bool drain_due_ = false;
  bool inside_ = false;
  bool given_up_ = false;
  bool over_ = false;
};

}  // namespace orchestrator::sim
