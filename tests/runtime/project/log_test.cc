#include "runtime/project/log.h"

#include <gtest/gtest.h>

#include "os/file_system.h"
#include "support/temporary_directory.h"

namespace orchestrator::runtime {
namespace {

class LogTest : public ::testing::Test {
 protected:
  std::string content(const std::string& name) {
    return os::posix_file_system().read(dir_.file(name), 1 << 20).value();
  }
  orchestrator::testing::TemporaryDirectory dir_;
};

TEST_F(LogTest, WritesLinesOfItsLevelAndAbove) {
  auto log = Log::open(dir_.file("engine.log"), LogLevel::warn);
  ASSERT_TRUE(log);
  log.value()->write(LogLevel::info, "not this");
  log.value()->write(LogLevel::error, "this {} one");
  log.value()->set_level(LogLevel::debug);
  log.value()->write(LogLevel::info, "and this");
  const std::string text = content("engine.log");
  EXPECT_EQ(text.find("not this"), std::string::npos);
  EXPECT_NE(text.find(" error this {} one\n"), std::string::npos) << text;
  EXPECT_NE(text.find(" info and this\n"), std::string::npos) << text;
}

TEST_F(LogTest, RotatesAndKeepsALimitedNumberOfFiles) {
  auto log = Log::open(dir_.file("engine.log"), LogLevel::info, 1'000, 2);
  ASSERT_TRUE(log);
  for (int i = 0; i < 100; ++i) log.value()->write(LogLevel::info, std::string(100, 'x'));
  const auto files = os::posix_file_system().list(dir_.path());
  EXPECT_EQ(files.value().size(), 2U);
}

TEST_F(LogTest, SaysWhyItCannotOpen) {
  ASSERT_TRUE(os::atomic_replace(os::posix_file_system(), dir_.file("file"), "x"));
  const auto log = Log::open(dir_.file("file/engine.log"), LogLevel::info);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().where, dir_.file("file/engine.log"));
}

}  // namespace
}  // namespace orchestrator::runtime
