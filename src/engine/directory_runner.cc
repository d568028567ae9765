#include "engine/directory_runner.h"

#include <exception>
#include <stdexcept>
#include <utility>

#include "base/assert.h"
#include "codec/message.h"
#include "engine/child_process.h"
#include "os/clock.h"

namespace orchestrator::engine {
namespace {

constexpr int revivals_max = 3;
constexpr uint64_t revival_delay_ms = 1'000;

}  // namespace

void WatchSet::add(const std::string& session) {
  base::Lock lock(mutex_);
  sessions_.try_emplace(session);
}

void WatchSet::remove(const std::string& session) {
  base::Lock lock(mutex_);
  sessions_.erase(session);
}

void WatchSet::clear() {
  base::Lock lock(mutex_);
  sessions_.clear();
}

bool WatchSet::contains(std::string_view session) {
  base::ReadLock lock(mutex_);
  return sessions_.find(session) != sessions_.end();
}

void WatchSet::set_session_info(const std::string& session, std::string text) {
  base::Lock lock(mutex_);
  const auto it = sessions_.find(session);
  if (it != sessions_.end()) it->second = std::move(text);
}

std::string WatchSet::session_info(std::string_view session) {
  base::ReadLock lock(mutex_);
  const auto it = sessions_.find(session);
  return it == sessions_.end() ? "" : it->second;
}

/// A libuv timer. Lives until libuv has closed its handle, which may be after the runner dropped
/// it.
struct DirectoryRunner::Timer {
  uv_timer_t handle{};
  std::weak_ptr<DirectoryRunner> runner;
  uint64_t id = 0;

  static Timer* make(DirectoryRunner& runner, uint64_t id);
  static void fired(uv_timer_t* handle);
  static void revive(uv_timer_t* handle);
  static void close(Timer* timer);
};

struct DirectoryRunner::PoolJob {
  uv_work_t request{};
  std::weak_ptr<DirectoryRunner> runner;
  uint64_t life = 0;
  std::function<void()> work;
  std::function<void(Outbox&)> done;
  std::exception_ptr thrown;

  static void run(uv_work_t* request);
  static void finish(uv_work_t* request, int status);
};

DirectoryRunner::DirectoryRunner(std::shared_ptr<EngineContext> context, std::string path)
    : context_(std::move(context)), path_(std::move(path)) {}

void DirectoryRunner::attach(std::shared_ptr<Mailbox> mailbox, std::string options_json) {
  base::Lock lock(arrivals_mutex_);
  arrivals_.push_back({std::move(mailbox), std::move(options_json)});
}

void DirectoryRunner::tend() {
  collect_leftovers();
  adopt_new_bindings();
  flush();
}

void DirectoryRunner::deliver(std::span<const std::string> batch) {
  context_->batches.fetch_add(1, std::memory_order_relaxed);
  context_->messages.fetch_add(batch.size(), std::memory_order_relaxed);
  enter([&](Directory& logic) { logic.on_messages(batch, *this); });
  worked_off_.fetch_add(batch.size());
}

void DirectoryRunner::shut_down() {
  shut_down_ = true;
  destroy_logic();
  for (const auto& mailbox : bindings_) mailbox->close();
  bindings_.clear();
  base::Lock lock(arrivals_mutex_);
  for (const auto& arrival : arrivals_) arrival.mailbox->close();
  arrivals_.clear();
}

void DirectoryRunner::adopt_new_bindings() {
  std::vector<Arrival> arrivals;
  {
    base::Lock lock(arrivals_mutex_);
    arrivals.swap(arrivals_);
  }
  for (Arrival& arrival : arrivals) {
    bindings_.push_back(std::move(arrival.mailbox));
    given_up_ = false;
    revivals_left_ = revivals_max;
    if (logic_) {
      enter([this](Directory& logic) { logic.on_bound(*this); });
    } else {
      options_json_ = std::move(arrival.options_json);
      enter([](Directory&) {});  // make_logic calls on_bound if there was no logic
    }
  }
}

void DirectoryRunner::collect_leftovers() {
  std::deque<std::string> left;
  for (auto it = bindings_.begin(); it != bindings_.end();) {
    if (!(*it)->closed()) {
      ++it;
      continue;
    }
    // A batch is a JSON array; its elements join the unsent messages unchanged.
    for (std::string& batch : (*it)->leftovers()) {
      ORCH_ASSERT(batch.size() >= 2);
      left.push_back(batch.substr(1, batch.size() - 2));
    }
    it = bindings_.erase(it);
  }
  // The leftovers are older than everything in unsent_.
  unsent_.insert(unsent_.begin(), std::make_move_iterator(left.begin()),
                 std::make_move_iterator(left.end()));
}

void DirectoryRunner::make_logic() {
  ++life_;
  logic_ = context_->factory(path_, options_json_, *this);
  if (!logic_) throw std::runtime_error("no logic was made for this directory");
  if (!bindings_.empty()) logic_->on_bound(*this);
}

void DirectoryRunner::enter(const std::function<void(Directory&)>& call) {
  if (shut_down_ || given_up_) return;
  try {
    if (!logic_) make_logic();
    call(*logic_);
  } catch (const std::exception& error) {
    fail(error.what(), logic_ != nullptr);
  } catch (...) {
    fail("an unknown exception", logic_ != nullptr);
  }
  flush();
}

void DirectoryRunner::fail(const std::string& reason, bool was_running) {
  context_->failures.fetch_add(1, std::memory_order_relaxed);
  destroy_logic();
  send(codec::encode_notice(codec::EngineFailed{reason}));
  given_up_ = !was_running || revivals_left_ == 0;
  if (given_up_) return;
  --revivals_left_;
  revival_ = Timer::make(*this, 0);
  ORCH_ASSERT(uv_timer_start(&revival_->handle, &Timer::revive, revival_delay_ms, 0) == 0);
}

void DirectoryRunner::destroy_logic() {
  try {
    logic_.reset();
  } catch (...) {
    // An exception of the destructor is ignored: the first failure is being reported.
    context_->failures.fetch_add(1, std::memory_order_relaxed);
  }
  for (const auto& [id, timer] : timers_) Timer::close(timer);
  timers_.clear();
  if (revival_ != nullptr) Timer::close(std::exchange(revival_, nullptr));
  for (PoolJob* job : jobs_) uv_cancel(reinterpret_cast<uv_req_t*>(&job->request));
  watch_set_.clear();
}

void DirectoryRunner::flush() {
  while (!unsent_.empty() && !bindings_.empty()) {
    std::string batch = "[";
    for (const std::string& message : unsent_) {
      if (batch.size() > 1) batch.push_back(',');
      batch += message;
    }
    batch.push_back(']');
    switch (bindings_.back()->put(batch)) {
      case Mailbox::Put::taken:
        unsent_.clear();
        return;
      case Mailbox::Put::full:  // tend() is called when there is room again
        drop_oldest();
        return;
      case Mailbox::Put::closed:
        collect_leftovers();
        break;
    }
  }
  drop_oldest();
}

void DirectoryRunner::send(std::string json) { unsent_.push_back(std::move(json)); }

void DirectoryRunner::drop_oldest() {
  while (unsent_.size() > context_->limits.unsent_messages_max) {
    unsent_.pop_front();
    context_->dropped_sends.fetch_add(1, std::memory_order_relaxed);
  }
}

void DirectoryRunner::Timer::fired(uv_timer_t* handle) {
  auto* const timer = static_cast<Timer*>(handle->data);
  const auto runner = timer->runner.lock();
  const uint64_t id = timer->id;
  if (!runner) return;
  runner->timers_.erase(id);
  close(timer);
  runner->enter([&](Directory& logic) { logic.on_timer(id, *runner); });
}

void DirectoryRunner::Timer::revive(uv_timer_t* handle) {
  const auto runner = static_cast<Timer*>(handle->data)->runner.lock();
  if (!runner) return;
  close(std::exchange(runner->revival_, nullptr));
  runner->enter([](Directory&) {});
}

DirectoryRunner::Timer* DirectoryRunner::Timer::make(DirectoryRunner& runner, uint64_t id) {
  auto timer = std::make_unique<Timer>();
  timer->runner = runner.weak_from_this();
  timer->id = id;
  ORCH_ASSERT(uv_timer_init(runner.context_->loop, &timer->handle) == 0);
  timer->handle.data = timer.get();
  return timer.release();
}

void DirectoryRunner::Timer::close(Timer* timer) {
  uv_close(reinterpret_cast<uv_handle_t*>(&timer->handle),
           [](uv_handle_t* closed) { delete static_cast<Timer*>(closed->data); });
}

void DirectoryRunner::start_timer(uint64_t id, uint64_t delay_ms) {
  Timer*& timer = timers_[id];
  if (timer == nullptr) timer = Timer::make(*this, id);
  // The loop's cached time is as old as the start of this batch.
  uv_update_time(context_->loop);
  ORCH_ASSERT(uv_timer_start(&timer->handle, &Timer::fired, delay_ms, 0) == 0);
}

void DirectoryRunner::cancel_timer(uint64_t id) {
  const auto it = timers_.find(id);
  if (it == timers_.end()) return;
  Timer::close(it->second);
  timers_.erase(it);
}

void DirectoryRunner::watch_session(const std::string& session) { watch_set_.add(session); }

void DirectoryRunner::unwatch_session(const std::string& session) { watch_set_.remove(session); }

void DirectoryRunner::set_session_info(const std::string& session, std::string text) {
  watch_set_.set_session_info(session, std::move(text));
}

uint64_t DirectoryRunner::now_ms() { return os::posix_clock().now_ms(); }

void DirectoryRunner::PoolJob::run(uv_work_t* request) {
  auto* const job = static_cast<PoolJob*>(request->data);
  try {
    job->work();
  } catch (...) {
    job->thrown = std::current_exception();
  }
}

void DirectoryRunner::PoolJob::finish(uv_work_t* request, int status) {
  const std::unique_ptr<PoolJob> job(static_cast<PoolJob*>(request->data));
  const auto runner = job->runner.lock();
  if (runner) runner->jobs_.erase(job.get());
  if (status != 0 || !runner || runner->life_ != job->life || !runner->logic_) return;
  runner->enter([&](Directory&) {
    if (job->thrown) std::rethrow_exception(job->thrown);
    job->done(*runner);
  });
}

void DirectoryRunner::run_on_pool(std::function<void()> work, std::function<void(Outbox&)> done) {
  auto job = std::make_unique<PoolJob>();
  job->runner = weak_from_this();
  job->life = life_;
  job->work = std::move(work);
  job->done = std::move(done);
  job->request.data = job.get();
  ORCH_ASSERT(uv_queue_work(context_->loop, &job->request, &PoolJob::run, &PoolJob::finish) == 0);
  jobs_.insert(job.release());
}

namespace {

class Running final : public Process {
 public:
  explicit Running(std::unique_ptr<ChildProcess> child) : child_(std::move(child)) {}
  void write(std::string bytes) override { child_->write(std::move(bytes)); }

 private:
  const std::unique_ptr<ChildProcess> child_;
};

}  // namespace

base::Result<std::unique_ptr<Process>> DirectoryRunner::start_process(ProcessSpec spec) {
  // Callbacks of an earlier logic's processes must not reach a later logic.
  const auto within = [weak = weak_from_this(), life = life_](const auto& call) {
    const auto host = weak.lock();
    if (host && host->life_ == life && host->logic_) host->enter([&](Directory&) { call(*host); });
  };
  ChildProcess::Spec child;
  child.argv = std::move(spec.argv);
  child.directory = std::move(spec.directory);
  child.on_output = [within, take = std::move(spec.on_output)](std::string_view bytes) {
    within([&](Outbox& outbox) { take(bytes, outbox); });
  };
  child.on_end = [within, take = std::move(spec.on_end)](const std::string& how) {
    within([&](Outbox& outbox) { take(how, outbox); });
  };
  auto started = ChildProcess::start(context_->loop, std::move(child));
  if (!started.ok()) return started.error();
  return std::unique_ptr<Process>(std::make_unique<Running>(std::move(started).value()));
}

}  // namespace orchestrator::engine
