#include "runtime/history/snapshot_file.h"

#include <string_view>

#include "codec/message.h"
#include "os/content_hash.h"

namespace orchestrator::runtime {
namespace {

using base::Error;
using base::Result;

constexpr std::uint32_t kSchema = 2;

// The first line of the object, so that the rest can be hashed as it stands.
constexpr std::string_view kOpen = "{\n";
constexpr std::string_view kBefore = "{\n  \"checksum\": \"";
constexpr std::string_view kBehind = "\",\n";

/// The state's JSON without the checksum. Nothing: it does not fit. Programs before this one wrote
/// none.
std::optional<std::string> checked(const std::string& text) {
  if (!text.starts_with(kBefore)) return text;
  const std::size_t end = text.find(kBehind, kBefore.size());
  if (end == std::string::npos) return std::nullopt;
  const std::string checksum = text.substr(kBefore.size(), end - kBefore.size());
  std::string json = std::string(kOpen) + text.substr(end + kBehind.size());
  if (checksum != os::content_hash(json)) return std::nullopt;
  return json;
}

}  // namespace

std::string snapshot_text(const State& state) {
  const std::string json = codec::dump_state(state);
  return std::string(kBefore) + os::content_hash(json) + std::string(kBehind) +
         json.substr(kOpen.size());
}

Result<Snapshot> read_snapshot(os::FileSystem& fs, const std::string& path) {
  Snapshot snapshot;
  if (!fs.exists(path)) {
    snapshot.missing = true;
    return snapshot;
  }
  const auto text = fs.read(path, kSnapshotBytesMax);
  if (!text.ok()) return text.error();
  return parse_snapshot(text.value(), path);
}

Result<Snapshot> parse_snapshot(const std::string& text, const std::string& path) {
  Snapshot snapshot;
  const std::optional<std::string> json = checked(text);
  if (!json) {
    snapshot.fault = "its content does not fit its checksum";
    return snapshot;
  }
  State state;
  codec::Problems problems;
  const bool sound = codec::parse_state(*json, state, problems);
  const std::uint32_t schema = sound ? state.schema : codec::schema_of(*json);
  if (schema > kSchema) {
    return Error{"the snapshot's schema " + std::to_string(schema) +
                     " is newer than this program's " + std::to_string(kSchema),
                 path, "update the plugin; the file is left as it is"};
  }
  if (!sound) {
    snapshot.fault = problems.empty() ? "it cannot be read" : codec::to_string(problems.front());
  } else if (state.phase == Phase::none) {
    snapshot.fault = "it holds no mission";
  } else {
    snapshot.state = std::move(state);
  }
  return snapshot;
}

}  // namespace orchestrator::runtime
