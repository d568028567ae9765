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

/// Sessions that a directory's logic watches, and what it says of them: written by the engine
/// thread, read by JS threads at every host event.
class WatchSet {
 public:
  void add(const std::string& session);
  void remove(const std::string& session);
  void clear();
  bool contains(std::string_view session);
  /// Of a session that is watched.
  void set_standing(const std::string& session, std::string text);
  /// Empty: nothing is said of it.
  std::string standing(std::string_view session);

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  base::SharedMutex mutex_;
  std::unordered_map<std::string, std::string, Hash, std::equal_to<>> sessions_
      ORCH_GUARDED_BY(mutex_);
};

/// What the hosts of one engine share. Engine thread, except for the counters.
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

/// Carries one Directory: its bindings, its timers, its watched sessions, and what it sends.
/// Everything but watch_set(), attach() and the count of messages belongs to the engine thread.
class DirectoryRunner final : public Outbox, public std::enable_shared_from_this<DirectoryRunner> {
 public:
  DirectoryRunner(std::shared_ptr<EngineContext> context, std::string path);

  /// Adds a binding; the engine thread then calls greet(). Any thread.
  void attach(std::shared_ptr<Mailbox> mailbox, std::string options_json);
  WatchSet& watch_set() { return watch_set_; }
  /// A message is about to be put into the inbox: counted before, or one of another thread that is
  /// worked off uncounted could stand in for one that is not worked off. Any thread.
  void expect() { expected_.fetch_add(1); }
  /// The inbox did not take it. Any thread.
  void give_up() { worked_off_.fetch_add(1); }
  /// Whether every message that was posted has been worked off. Any thread.
  [[nodiscard]] bool is_settled() const { return worked_off_.load() == expected_.load(); }

  /// Collects closed bindings' leftovers, greets new ones, sends again what found no room.
  void tend();
  void deliver(std::span<const std::string> batch);
  /// Destroys the logic and closes the timers and bindings.
  void shut_down();

  void send(std::string json) override;
  void start_timer(uint64_t id, uint64_t delay_ms) override;
  void cancel_timer(uint64_t id) override;
  void watch_session(const std::string& session) override;
  void unwatch_session(const std::string& session) override;
  void set_standing(const std::string& session, std::string text) override;
  uint64_t now_ms() override;
  void run_on_pool(std::function<void()> work, std::function<void(Outbox&)> done) override;
  base::Result<std::unique_ptr<Process>> start_process(ProcessSpec spec) override;

 private:
  struct Timer;
  struct PoolJob;

  /// Calls into the logic, made first if there is none, and flushes what it sent. Exceptions end in
  /// fail().
  void enter(const std::function<void(Directory&)>& call);
  void make_logic();
  /// Drops the logic and tells the JS side. One that was running is made anew, from its log, a
  /// second later, at most `revivals_max` times for each new binding; one that could not even be
  /// made waits for a new binding.
  void fail(const std::string& reason, bool was_running);
  void flush();
  /// Keeps what no binding takes within its limit.
  void drop_oldest();
  void adopt_new_bindings();
  void collect_leftovers();
  /// With its timers, its watched sessions and its pool work that has not begun.
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
  uint64_t life_ = 0;  // counts the logics: what an earlier one began must not reach a later one
  bool shut_down_ = false;
};

}  // namespace orchestrator::engine
