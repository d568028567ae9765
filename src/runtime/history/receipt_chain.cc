#include "runtime/history/receipt_chain.h"

#include "os/content_hash.h"

namespace orchestrator::runtime {
namespace {

/// Netstrings: no two lists of fields have the same bytes.
void add_field(std::string& bytes, std::string_view field) {
  bytes += std::to_string(field.size()) + ":";
  bytes += field;
  bytes += ",";
}

/// Bound to the mission, so that a chain fits no other one's log.
std::string head_of(const State& state) {
  if (!state.receipt_head.empty()) return state.receipt_head;
  std::string bytes;
  add_field(bytes, "receipts of");
  add_field(bytes, state.mission.value);
  return os::content_hash(bytes);
}

std::string link_of(const CommandRan& ran, TimeMs at_ms) {
  std::string bytes;
  for (const std::string& field :
       {std::string("receipt 1"), ran.previous, ran.session.value, ran.task.value, ran.command,
        ran.workdir, std::to_string(ran.exit_code), ran.output_hash, ran.begun_hash, ran.files_hash,
        std::to_string(at_ms)}) {
    add_field(bytes, field);
  }
  return os::content_hash(bytes);
}

}  // namespace

void add_link(const State& state, CommandRan& ran, TimeMs at_ms) {
  const Session* session = find_session(state, ran.session);
  if (session != nullptr) ran.task = session->task;
  ran.previous = head_of(state);
  ran.chain_hash = link_of(ran, at_ms);
}

std::string why_not_next_link(const State& state, const CommandRan& ran, TimeMs at_ms) {
  const std::string what = "the receipt of `" + ran.command.substr(0, 200) + "`";
  if (ran.chain_hash.empty())
    return state.receipt_head.empty() ? "" : what + " has no link to the one before it";
  if (ran.previous != head_of(state)) return what + " does not follow the one before it";
  if (ran.chain_hash != link_of(ran, at_ms)) return what + " is not what was written";
  return "";
}

}  // namespace orchestrator::runtime
