#pragma once

#include "engine/engine.h"

namespace orchestrator::node {

/// What the addon opens directories with. The shipped addon links src/node/factory.cc; the tests'
/// addon an echo.
engine::DirectoryFactory directory_factory();

}  // namespace orchestrator::node
