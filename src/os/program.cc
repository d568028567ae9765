#include "os/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/assert.h"
#include "os/posix_fd.h"

/// libc's own, under the name that src/deps/uv_shim.c leaves alone.
extern "C" char** __environ;  // NOLINT(bugprone-reserved-identifier)

namespace orchestrator::os {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kDescriptorsMax = 65'536;
constexpr std::size_t kErrorsMax = 4'096;
/// Interval of the checks for a stop request and for a program that ended with its output open.
constexpr int kLookEveryMs = 50;

/// Everything the child needs, prepared before vfork: the child shares this process's memory until
/// exec, so it may only make calls that are safe in a signal handler.
struct Preparation {
  std::vector<char*> argv;
  std::vector<char*> environment;
  const char* directory = nullptr;
  int input = -1;
  int output = -1;
  int errors = -1;
  int fault = -1;  ///< where errno goes if the program cannot be started
  pid_t parent = 0;
};

/// Closes the host's descriptors that lack O_CLOEXEC: the program must not inherit them.
void close_others(int kept) {
#ifdef SYS_close_range
  const auto from = static_cast<unsigned>(kept) + 1;
  if (syscall(SYS_close_range, from, ~0U, 0U) == 0 &&
      syscall(SYS_close_range, 3U, static_cast<unsigned>(kept) - 1, 0U) == 0) {
    return;
  }
#endif
  for (int fd = 3; fd < kDescriptorsMax; ++fd) {
    if (fd != kept) close(fd);
  }
}

[[noreturn]] void become(const Preparation& it) {
  // A program starts with the default actions and nothing blocked, whatever the host has set.
  for (int number = 1; number < 65; ++number) {
    if (number != SIGKILL && number != SIGSTOP) signal(number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Highest first: a descriptor below 3 may be one of ours if the host closed its standard ones.
  const int fault = fcntl(it.fault, F_DUPFD_CLOEXEC, 10);
  const int input = fcntl(it.input, F_DUPFD, 10);
  const int output = fcntl(it.output, F_DUPFD, 10);
  const int errors = fcntl(it.errors, F_DUPFD, 10);
  const bool ready = getppid() == it.parent && fault >= 0 && dup2(input, 0) == 0 &&
                     dup2(output, 1) == 1 && dup2(errors, 2) == 2 && chdir(it.directory) == 0;
  if (ready) {
    close_others(fault);
    execve(it.argv[0], it.argv.data(), it.environment.data());
  }
  const int error = errno;
  if (write(fault, &error, sizeof error) < 0) _exit(126);
  _exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

base::Error failure(const std::string& where, int error) {
  return base::Error{std::generic_category().message(error), where, ""};
}

/// A pipe whose ends close at exec.
bool open_pipe(Descriptor& read, Descriptor& write) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  read = Descriptor(ends[0]);
  write = Descriptor(ends[1]);
  return true;
}

/// The program's standard input as a file: the writer of a pipe would have to wait for the program.
Descriptor input_of(const std::string& bytes) {
  Descriptor file(memfd_create("input", MFD_CLOEXEC));
  for (std::size_t done = 0; file.valid() && done < bytes.size();) {
    const ssize_t size = retry_interrupted(
        [&] { return ::write(file.get(), bytes.data() + done, bytes.size() - done); });
    if (size <= 0) return {};
    done += static_cast<std::size_t>(size);
  }
  if (file.valid()) lseek(file.get(), 0, SEEK_SET);
  return file;
}

/// The output of one of a program's descriptors, up to a bound.
struct Taken {
  Descriptor from;
  std::size_t bytes_max = 0;
  std::string bytes{};
  bool over = false;
  bool cut = false;

  /// Reads what is available, without waiting.
  void take() {
    std::array<char, 65'536> part{};
    while (!over) {
      const ssize_t size =
          retry_interrupted([&] { return ::read(from.get(), part.data(), part.size()); });
      if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
      over = size <= 0;
      if (size <= 0) return;
      const std::size_t room = bytes_max - bytes.size();
      cut = cut || static_cast<std::size_t>(size) > room;
      bytes.append(part.data(), std::min(room, static_cast<std::size_t>(size)));
      if (cut) return;
    }
  }
};

}  // namespace

std::vector<std::string> own_environment() {
  std::vector<std::string> all;
  for (char** entry = __environ; entry != nullptr && *entry != nullptr; ++entry)
    all.emplace_back(*entry);
  return all;
}

base::Result<pid_t> start_program(const ProgramStart& start) {
  ORCH_ASSERT(!start.argv.empty());
  std::vector<std::string> argv = start.argv;
  std::vector<std::string> environment = start.environment ? *start.environment : own_environment();
  Descriptor fault;
  Descriptor fault_of_child;
  const Descriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.valid() || !open_pipe(fault, fault_of_child)) return failure("a pipe", errno);
  Preparation it;
  it.argv = pointers(argv);
  it.environment = pointers(environment);
  it.directory = start.directory.c_str();
  it.input = start.input < 0 ? null.get() : start.input;
  it.output = start.output < 0 ? null.get() : start.output;
  it.errors = start.errors < 0 ? null.get() : start.errors;
  it.fault = fault_of_child.get();
  it.parent = getpid();
  // No handler of the host's may run in the child before its actions are the default ones.
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  // A fork would copy the page tables of the whole host (0.5 GB and more), and each page that its
  // thread then writes would cost it a fault.
  const pid_t pid = vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork)
  // All that `become` calls is allowed there.
  if (pid == 0) become(it);  // NOLINT(clang-analyzer-unix.Vfork)
  const int fork_error = errno;
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  if (pid < 0) return failure(start.argv[0], fork_error);
  fault_of_child = Descriptor();
  int error = 0;
  const ssize_t got = retry_interrupted([&] { return ::read(fault.get(), &error, sizeof error); });
  if (got == 0) return pid;
  retry_interrupted([&] { return waitpid(pid, nullptr, 0); });
  return failure(start.argv[0], got == sizeof error ? error : EIO);
}

base::Result<ProgramEnd> run_program(const ProgramRun& run) {
  Taken output{{}, run.output_max};
  Taken errors{{}, kErrorsMax};
  const Descriptor input = input_of(run.input);
  Descriptor output_of_child;
  Descriptor errors_of_child;
  if (!input.valid() || !open_pipe(output.from, output_of_child) ||
      !open_pipe(errors.from, errors_of_child)) {
    return failure("a pipe", errno);
  }
  for (const Taken* taken : {&output, &errors}) fcntl(taken->from.get(), F_SETFL, O_NONBLOCK);
  ProgramStart start{run.argv, run.directory, run.environment};
  start.input = input.get();
  start.output = output_of_child.get();
  start.errors = errors_of_child.get();
  const auto started = start_program(start);
  if (!started.ok()) return started.error();
  const pid_t pid = started.value();
  output_of_child = Descriptor();
  errors_of_child = Descriptor();

  const auto end = Clock::now() + run.time_max;
  std::string killed;
  bool ended = false;
  while (!ended && killed.empty() && !output.cut) {
    std::array<pollfd, 2> ends{pollfd{output.over ? -1 : output.from.get(), POLLIN, 0},
                               pollfd{errors.over ? -1 : errors.from.get(), POLLIN, 0}};
    // With both outputs closed the program is about to end.
    poll(ends.data(), ends.size(), output.over && errors.over ? 1 : kLookEveryMs);
    output.take();
    while (!errors.over) {
      errors.cut = false;  // the rest is read, and dropped
      errors.take();
      if (!errors.cut) break;
    }
    siginfo_t info{};
    const int looked = waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT);
    ended = looked == 0 ? info.si_pid != 0 : errno != EINTR;
    if (ended) output.take();
    if (!ended && run.stop != nullptr && run.stop->load()) killed = "it was stopped";
    if (!ended && Clock::now() > end) {
      killed =
          "it took over " +
          std::to_string(std::chrono::duration_cast<std::chrono::seconds>(run.time_max).count()) +
          " s";
    }
  }
  // The whole process group: the program, if it still runs, and its children. Its pid is not reused
  // until it is reaped.
  kill(-pid, SIGKILL);
  int status = 0;
  const pid_t reaped = retry_interrupted([&] { return waitpid(pid, &status, 0); });
  if (!killed.empty()) return base::Error{killed, run.argv[0], ""};
  ProgramEnd result;
  result.output = std::move(output.bytes);
  result.output_cut = output.cut;
  result.errors = std::move(errors.bytes);
  if (output.cut) return result;
  // The host may have reaped the child, or ignore SIGCHLD.
  if (reaped != pid) return base::Error{"how it ended is not known", run.argv[0], ""};
  if (!WIFEXITED(status))
    return base::Error{"signal " + std::to_string(WTERMSIG(status)), run.argv[0], ""};
  result.exit_code = WEXITSTATUS(status);
  return result;
}

}  // namespace orchestrator::os
