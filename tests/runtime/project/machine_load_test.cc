#include "runtime/project/machine_load.h"

#include <gtest/gtest.h>

#include <map>

namespace orchestrator::runtime {
namespace {

MachineLoad read(std::map<std::string, std::string> files, unsigned cores = 2) {
  return read_machine([&](const std::string& path) { return files[path]; }, cores);
}

TEST(MachineLoad, ReadsTheFilesOfLinux) {
  const MachineLoad machine = read(
      {{"/proc/pressure/cpu", "some avg10=12.50 avg60=1.00 avg300=0.00 total=5\n"},
       {"/proc/pressure/memory",
        "some avg10=9.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=3.25 avg60=0.0 total=1\n"},
       {"/proc/pressure/io", "some avg10=1.0 total=1\nfull avg10=0.75 total=1\n"},
       {"/proc/loadavg", "3.00 2.00 1.00 2/500 12345\n"},
       {"/proc/meminfo", "MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    250 kB\n"}});
  EXPECT_DOUBLE_EQ(machine.cpu_stall, 12.5);
  EXPECT_DOUBLE_EQ(machine.memory_stall, 3.25);
  EXPECT_DOUBLE_EQ(machine.io_stall, 0.75);
  EXPECT_DOUBLE_EQ(machine.load_per_core, 1.5);
  EXPECT_DOUBLE_EQ(machine.memory_free, 25);
}

TEST(MachineLoad, UnknownAndInvalidFiguresAreCalm) {
  EXPECT_EQ(judge_load(read({}), Load::calm).load, Load::calm);
  const MachineLoad machine = read({{"/proc/pressure/cpu", "some avg10=nan"},
                                    {"/proc/loadavg", "many"},
                                    {"/proc/meminfo", "MemTotal: 0 kB\nMemAvailable: x"}});
  EXPECT_EQ(judge_load(machine, Load::critical).load, Load::calm);
}

TEST(MachineLoad, LittleMemoryIsCriticalAndTheVerdictIsStable) {
  MachineLoad machine;
  machine.memory_free = 3.9;
  const LoadVerdict verdict = judge_load(machine, Load::calm);
  EXPECT_EQ(verdict.load, Load::critical);
  EXPECT_EQ(verdict.why, "memory free 3 %");
  machine.memory_free = 5;
  EXPECT_EQ(judge_load(machine, Load::critical).load, Load::critical);
  EXPECT_EQ(judge_load(machine, Load::calm).load, Load::high);
  machine.memory_free = 12;
  EXPECT_EQ(judge_load(machine, Load::high).load, Load::high);
  EXPECT_EQ(judge_load(machine, Load::calm).load, Load::calm);
}

TEST(MachineLoad, ABusyProcessorAloneIsNoOverload) {
  MachineLoad machine;
  machine.cpu_stall = 99;
  machine.load_per_core = 2;
  EXPECT_EQ(judge_load(machine, Load::calm).load, Load::calm);
  machine.load_per_core = 6;
  EXPECT_EQ(judge_load(machine, Load::calm).load, Load::high);
  machine.cpu_stall = -1;  // a kernel without pressure figures
  EXPECT_EQ(judge_load(machine, Load::calm).load, Load::calm);
  machine.load_per_core = 9;
  EXPECT_EQ(judge_load(machine, Load::calm).load, Load::high);
}

}  // namespace
}  // namespace orchestrator::runtime
