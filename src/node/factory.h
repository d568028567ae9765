#pragma once

#include "runtime/engine.h"

namespace orchestrator::node {

/// What the addon opens directories with. The shipped addon links src/node/factory.cc; the tests'
/// addon an echo.
runtime::DirectoryFactory directory_factory();

}  // namespace orchestrator::node
