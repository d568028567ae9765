#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace orchestrator::runtime {

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

/// Counters for `info()` and tests.
struct EngineStats {
  uint64_t messages = 0;
  uint64_t batches = 0;
  uint64_t refused = 0;  ///< posts answered with false
  uint64_t dropped_sends = 0;
  uint64_t failures = 0;  ///< exceptions that ended a directory's logic
  size_t directories = 0;
};

class EngineCore;
class DirectoryHost;
class Mailbox;

/// One JS instance's hold on one directory. Thread-safe; may outlive the engine, and is then
/// closed.
class Binding {
 public:
  Binding(std::shared_ptr<EngineCore> core, std::shared_ptr<DirectoryHost> host,
          std::shared_ptr<Mailbox> mailbox);
  ~Binding();
  Binding(const Binding&) = delete;
  Binding& operator=(const Binding&) = delete;

  /// Puts a message into the inbox. False: the inbox is full, the message is too long, the binding
  /// is closed, or the engine has stopped; then nothing happened. Never blocks on the engine's
  /// work.
  bool post(std::string json);
  /// Whether the directory's logic watches this session.
  [[nodiscard]] bool watches(std::string_view session) const;
  /// What the logic has left to be read of this session, as it is once all that was posted has been
  /// worked off. Nothing: there is no such text, or something is being worked off still.
  [[nodiscard]] std::optional<std::string> standing(std::string_view session) const;
  /// The next batch for the JS side, a JSON array; empty: nothing more for now.
  std::optional<std::string> take();
  /// No more messages in either direction. Batches that were not taken go to the next binding.
  /// Twice is fine.
  void close();

 private:
  const std::shared_ptr<EngineCore> core_;
  const std::shared_ptr<DirectoryHost> host_;
  const std::shared_ptr<Mailbox> mailbox_;
};

/// One thread with its own event loop that owns the logic of many directories. The process has one
/// (process_engine.h); tests make their own.
class Engine {
 public:
  /// Starts the thread.
  explicit Engine(DirectoryFactory factory, EngineLimits limits = {});
  /// stop().
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Binds to a directory, which must exist; links to one directory meet in one Directory. `wake`
  /// is called on the engine thread, with no lock held that take() needs, when there is something
  /// to take, and never once Binding::close() has returned; it must not block, throw, or close the
  /// binding. Any thread but the engine's.
  base::Result<std::shared_ptr<Binding>> open(const std::string& directory,
                                              std::string options_json, std::function<void()> wake);

  /// Works off what the inbox holds, destroys the directories, ends and joins the thread. Any
  /// thread but the engine's; twice is fine.
  void stop();

  [[nodiscard]] EngineStats stats() const;

 private:
  std::shared_ptr<EngineCore> core_;
};

/// The version of the libuv that is linked in, such as "1.44.2".
std::string uv_version();

}  // namespace orchestrator::runtime
