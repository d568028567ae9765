#include "core/tools/receipts.h"

#include <algorithm>

#include "base/text.h"
#include "core/tools/handlers.h"
#include "orchestrator/step.h"

namespace orchestrator::core {
namespace {

constexpr std::size_t kReceiptsMax = 2000;

/// The newest receipt of a command: only the last run counts.
const Receipt* newest(const State& state, const SessionId& session, const std::string& command) {
  const auto it =
      std::find_if(state.receipts.rbegin(), state.receipts.rend(), [&](const Receipt& receipt) {
        return receipt.session == session && receipt.command == command;
      });
  return it == state.receipts.rend() ? nullptr : &*it;
}

std::string quoted(const std::string& command) { return "`" + base::clip(command, 200) + "`"; }

}  // namespace

std::vector<std::string> unproved_claims(const State& state, const SessionId& session,
                                         const std::vector<CommandClaim>& claims) {
  std::vector<std::string> problems;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const std::string at = "evidence[" + std::to_string(i) + "]: ";
    const std::string command = base::trimmed(claims[i].command);
    const Receipt* receipt = newest(state, session, command);
    if (receipt == nullptr) {
      problems.push_back(
          at + "no receipt of " + quoted(command) +
          " in this session: run it with bash, exactly as written, from the "
          "directory that your prompt names, and submit when it has ended; or leave it out");
    } else if (receipt->exit_code != claims[i].exit_code) {
      problems.push_back(at + quoted(command) + " ended with exit code " +
                         std::to_string(receipt->exit_code) + ", not " +
                         std::to_string(claims[i].exit_code) +
                         ": write the exit code that it gave, or run it again");
    }
  }
  return problems;
}

std::vector<std::string> missing_receipts(const State& state, const SessionId& session,
                                          const std::vector<std::string>& verify,
                                          const std::string& files_hash) {
  std::vector<std::string> problems;
  for (const std::string& command : verify) {
    const Receipt* receipt = newest(state, session, command);
    if (receipt == nullptr) {
      problems.push_back(
          "verify command " + quoted(command) +
          " has no receipt of this session: run it with bash, exactly as written, from the "
          "directory that your prompt names, and submit when it has ended");
    } else if (receipt->exit_code != 0) {
      problems.push_back("verify command " + quoted(command) + " ended with exit code " +
                         std::to_string(receipt->exit_code) +
                         ", and a pass needs 0: run it again, or reject with what it printed");
    } else if (receipt->changed_files) {
      problems.push_back(
          "verify command " + quoted(command) +
          " proves nothing: the task's files changed while it ran. Run it again "
          "when nothing else changes them; if the command itself does, reject with that");
    } else if (receipt->files_hash != files_hash) {
      problems.push_back("verify command " + quoted(command) +
                         " ran before the files last changed: run it again");
    }
  }
  return problems;
}

std::vector<Proof> proofs_of(const State& state, const SessionId& session,
                             const std::vector<std::string>& verify) {
  std::vector<Proof> proofs;
  for (const std::string& command : verify) {
    const Receipt* receipt = newest(state, session, command);
    if (receipt != nullptr) proofs.push_back(Proof{command, receipt->hash, receipt->at_ms});
  }
  return proofs;
}

void on(Context& ctx, const CommandRan& event) {
  State& state = ctx.state;
  // The chain contains every logged run, also those that are no proof.
  if (!event.chain_hash.empty()) state.receipt_head = event.chain_hash;
  Session* session = find_session(state, event.session);
  if (session == nullptr) return;
  session->seen_ms = ctx.now_ms;
  if (session->state == SessionState::ended || !event.workdir.empty()) return;
  Receipt receipt;
  receipt.session = event.session;
  receipt.task = session->task;
  receipt.command = base::trimmed(event.command);
  receipt.exit_code = event.exit_code;
  receipt.output_hash = event.output_hash;
  receipt.files_hash = event.files_hash;
  receipt.at_ms = ctx.now_ms;
  // An old log has no hash from before the command.
  receipt.changed_files = !event.begun_hash.empty() && event.begun_hash != event.files_hash;
  receipt.hash = event.chain_hash;
  // Only the newest run of a command counts, so it replaces the earlier one.
  const auto older = std::ranges::find_if(state.receipts, [&](const Receipt& one) {
    return one.session == receipt.session && one.command == receipt.command;
  });
  if (older != state.receipts.end()) {
    state.receipts.erase(older);
  } else if (state.receipts.size() >= kReceiptsMax) {
    state.receipts.erase(state.receipts.begin());
  }
  state.receipts.push_back(std::move(receipt));
  state.metrics.receipts += 1;
}

}  // namespace orchestrator::core

namespace orchestrator {

std::vector<std::string> vouched_files(const State& state, const SessionId& session) {
  const Session* reviewer = find_session(state, session);
  if (reviewer == nullptr) return {};
  std::vector<std::string> files;
  for (const Task& task : state.tasks) {
    const bool whole = reviewer->role == Role::master_reviewer;
    if (!whole && task.id != reviewer->task) continue;
    // The files that a dropped task has written are still there; those it only planned may not be.
    if (!whole || task.status != TaskStatus::dropped)
      files.insert(files.end(), task.files.begin(), task.files.end());
    files.insert(files.end(), task.progress.touched.begin(), task.progress.touched.end());
  }
  std::ranges::sort(files);
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

}  // namespace orchestrator
