#pragma once

#include <string>
#include <vector>

#include "core/state/path_claims.h"
#include "orchestrator/event.h"
#include "orchestrator/mission.h"

/// What stands between a claim and its acceptance: receipts of commands that the host really ran.
namespace orchestrator::core {

/// Each claimed command without a receipt of the same exit code from this very session: a sentence
/// that says what to run.
[[nodiscard]] std::vector<std::string> unproved_claims(const State& state, const SessionId& session,
                                                       const std::vector<CommandClaim>& claims);

/// Each verify command that this session has no green, fresh receipt for: `files_hash` is the
/// vouched files' state now; a receipt of another state is stale.
[[nodiscard]] std::vector<std::string> missing_receipts(const State& state,
                                                        const SessionId& session,
                                                        const std::vector<std::string>& verify,
                                                        const std::string& files_hash);

/// What a pass of this session rests on: the newest run of each verify command.
[[nodiscard]] std::vector<Proof> proofs_of(const State& state, const SessionId& session,
                                           const std::vector<std::string>& verify);

}  // namespace orchestrator::core
