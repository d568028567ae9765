#include "node/factory.h"

#include "runtime/project.h"

namespace orchestrator::node {

runtime::DirectoryFactory directory_factory() { return runtime::make_project; }

}  // namespace orchestrator::node
