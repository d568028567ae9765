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

/// What the engine and the logic of a project directory owe each other.
namespace orchestrator::engine {

class Outbox;

/// A program that runs beside the engine; see ChildProcess. Its end is the program's end.
class Process {
 public:
  virtual ~Process() = default;
  /// To its standard input, when it reads. Never blocks.
  virtual void write(std::string bytes) = 0;
};

struct ProcessSpec {
  std::vector<std::string> argv;  ///< the first is an absolute path; no shell is involved
  std::string directory;
  std::function<void(std::string_view bytes, Outbox&)> on_output;
  /// It ended by itself; `how` is like "exit code 1". The last call.
  std::function<void(const std::string& how, Outbox&)> on_end;
};

/// What a directory's logic can make happen. Valid only during the call it was passed to; engine
/// thread only.
class Outbox {
 public:
  virtual ~Outbox() = default;
  /// To the JS side of this directory: one JSON value. What one call into the logic sends arrives
  /// as one JSON array, in order, at the newest open binding; without one it waits (bounded) for
  /// the next.
  virtual void send(std::string json) = 0;
  /// Calls on_timer(id) once, not before `delay_ms`. A running timer of the same id starts anew.
  virtual void start_timer(uint64_t id, uint64_t delay_ms) = 0;
  /// After this on_timer(id) is not called. An unknown id is fine.
  virtual void cancel_timer(uint64_t id) = 0;
  /// From now on Binding::watches() says yes to this session.
  virtual void watch_session(const std::string& session) = 0;
  virtual void unwatch_session(const std::string& session) = 0;
  /// From now on Binding::standing() gives this text for a watched session; empty: nothing any
  /// more.
  virtual void set_standing(const std::string& session, std::string text) = 0;
  /// Wall clock, milliseconds since the Unix epoch.
  virtual uint64_t now_ms() = 0;
  /// Runs `work` on a pool thread, then `done` on the engine thread. `work` must own all that it
  /// touches. With the engine stopping, work that has not begun is dropped, and `done` is not
  /// called.
  virtual void run_on_pool(std::function<void()> work, std::function<void(Outbox&)> done) = 0;
  /// Starts a program. It must not outlive the logic that started it; its calls come from outside
  /// of any other call into the logic. Where there are no processes (a simulation): an error.
  virtual base::Result<std::unique_ptr<Process>> start_process(ProcessSpec spec);
};

/// The logic of one project directory. Every call, the destructor included, comes from the engine
/// thread, one at a time. An exception ends this object: the JS side gets
/// {"type":"engine_failed","reason":…}, and a new one is made a second later, or with the next
/// message, at most three times until the next binding.
class Directory {
 public:
  virtual ~Directory() = default;
  /// A batch of messages in the order of their arrival.
  virtual void on_messages(std::span<const std::string> batch, Outbox& outbox) = 0;
  virtual void on_timer(uint64_t id, Outbox& outbox) = 0;
  /// A (new) JS instance is bound.
  virtual void on_bound(Outbox& outbox) = 0;
};

/// Makes the logic of the directory `path` (canonical); `options_json` comes from the binding that
/// caused it. Engine thread. On failure it throws, the exception's text reaches the JS side as
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
