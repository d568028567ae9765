#include "engine/engine.h"

#include <uv.h>

#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/bounded_queue.h"
#include "base/mutex.h"
#include "engine/directory_runner.h"
#include "engine/mailbox.h"
#include "os/file_system.h"

#if UV_VERSION_MAJOR != 1
#error "libuv 1.x is needed; another uv.h (Node's own, perhaps) stands first on the include path"
#endif

namespace orchestrator::engine {

/// Data shared by the engine thread and the bindings, which keep it alive. Only the Engine starts
/// and ends the thread.
class EngineCore {
 public:
  EngineCore(DirectoryFactory factory, EngineLimits limits)
      : context_(std::make_shared<EngineContext>()),
        inbox_(limits.inbox_messages_max, limits.inbox_bytes_max) {
    context_->factory = std::move(factory);
    context_->limits = limits;
    context_->loop = &loop_;
    ORCH_ASSERT(uv_loop_init(&loop_) == 0);
    ORCH_ASSERT(uv_async_init(&loop_, &async_, [](uv_async_t* handle) {
                  static_cast<EngineCore*>(handle->data)->turn();
                }) == 0);
    async_.data = this;
    base::Lock lock(thread_mutex_);
    thread_ = std::thread([this] { run(); });
  }

  /// The runner of a canonical path, created at the first call; null once the engine stops.
  std::shared_ptr<DirectoryRunner> runner(const std::string& path) {
    base::Lock lock(hosts_mutex_);
    if (stopping_) return nullptr;
    auto& runner = hosts_[path];
    if (!runner) runner = std::make_shared<DirectoryRunner>(context_, path);
    return runner;
  }

  bool post(const std::shared_ptr<DirectoryRunner>& runner, std::string message) {
    using Push = base::BoundedQueue<Item>::Push;
    const size_t bytes = message.size();
    runner->expect();
    Push push = Push::full;
    if (bytes <= context_->limits.message_bytes_max)
      push = inbox_.push({runner, std::move(message)}, bytes);
    if (push == Push::first) wake();
    const bool taken = push == Push::first || push == Push::taken;
    if (!taken) {
      runner->give_up();
      context_->refused.fetch_add(1, std::memory_order_relaxed);
    }
    return taken;
  }

  /// Wakes the engine thread. Any thread; does nothing once the loop is gone.
  void wake() {
    base::ReadLock lock(async_mutex_);
    if (async_open_) uv_async_send(&async_);
  }

  void stop() {
    base::Lock lock(thread_mutex_);
    if (!thread_.joinable()) return;
    {
      base::Lock hosts_lock(hosts_mutex_);
      stopping_ = true;
    }
    inbox_.close();
    wake();
    thread_.join();
  }

  EngineStats stats() {
    EngineStats stats;
    stats.messages = context_->messages.load(std::memory_order_relaxed);
    stats.batches = context_->batches.load(std::memory_order_relaxed);
    stats.refused = context_->refused.load(std::memory_order_relaxed);
    stats.dropped_sends = context_->dropped_sends.load(std::memory_order_relaxed);
    stats.failures = context_->failures.load(std::memory_order_relaxed);
    base::Lock lock(hosts_mutex_);
    stats.directories = hosts_.size();
    return stats;
  }

  const EngineLimits& limits() const { return context_->limits; }

 private:
  struct Item {
    std::shared_ptr<DirectoryRunner> runner;
    std::string message;
  };
  using Hosts = std::map<std::string, std::shared_ptr<DirectoryRunner>>;

  void run() {
    uv_run(&loop_, UV_RUN_DEFAULT);
    // Wait for handles that are still closing and for pool work that is still running.
    while (uv_loop_close(&loop_) == UV_EBUSY) uv_run(&loop_, UV_RUN_DEFAULT);
  }

  /// One round: handles the inbox and the bindings.
  void turn() {
    // Read before the inbox is emptied, so that messages posted before stop() are processed.
    Hosts hosts;
    bool stopping = false;
    {
      base::Lock lock(hosts_mutex_);
      hosts = hosts_;
      stopping = stopping_;
    }
    inbox_.take_all(items_);
    for (const auto& [path, runner] : hosts) runner->tend();
    deliver_items();
    if (stopping) finish(hosts);
  }

  /// Splits the items by directory, in order, and delivers each directory's items as one batch.
  void deliver_items() {
    std::map<DirectoryRunner*, std::vector<std::string>> shares;
    std::vector<DirectoryRunner*> order;
    for (Item& item : items_) {
      auto& share = shares[item.runner.get()];
      if (share.empty()) order.push_back(item.runner.get());
      share.push_back(std::move(item.message));
    }
    for (DirectoryRunner* runner : order) {
      // A binding is attached to its runner before it can post. So this greets every binding before
      // its first message is delivered, even one that was attached during this round.
      runner->tend();
      runner->deliver(shares[runner]);
    }
    items_.clear();
  }

  void finish(const Hosts& hosts) {
    for (const auto& [path, runner] : hosts) runner->shut_down();
    {
      base::Lock lock(hosts_mutex_);
      hosts_.clear();
    }
    base::Lock lock(async_mutex_);
    async_open_ = false;
    uv_close(reinterpret_cast<uv_handle_t*>(&async_), nullptr);
  }

  const std::shared_ptr<EngineContext> context_;
  base::BoundedQueue<Item> inbox_;
  std::vector<Item> items_;  // engine thread
  uv_loop_t loop_{};
  uv_async_t async_{};

  base::SharedMutex async_mutex_;
  bool async_open_ ORCH_GUARDED_BY(async_mutex_) = true;
  base::Mutex hosts_mutex_;
  Hosts hosts_ ORCH_GUARDED_BY(hosts_mutex_);
  bool stopping_ ORCH_GUARDED_BY(hosts_mutex_) = false;
  base::Mutex thread_mutex_;
  std::thread thread_ ORCH_GUARDED_BY(thread_mutex_);
};

Binding::Binding(std::shared_ptr<EngineCore> core, std::shared_ptr<DirectoryRunner> runner,
                 std::shared_ptr<Mailbox> mailbox)
    : core_(std::move(core)), runner_(std::move(runner)), mailbox_(std::move(mailbox)) {}

Binding::~Binding() { close(); }

bool Binding::post(std::string json) {
  return !mailbox_->closed() && core_->post(runner_, std::move(json));
}

bool Binding::watches(std::string_view session) const {
  return runner_->watch_set().contains(session);
}

std::optional<std::string> Binding::session_info(std::string_view session) const {
  if (mailbox_->closed() || !runner_->is_caught_up()) return std::nullopt;
  std::string text = runner_->watch_set().session_info(session);
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

std::optional<std::string> Binding::take() {
  Mailbox::Taken taken = mailbox_->take();
  if (taken.room_again) core_->wake();
  return std::move(taken.batch);
}

void Binding::close() {
  if (mailbox_->close()) core_->wake();
}

Engine::Engine(DirectoryFactory factory, EngineLimits limits)
    : core_(std::make_shared<EngineCore>(std::move(factory), limits)) {}

Engine::~Engine() { stop(); }

base::Result<std::shared_ptr<Binding>> Engine::open(const std::string& directory,
                                                    std::string options_json,
                                                    std::function<void()> wake) {
  auto& fs = os::posix_file_system();
  auto path = fs.canonical(directory);
  if (!path) return path.error();
  const auto info = fs.stat(path.value());
  if (!info) return info.error();
  if (info.value().kind != os::FileInfo::Kind::directory) {
    return base::Error{"is not a directory", path.value(), "open the project's directory"};
  }
  auto runner = core_->runner(path.value());
  if (!runner) return base::Error{"the engine has stopped", path.value(), "open it again"};
  auto mailbox = std::make_shared<Mailbox>(core_->limits().mailbox_batches_max, std::move(wake));
  runner->attach(mailbox, std::move(options_json));
  auto binding = std::make_shared<Binding>(core_, std::move(runner), std::move(mailbox));
  core_->wake();
  return binding;
}

void Engine::stop() { core_->stop(); }

EngineStats Engine::stats() const { return core_->stats(); }

base::Result<std::unique_ptr<Process>> Outbox::start_process(ProcessSpec spec) {
  return base::Error{"no processes are started here", spec.argv.front(), ""};
}

std::string uv_version() { return uv_version_string(); }

}  // namespace orchestrator::engine
