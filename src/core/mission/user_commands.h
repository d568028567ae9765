#pragma once

#include "core/state/context.h"

/// Commands that a person types: `/task`, `/stop`, `/resume`.
namespace orchestrator::core {

void on(Context& ctx, const MissionRequested& event);
void on(Context& ctx, const StopRequested& event);
void on(Context& ctx, const ResumeRequested& event);

}  // namespace orchestrator::core
