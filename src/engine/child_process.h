#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace orchestrator::engine {

/// A child process that communicates through its standard input and output; its standard error is
/// discarded. Engine thread.
///
/// It is not started with uv_spawn(), which installs a SIGCHLD handler for the whole process, so
/// that OpenCode (Bun) or Node would not learn of the end of their own children. Instead the child
/// is watched through a process descriptor, and no signal handler is changed.
///
/// It never outlives this process: it has its own session and process group, which the destructor
/// kills, and the kernel kills it when the engine thread ends in any way.
class ChildProcess {
 public:
  struct Spec {
    std::vector<std::string> argv;  ///< starts with an absolute path; no shell is used
    std::string directory;
    /// Called with its output, in pieces of any size. May destroy the ChildProcess.
    std::function<void(std::string_view bytes)> on_output;
    /// Called once when it has ended by itself and all its output was passed on, never after the
    /// destructor. `how` is like "exit code 1". May destroy the ChildProcess.
    std::function<void(const std::string& how)> on_end;
  };
  /// Most bytes that may wait to be read by the child; with more it counts as hung and is killed.
  static constexpr std::size_t kUnreadBytesMax = std::size_t{64} << 20U;

  static base::Result<std::unique_ptr<ChildProcess>> start(uv_loop_t* loop, Spec spec);
  /// Kills the child and everything that it has started. The loop runs until it is reaped.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  void write(std::string bytes);
  [[nodiscard]] std::int64_t pid() const;

 private:
  struct Body;  ///< lives until libuv has let go of its handles and the child is reaped
  explicit ChildProcess(Body* body) : body_(body) {}
  Body* body_;
};

}  // namespace orchestrator::engine
