#pragma once

#include "engine/engine.h"

namespace orchestrator::node {

/// Makes the addon's directories. The shipped addon links src/node/factory.cc, the tests' addon an
/// echo.
engine::DirectoryFactory directory_factory();

}  // namespace orchestrator::node
