#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

/// Child programs, started without a shell and without a SIGCHLD handler: a handler belongs to the
/// whole process, and OpenCode (Bun) or Node would miss the ends of their own children.
namespace orchestrator::os {

struct ProgramStart {
  std::vector<std::string> argv;  ///< the first is an absolute path
  std::string directory;
  /// `NAME=value`; none: this process's own.
  std::optional<std::vector<std::string>> environment{};
  /// Descriptors that become its standard ones; -1: /dev/null. They stay the caller's.
  int input = -1;
  int output = -1;
  int errors = -1;
};

/// Starts the program and returns its process id; the caller reaps it. It has a session and a
/// process group of its own, default signal actions and no other descriptor, and the kernel kills
/// it when the thread that started it ends. Any thread.
base::Result<pid_t> start_program(const ProgramStart& start);

/// This process's environment, each entry `NAME=value`.
std::vector<std::string> own_environment();

struct ProgramRun {
  std::vector<std::string> argv;  ///< the first is an absolute path
  std::string directory;
  std::optional<std::vector<std::string>> environment{};
  std::string input{};  ///< the whole of its standard input
  std::size_t output_max = std::size_t{64} << 20U;
  std::chrono::milliseconds time_max{30'000};
  const std::atomic<bool>* stop = nullptr;  ///< once it is true, the program is killed
};

struct ProgramEnd {
  int exit_code = -1;
  std::string output;
  bool output_cut = false;  ///< there was more: it was killed, and has no exit code
  std::string errors;       ///< the first 4 kB of what it wrote to its standard error
};

/// Runs a program to its end, and kills what it leaves behind. An error: it could not be started,
/// took too long, was stopped, or ended by a signal. Blocks; any thread that may.
base::Result<ProgramEnd> run_program(const ProgramRun& run);

}  // namespace orchestrator::os
