#include "os/program.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

namespace orchestrator::os {
namespace {

using Clock = std::chrono::steady_clock;

ProgramRun shell(const std::string& script) {
  ProgramRun run;
  run.argv = {"/bin/sh", "-c", script};
  run.directory = "/";
  return run;
}

TEST(ProgramTest, AProgramIsRunToItsEnd) {
  ProgramRun run = shell("cat; pwd; echo \"$A-$HOME\"; echo wrong >&2; exit 3");
  run.input = std::string("in\0put\n", 7);
  run.environment = {"A=b c"};
  const auto end = run_program(run);
  ASSERT_TRUE(end.ok()) << end.error().text();
  EXPECT_EQ(end.value().exit_code, 3);
  EXPECT_EQ(end.value().output, std::string("in\0put\n/\nb c-\n", 14));
  EXPECT_EQ(end.value().errors, "wrong\n");
  EXPECT_FALSE(end.value().output_cut);
}

TEST(ProgramTest, MuchInputAndOutputAndErrorsDoNotBlock) {
  ProgramRun run = shell("cat; head -c 3000000 /dev/zero >&2");
  run.input.assign(5'000'000, 'x');
  const auto end = run_program(run);
  ASSERT_TRUE(end.ok()) << end.error().text();
  EXPECT_EQ(end.value().output, run.input);
  EXPECT_EQ(end.value().errors.size(), 4'096U);
}

TEST(ProgramTest, OutputIsBounded) {
  ProgramRun run = shell("yes");
  run.output_max = 100'000;
  const auto end = run_program(run);
  ASSERT_TRUE(end.ok()) << end.error().text();
  EXPECT_TRUE(end.value().output_cut);
  EXPECT_EQ(end.value().output.size(), 100'000U);
}

TEST(ProgramTest, ItEndsAtItsTimeAndWhenItIsStopped) {
  ProgramRun run = shell("sleep 100");
  run.time_max = std::chrono::seconds(1);
  EXPECT_EQ(run_program(run).error().what, "it took over 1 s");
  std::atomic<bool> stop{true};
  run.stop = &stop;
  EXPECT_EQ(run_program(run).error().what, "it was stopped");
  EXPECT_EQ(run_program(shell("kill -9 $$")).error().what, "signal 9");
  run.argv = {"/nowhere/at/all"};
  EXPECT_EQ(run_program(run).error().text(), "/nowhere/at/all: No such file or directory");
}

TEST(ProgramTest, WhatItLeavesBehindIsEndedAndNotWaitedFor) {
  const auto begin = Clock::now();
  const auto end = run_program(shell("sleep 100 & echo $!"));
  ASSERT_TRUE(end.ok()) << end.error().text();
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(30));
  const pid_t left = std::atoi(end.value().output.c_str());
  ASSERT_GT(left, 0);
  // It is dead, or a zombie of the process that adopted it.
  EXPECT_TRUE(kill(left, 0) != 0 || getpgid(left) != getpgrp());
}

}  // namespace
}  // namespace orchestrator::os
