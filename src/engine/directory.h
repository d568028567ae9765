#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// Interfaces between the engine and the logic of a project directory.
namespace orchestrator::engine {

class Outbox;

/// A child process; see ChildProcess. The destructor kills it.
class Process {
 public:
  virtual ~Process() = default;
  /// Queues bytes for its standard input. Never blocks.
  virtual void write(std::string bytes) = 0;
};

struct ProcessSpec {
  std::vector<std::string> argv;  ///< starts with an absolute path; no shell is used
  std::string directory;
  std::function<void(std::string_view bytes, Outbox&)> on_output;
  /// The process ended by itself; `how` is like "exit code 1". The last call.
  std::function<void(const std::string& how, Outbox&)> on_end;
};

/// Everything that a directory's logic can ask of the engine. Valid only during the call that it
/// was passed to. Engine thread.
class Outbox {
 public:
  virtual ~Outbox() = default;
  /// Sends one JSON value to the JS side of this directory. All values of one call into the logic
  /// arrive in order as one JSON array at the newest open binding; without one they wait, up to a
  /// limit, for the next.
  virtual void send(std::string json) = 0;
  /// Calls on_timer(id) once, not before `delay_ms`. Restarts a running timer of the same id.
  virtual void start_timer(uint64_t id, uint64_t delay_ms) = 0;
  /// After this on_timer(id) is not called. An unknown id is ignored.
  virtual void cancel_timer(uint64_t id) = 0;
  /// From now on Binding::watches() is true for this session.
  virtual void watch_session(const std::string& session) = 0;
  virtual void unwatch_session(const std::string& session) = 0;
  /// From now on Binding::session_info() returns this text for a watched session; empty: none.
  virtual void set_session_info(const std::string& session, std::string text) = 0;
  /// Wall clock, milliseconds since the Unix epoch.
  virtual uint64_t now_ms() = 0;
  /// Runs `work` on a pool thread, then `done` on the engine thread. `work` must own all data that
  /// it uses. When the engine stops, work that has not begun is dropped and `done` is not called.
  virtual void run_on_pool(std::function<void()> work, std::function<void(Outbox&)> done) = 0;
  /// Starts a child process, which must not outlive the logic that started it. Its callbacks never
  /// run within another call into the logic. An error where there are no processes (in a
  /// simulation).
  virtual base::Result<std::unique_ptr<Process>> start_process(ProcessSpec spec);
};

/// The logic of one project directory. Every call, the destructor included, comes from the engine
/// thread, one at a time. After an exception this object is destroyed: the JS side gets
/// {"type":"engine_failed","reason":…}, and a new object is made a second later or with the next
/// message, at most three times until the next binding.
class Directory {
 public:
  virtual ~Directory() = default;
  /// A batch of messages in the order of their arrival.
  virtual void on_messages(std::span<const std::string> batch, Outbox& outbox) = 0;
  virtual void on_timer(uint64_t id, Outbox& outbox) = 0;
  /// Another JS instance has been bound.
  virtual void on_bound(Outbox& outbox) = 0;
};

/// Makes the logic of the directory `path` (canonical); `options_json` comes from the binding that
/// caused it. Engine thread. On failure it throws: the JS side gets the exception's text as
/// engine_failed, and the next binding tries again.
using DirectoryFactory = std::function<std::unique_ptr<Directory>(
    const std::string& path, const std::string& options_json, Outbox& outbox)>;

struct EngineLimits {
  size_t inbox_messages_max = 65'536;
  size_t inbox_bytes_max = 64U << 20U;
  size_t message_bytes_max = 16U << 20U;
  size_t mailbox_batches_max = 1'024;  ///< batches that a JS thread has not fetched yet
  size_t unsent_messages_max =
      65'536;  ///< per directory, while no binding takes them; the oldest are dropped
};

}  // namespace orchestrator::engine
