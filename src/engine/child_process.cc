#include "engine/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "os/program.h"

namespace orchestrator::engine {
namespace {

/// How often to poll for the child's end if the kernel has no process descriptors (before 5.3).
constexpr std::uint64_t kAskEveryMs = 100;

/// A pipe with both ends close-on-exec.
struct Pipe {
  int read = -1;
  int write = -1;

  Pipe() = default;
  ~Pipe() {
    close_end(read);
    close_end(write);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  bool open() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read = ends[0];
    write = ends[1];
    return true;
  }
  static int release(int& end) { return std::exchange(end, -1); }
  static void close_end(int& end) {
    if (end >= 0) close(end);
    end = -1;
  }
};

base::Error failure(const std::string& where, int error) {
  return base::Error{std::strerror(error), where, ""};
}

std::string how_it_ended(int status) {
  if (WIFEXITED(status)) return "exit code " + std::to_string(WEXITSTATUS(status));
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "it is gone";
}

}  // namespace

struct ChildProcess::Body {
  Spec spec;
  pid_t pid = 0;
  int pidfd = -1;
  bool owned = true;  // the ChildProcess lives
  bool reaped = false;
  bool output_over = false;
  bool told = false;
  std::string how;
  uv_pipe_t input{};
  uv_pipe_t output{};
  uv_poll_t watch{};
  uv_timer_t ask{};
  int open_handles = 0;
  std::array<char, 65'536> buffer{};

  void begin(uv_loop_t* loop, int input_fd, int output_fd);
  void drop();
  void look();
  void on_reaped(int status);
  void tell_if_over();
  void close_handle(uv_handle_t* handle);
  void release_if_unused();

  static Body* of(void* handle) {
    return static_cast<Body*>(static_cast<uv_handle_t*>(handle)->data);
  }
};

void ChildProcess::Body::begin(uv_loop_t* loop, int input_fd, int output_fd) {
  const auto ready = [this](auto& handle, int status) {
    ORCH_ASSERT(status == 0);
    handle.data = this;
    ++open_handles;
  };
  ready(input, uv_pipe_init(loop, &input, 0));
  ready(output, uv_pipe_init(loop, &output, 0));
  ready(ask, uv_timer_init(loop, &ask));
  ORCH_ASSERT(uv_pipe_open(&input, input_fd) == 0);
  ORCH_ASSERT(uv_pipe_open(&output, output_fd) == 0);
#ifdef SYS_pidfd_open
  pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0U));
#endif
  if (pidfd >= 0) {
    fcntl(pidfd, F_SETFD, FD_CLOEXEC);
    ready(watch, uv_poll_init(loop, &watch, pidfd));
    uv_poll_start(&watch, UV_READABLE,
                  [](uv_poll_t* handle, int /*status*/, int /*events*/) { of(handle)->look(); });
  } else {
    uv_timer_start(
        &ask, [](uv_timer_t* handle) { of(handle)->look(); }, kAskEveryMs, kAskEveryMs);
  }
  const auto room = [](uv_handle_t* handle, std::size_t /*wanted*/, uv_buf_t* out) {
    Body* const body = of(handle);
    *out = uv_buf_init(body->buffer.data(), static_cast<unsigned>(body->buffer.size()));
  };
  const auto got = [](uv_stream_t* stream, ssize_t size, const uv_buf_t* /*buffer*/) {
    Body* const body = of(stream);
    if (size > 0 && body->owned)
      body->spec.on_output({body->buffer.data(), static_cast<std::size_t>(size)});
    if (size >= 0) return;
    body->output_over = true;
    uv_read_stop(stream);
    body->tell_if_over();
  };
  uv_read_start(reinterpret_cast<uv_stream_t*>(&output), room, got);
}

/// Checks, without waiting, whether the child has ended.
void ChildProcess::Body::look() {
  siginfo_t ended{};
  const int looked = waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOHANG | WNOWAIT);
  if ((looked == 0 && ended.si_pid == 0) || (looked < 0 && errno == EINTR)) return;
  // Kill the rest of its group too. The id cannot be reused before the child is reaped.
  kill(-pid, SIGKILL);
  int status = 0;
  const pid_t found = waitpid(pid, &status, WNOHANG);
  // If the host reaped the child (because it ignores SIGCHLD, for example), it is gone all the
  // same.
  on_reaped(found == pid ? status : 0x7f);
}

void ChildProcess::Body::on_reaped(int status) {
  if (reaped) return;
  reaped = true;
  how = how_it_ended(status);
  if (pidfd >= 0) close_handle(reinterpret_cast<uv_handle_t*>(&watch));
  close_handle(reinterpret_cast<uv_handle_t*>(&ask));
  if (owned) {
    // Read its last output from the pipe. Do not wait for the end of the file: a child of its own
    // may keep the pipe open.
    std::string rest;
    for (ssize_t size = 1; size > 0 && !output_over;) {
      int fd = -1;
      uv_fileno(reinterpret_cast<uv_handle_t*>(&output), &fd);
      size = ::read(fd, buffer.data(), buffer.size());
      if (size > 0) rest.append(buffer.data(), static_cast<std::size_t>(size));
    }
    uv_read_stop(reinterpret_cast<uv_stream_t*>(&output));
    output_over = true;
    if (!rest.empty()) spec.on_output(rest);
  }
  tell_if_over();
  release_if_unused();
}

void ChildProcess::Body::tell_if_over() {
  if (!reaped || !output_over || told || !owned) return;
  told = true;
  spec.on_end(how);
}

void ChildProcess::Body::drop() {
  owned = false;
  close_handle(reinterpret_cast<uv_handle_t*>(&input));
  close_handle(reinterpret_cast<uv_handle_t*>(&output));
  if (!reaped) kill(-pid, SIGKILL);
}

void ChildProcess::Body::close_handle(uv_handle_t* handle) {
  if (uv_is_closing(handle) != 0) return;
  uv_close(handle, [](uv_handle_t* closed) {
    Body* const body = of(closed);
    --body->open_handles;
    body->release_if_unused();
  });
}

void ChildProcess::Body::release_if_unused() {
  if (owned || !reaped || open_handles > 0) return;
  if (pidfd >= 0) close(pidfd);
  delete this;
}

base::Result<std::unique_ptr<ChildProcess>> ChildProcess::start(uv_loop_t* loop, Spec spec) {
  ORCH_ASSERT(!spec.argv.empty());
  // Block SIGPIPE in this thread, so that a write to a dead server gives an error and no signal.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  Pipe to_child;
  Pipe from_child;
  if (!to_child.open() || !from_child.open()) return failure("a pipe", errno);
  os::ProgramStart program{spec.argv, spec.directory};
  program.input = to_child.read;
  program.output = from_child.write;
  const auto pid = os::start_program(program);
  if (!pid.ok()) return pid.error();
  auto* const body = new Body;
  body->spec = std::move(spec);
  body->pid = pid.value();
  body->begin(loop, Pipe::release(to_child.write), Pipe::release(from_child.read));
  return std::unique_ptr<ChildProcess>(new ChildProcess(body));
}

ChildProcess::~ChildProcess() { body_->drop(); }

std::int64_t ChildProcess::pid() const { return body_->pid; }

void ChildProcess::write(std::string bytes) {
  struct Write {
    uv_write_t request{};
    std::string bytes;
  };
  auto* const stream = reinterpret_cast<uv_stream_t*>(&body_->input);
  if (body_->reaped) return;
  if (uv_stream_get_write_queue_size(stream) + bytes.size() > kUnreadBytesMax) {
    kill(-body_->pid, SIGKILL);
    return;
  }
  auto write = std::make_unique<Write>();
  write->bytes = std::move(bytes);
  write->request.data = write.get();
  const uv_buf_t part =
      uv_buf_init(write->bytes.data(), static_cast<unsigned>(write->bytes.size()));
  const int status =
      uv_write(&write->request, stream, &part, 1, [](uv_write_t* request, int /*status*/) {
        // A failed write needs no action: the child has ended, or will be killed as hung.
        delete static_cast<Write*>(request->data);
      });
  if (status == 0) (void)write.release();
}

}  // namespace orchestrator::engine
