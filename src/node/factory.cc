#include "node/factory.h"

#include "runtime/project/project.h"

namespace orchestrator::node {

engine::DirectoryFactory directory_factory() {
  return [](const std::string& path, const std::string& options_json, engine::Outbox& outbox) {
    return runtime::make_project(path, options_json, outbox);
  };
}

}  // namespace orchestrator::node
