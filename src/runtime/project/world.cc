#include "runtime/project/world.h"

#include <cstdlib>
#include <random>
#include <utility>

namespace orchestrator::runtime {
namespace {

constexpr std::size_t kMachineBytesMax = 65'536;

std::string program_path() {
  const char* const path = std::getenv("PATH");
  return path == nullptr ? "" : path;
}

}  // namespace

World posix_world() {
  auto source = std::make_shared<std::random_device>();
  World world{os::posix_file_system(),
              [source] { return (std::uint64_t{(*source)()} << 32U) ^ (*source)(); }};
  world.program_path = program_path();
  world.trees = [](const std::string& project) { return make_git_keeper(project, program_path()); };
  world.machine = [](const std::string& path) {
    auto text = os::posix_file_system().read(path, kMachineBytesMax);
    return text.ok() ? std::move(text).value() : std::string();
  };
  return world;
}

}  // namespace orchestrator::runtime
