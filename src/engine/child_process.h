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

/// A program that runs beside the engine and talks through its standard input and output; its
/// standard error goes nowhere. Engine thread.
///
/// It is not started with uv_spawn(): that installs a handler of SIGCHLD for the whole process, and
/// OpenCode (Bun) or Node would never again hear of their own children. Instead the child is
/// watched through a file descriptor of its own, and no signal's disposition is touched.
///
/// It never outlives this process: it has its own session and process group, all of which is killed
/// when this object goes, and the kernel kills it when the engine thread ends by whatever means.
class ChildProcess {
 public:
  struct Spec {
    std::vector<std::string> argv;  ///< the first is an absolute path; no shell is involved
    std::string directory;
    /// What it writes, in whatever pieces. May destroy the ChildProcess.
    std::function<void(std::string_view bytes)> on_output;
    /// It has ended by itself, and all that it wrote was handed on; called once, and never after
    /// the destructor. `how` is like "exit code 1". May destroy the ChildProcess.
    std::function<void(const std::string& how)> on_end;
  };
  /// What it has not read yet may be this much; with more it is taken for hung, and killed.
  static constexpr std::size_t kUnreadBytesMax = std::size_t{64} << 20U;

  static base::Result<std::unique_ptr<ChildProcess>> start(uv_loop_t* loop, Spec spec);
  /// Kills it with all that it has started. The loop runs until it is reaped.
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
