#pragma once

#include <uv.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/mutex.h"
#include "engine/directory.h"
#include "engine/mailbox.h"

namespace orchestrator::engine {

/// Sessions that a directory's logic watches, and the information on each that JS may read without
/// a message. The engine thread writes it, JS threads read it at every host event.
class WatchSet {
 public:
  void add(const std::string& session);
  void remove(const std::string& session);
  void clear();
  bool contains(std::string_view session);
  /// Sets the information on a watched session.
  void set_session_info(const std::string& session, std::string text);
  /// The information on a session; empty: none.
  std::string session_info(std::string_view session);

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  base::SharedMutex mutex_;
  std::unordered_map<std::string, std::string, Hash, std::equal_to<>> sessions_
      ORCH_GUARDED_BY(mutex_);
};

/// Data shared by the directory runners of one engine. Engine thread, except for the counters.
struct EngineContext {
  uv_loop_t* loop = nullptr;
  DirectoryFactory factory;
  EngineLimits limits;
  std::atomic<uint64_t> messages{0};
  std::atomic<uint64_t> batches{0};
  std::atomic<uint64_t> refused{0};
  std::atomic<uint64_t> dropped_sends{0};
  std::atomic<uint64_t> failures{0};
};

/// Runs one Directory: its bindings, its timers, its watched sessions and its outgoing messages.
/// Everything but watch_set(), attach() and the count of messages belongs to the engine thread.
class DirectoryRunner final : public Outbox, public std::enable_shared_from_this<DirectoryRunner> {
 public:
  DirectoryRunner(std::shared_ptr<EngineContext> context, std::string path);

  /// Adds a binding; the engine thread then calls greet(). Any thread.
  void attach(std::shared_ptr<Mailbox> mailbox, std::string options_json);
  WatchSet& watch_set() { return watch_set_; }
  /// Counts a message before it is put into the inbox. Counted later, it could be processed
  /// uncounted and make up for a message that is not processed yet. Any thread.
  void expect() { expected_.fetch_add(1); }
  /// The inbox refused the message that was counted. Any thread.
  void give_up() { worked_off_.fetch_add(1); }
  /// Whether every posted message has been processed. Any thread.
  [[nodiscard]] bool is_caught_up() const { return worked_off_.load() == expected_.load(); }

  /// Collects the leftovers of closed bindings, greets new ones, and sends messages for which there
  /// was no room.
  void tend();
  void deliver(std::span<const std::string> batch);
  /// Destroys the logic and closes the timers and bindings.
  void shut_down();

  void send(std::string json) override;
  void start_timer(uint64_t id, uint64_t delay_ms) override;
  void cancel_timer(uint64_t id) override;
  void watch_session(const std::string& session) override;
  void unwatch_session(const std::string& session) override;
  void set_session_info(const std::string& session, std::string text) override;
  uint64_t now_ms() override;
  void run_on_pool(std::function<void()> work, std::function<void(Outbox&)> done) override;
  base::Result<std::unique_ptr<Process>> start_process(ProcessSpec spec) override;

 private:
  struct Timer;
  struct PoolJob;

  /// Calls into the logic, which is made first if there is none, and flushes its messages.
  /// Exceptions lead to fail().
  void enter(const std::function<void(Directory&)>& call);
  void make_logic();
  /// Drops the logic and sends engine_failed. A logic that was running is made again, from its log,
  /// a second later, at most `revivals_max` times for each new binding; one that could not be made
  /// waits for a new binding.
  void fail(const std::string& reason, bool was_running);
  void flush();
  /// Drops the oldest unsent messages above the limit.
  void drop_oldest();
  void adopt_new_bindings();
  void collect_leftovers();
  /// Destroys the logic with its timers, its watched sessions and its pool work that has not begun.
  void destroy_logic();

  const std::shared_ptr<EngineContext> context_;
  const std::string path_;
  WatchSet watch_set_;
  std::atomic<uint64_t> expected_{0};
  std::atomic<uint64_t> worked_off_{0};

  struct Arrival {
    std::shared_ptr<Mailbox> mailbox;
    std::string options_json;
  };
  base::Mutex arrivals_mutex_;
  std::vector<Arrival> arrivals_ ORCH_GUARDED_BY(arrivals_mutex_);

  std::unique_ptr<Directory> logic_;
  std::string options_json_;
  std::vector<std::shared_ptr<Mailbox>> bindings_;  // the newest is last
  std::deque<std::string> unsent_;
  std::unordered_map<uint64_t, Timer*> timers_;
  std::unordered_set<PoolJob*> jobs_;
  Timer* revival_ = nullptr;
  int revivals_left_ = 0;
  bool given_up_ = false;
  uint64_t life_ = 0;  // number of the present logic: callbacks of an earlier one are dropped
  bool shut_down_ = false;
};

}  // namespace orchestrator::engine
