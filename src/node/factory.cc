#include "node/factory.h"

#include <stdexcept>

#if __has_include("runtime/project.h")
#include "runtime/project.h"
#endif

namespace orchestrator::node {

runtime::DirectoryFactory directory_factory() {
#if __has_include("runtime/project.h")
  return runtime::make_project;
#else
  return [](const std::string&, const std::string&, runtime::Outbox&)
             -> std::unique_ptr<runtime::Directory> {
    throw std::runtime_error("this build has no mission logic");
  };
#endif
}

}  // namespace orchestrator::node
