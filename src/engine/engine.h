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
#include "engine/directory.h"

namespace orchestrator::engine {

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
class DirectoryRunner;
class Mailbox;

/// Binding of one JS instance to one directory. Thread-safe. May outlive the engine; it is closed
/// then.
class Binding {
 public:
  Binding(std::shared_ptr<EngineCore> core, std::shared_ptr<DirectoryRunner> runner,
          std::shared_ptr<Mailbox> mailbox);
  ~Binding();
  Binding(const Binding&) = delete;
  Binding& operator=(const Binding&) = delete;

  /// Puts a message into the inbox. False, and nothing is done, if the inbox is full, the message
  /// is too long, the binding is closed or the engine has stopped. Never waits for the engine's
  /// work.
  bool post(std::string json);
  /// Whether the directory's logic watches this session.
  [[nodiscard]] bool watches(std::string_view session) const;
  /// The cached information on this session. Nothing if there is none, or if a posted message has
  /// not been processed yet, which could change it.
  [[nodiscard]] std::optional<std::string> session_info(std::string_view session) const;
  /// The next batch for the JS side, a JSON array; empty: none for now.
  std::optional<std::string> take();
  /// Ends messages in both directions. Batches that were not taken go to the next binding. A second
  /// call does nothing.
  void close();

 private:
  const std::shared_ptr<EngineCore> core_;
  const std::shared_ptr<DirectoryRunner> runner_;
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

  /// Binds to a directory, which must exist; links to the same directory share one Directory.
  /// `wake` is called on the engine thread, without a lock that take() needs, when there is a batch
  /// to take, and never after Binding::close() has returned; it must not block, throw, or close the
  /// binding. Any thread but the engine's.
  base::Result<std::shared_ptr<Binding>> open(const std::string& directory,
                                              std::string options_json, std::function<void()> wake);

  /// Processes the inbox, destroys the directories, ends and joins the thread. Any thread but the
  /// engine's; a second call does nothing.
  void stop();

  [[nodiscard]] EngineStats stats() const;

 private:
  std::shared_ptr<EngineCore> core_;
};

/// Version of the linked libuv, such as "1.44.2".
std::string uv_version();

}  // namespace orchestrator::engine
