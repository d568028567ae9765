#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "os/program.h"

namespace orchestrator::runtime {

/// Runs the machine's own git in a directory. Its output; a run that fails is a failure of the
/// test.
inline std::string run_git(const std::string& directory,
                           const std::vector<std::string>& arguments) {
  os::ProgramRun run;
  run.argv = {"/usr/bin/git"};
  run.argv.insert(run.argv.end(), arguments.begin(), arguments.end());
  run.directory = directory;
  const auto end = os::run_program(run);
  EXPECT_TRUE(end.ok()) << end.error().text();
  if (!end.ok()) return "";
  EXPECT_EQ(end.value().exit_code, 0) << arguments.front() << ": " << end.value().errors;
  return end.value().output;
}

/// Makes the directory, and an empty repository in it whose commits have an author. The settings of
/// the machine and of its user count no more in this process.
inline void make_git_repository(const std::string& directory) {
  setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
  setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
  std::filesystem::create_directories(directory);
  run_git(directory, {"init", "--quiet", "--initial-branch=main"});
  run_git(directory, {"config", "user.name", "A Person"});
  run_git(directory, {"config", "user.email", "person@localhost"});
}

}  // namespace orchestrator::runtime
