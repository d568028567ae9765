#pragma once

#include <string>
#include <vector>

#include "core/state/path_claims.h"
#include "orchestrator/event.h"
#include "orchestrator/mission.h"

/// Receipts: the engine's own records of commands that the host ran, against which it checks what
/// models claim.
namespace orchestrator::core {

/// One sentence, which says what to run, for each claimed command that has no receipt with the same
/// exit code from this session.
[[nodiscard]] std::vector<std::string> unproved_claims(const State& state, const SessionId& session,
                                                       const std::vector<CommandClaim>& claims);

/// The verify commands for which this session has no fresh green receipt. `files_hash` is the
/// present hash of the vouched files; a receipt with another hash is stale.
[[nodiscard]] std::vector<std::string> missing_receipts(const State& state,
                                                        const SessionId& session,
                                                        const std::vector<std::string>& verify,
                                                        const std::string& files_hash);

/// Proofs for a pass of this session: the newest receipt of each verify command.
[[nodiscard]] std::vector<Proof> proofs_of(const State& state, const SessionId& session,
                                           const std::vector<std::string>& verify);

}  // namespace orchestrator::core
