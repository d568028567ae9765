#include "node/factory.h"

#include "runtime/project.h"

namespace orchestrator::node {

runtime::DirectoryFactory directory_factory() {
  return [](const std::string& path, const std::string& options_json, runtime::Outbox& outbox) {
    return runtime::make_project(path, options_json, outbox);
  };
}

}  // namespace orchestrator::node
