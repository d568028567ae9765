#include "engine/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <optional>

namespace orchestrator::engine {
namespace {

/// Whether it runs; one that is dead and not reaped by its new parent yet does not.
bool runs(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  std::getline(file, stat);
  const std::size_t name = stat.rfind(')');
  return name != std::string::npos && stat.at(name + 2) != 'Z' && stat.at(name + 2) != 'X';
}

void expect_end_of(pid_t pid) {
  for (int i = 0; i < 3000 && runs(pid); ++i) usleep(10'000);
  EXPECT_FALSE(runs(pid));
}

/// A loop of its own, and one child in it.
class ChildProcessTest : public ::testing::Test {
 protected:
  ChildProcessTest() { EXPECT_EQ(uv_loop_init(&loop), 0); }
  ~ChildProcessTest() override {
    child.reset();
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop), 0);
  }

  void start(std::vector<std::string> argv) {
    ChildProcess::Spec spec;
    spec.argv = std::move(argv);
    spec.directory = "/";
    spec.on_output = [this](std::string_view bytes) { output += bytes; };
    spec.on_end = [this](const std::string& how) { end = how; };
    auto started = ChildProcess::start(&loop, std::move(spec));
    ASSERT_TRUE(started.ok()) << started.error().text();
    child = std::move(started).value();
  }
  void shell(const std::string& script) { start({"/bin/sh", "-c", script}); }
  template <class Until>
  void run(Until until) {
    while (!until()) uv_run(&loop, UV_RUN_ONCE);
  }
  void run_to_end() {
    run([&] { return end.has_value(); });
  }

  uv_loop_t loop{};
  std::unique_ptr<ChildProcess> child;
  std::string output;
  std::optional<std::string> end;
};

TEST_F(ChildProcessTest, WhatIsWrittenComesBackAndItsEndIsTold) {
  start({"/bin/cat"});
  child->write("hello ");
  child->write("there");
  run([&] { return output.size() == 11; });
  EXPECT_EQ(output, "hello there");
  EXPECT_FALSE(end.has_value());
  kill(static_cast<pid_t>(child->pid()), SIGTERM);
  run_to_end();
  EXPECT_EQ(*end, "signal 15");
}

TEST_F(ChildProcessTest, LastWordsComeBeforeTheEnd) {
  shell("echo last; exit 7");
  run_to_end();
  EXPECT_EQ(output, "last\n");
  EXPECT_EQ(*end, "exit code 7");
}

TEST_F(ChildProcessTest, MuchInBothDirections) {
  start({"/bin/cat"});
  const std::string part(1 << 20, 'x');
  for (int i = 0; i < 8; ++i) child->write(part);
  run([&] { return output.size() == 8 * part.size(); });
}

TEST_F(ChildProcessTest, WhatCannotBeStartedIsAnError) {
  ChildProcess::Spec spec;
  spec.argv = {"/nowhere/at-all"};
  spec.directory = "/";
  const auto started = ChildProcess::start(&loop, std::move(spec));
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().text(), "/nowhere/at-all: No such file or directory");
}

TEST_F(ChildProcessTest, AWriteToOneThatHasEndedIsBorne) {
  shell("exec 0<&-; echo closed; sleep 0.2");
  run([&] { return !output.empty(); });
  for (int i = 0; i < 10; ++i) child->write(std::string(100'000, 'x'));
  run_to_end();
  EXPECT_EQ(*end, "exit code 0");
  child->write("more");
}

TEST_F(ChildProcessTest, OneThatDoesNotReadIsEnded) {
  shell("sleep 100");
  const std::string part(8U << 20U, 'x');
  for (int i = 0; i < 10; ++i) child->write(part);
  run_to_end();
  EXPECT_EQ(*end, "signal 9");
}

TEST_F(ChildProcessTest, ItsGoneWithAllThatItStartedWhenItsObjectGoes) {
  shell("sleep 100 & echo $!; wait");
  run([&] { return output.find('\n') != std::string::npos; });
  const auto grandchild = static_cast<pid_t>(std::stol(output));
  const auto own = static_cast<pid_t>(child->pid());
  child.reset();
  uv_run(&loop, UV_RUN_DEFAULT);  // returns when it is reaped
  EXPECT_EQ(kill(own, 0), -1);
  EXPECT_FALSE(end.has_value()) << "nothing is told after the destructor";
  expect_end_of(grandchild);
}

TEST_F(ChildProcessTest, AnEndIsToldEvenWhereAGrandchildHoldsTheOutput) {
  shell("sleep 100 & echo on; exit 0");
  run_to_end();
  EXPECT_EQ(*end, "exit code 0");
  EXPECT_EQ(output, "on\n");
}

TEST_F(ChildProcessTest, NoDescriptorOfTheHostIsInherited) {
  const int open_one = dup(1);  // without close-on-exec
  shell("ls /proc/self/fd | tr '\\n' ' '; test ! -e /proc/$$/fd/" + std::to_string(open_one));
  run_to_end();
  close(open_one);
  EXPECT_EQ(*end, "exit code 0") << output;
}

TEST_F(ChildProcessTest, TheHostsHandlerOfItsChildrenStaysAndHearsOfItsOwn) {
  static volatile sig_atomic_t heard = 0;
  struct sigaction mine {};
  struct sigaction before {};
  mine.sa_handler = [](int) { heard = heard + 1; };
  sigaction(SIGCHLD, &mine, &before);
  shell("exit 0");
  run_to_end();
  const pid_t own = fork();
  if (own == 0) _exit(5);
  int status = 0;
  while (waitpid(own, &status, 0) < 0 && errno == EINTR) {
  }
  EXPECT_EQ(WEXITSTATUS(status), 5);
  struct sigaction now {};
  sigaction(SIGCHLD, nullptr, &now);
  EXPECT_EQ(now.sa_handler, mine.sa_handler);
  EXPECT_GE(heard, 1);
  sigaction(SIGCHLD, &before, nullptr);
}

TEST_F(ChildProcessTest, AHostThatIgnoresItsChildrenIsNoTrouble) {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGCHLD, &ignore, &before);
  shell("exit 3");
  run_to_end();
  sigaction(SIGCHLD, &before, nullptr);
  EXPECT_EQ(*end, "it is gone");
}

/// A process that dies by SIGKILL cleans nothing up: the kernel must.
TEST(ChildProcessDeathTest, ItDoesNotOutliveAKilledHost) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t host = fork();
  if (host == 0) {
    uv_loop_t loop;
    uv_loop_init(&loop);
    ChildProcess::Spec spec;
    // Deaf to the end of its input, and to polite signals.
    spec.argv = {"/bin/sh", "-c", "trap '' TERM HUP; while :; do sleep 1; done"};
    spec.directory = "/";
    auto child = ChildProcess::start(&loop, std::move(spec));
    const std::int64_t pid = child.ok() ? child.value()->pid() : -1;
    if (write(ends[1], &pid, sizeof pid) < 0) _exit(1);
    kill(getpid(), SIGKILL);
  }
  std::int64_t server = 0;
  ASSERT_EQ(read(ends[0], &server, sizeof server), static_cast<ssize_t>(sizeof server));
  waitpid(host, nullptr, 0);
  close(ends[0]);
  close(ends[1]);
  ASSERT_GT(server, 0);
  expect_end_of(static_cast<pid_t>(server));
}

}  // namespace
}  // namespace orchestrator::engine
