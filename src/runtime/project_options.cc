#include "runtime/project_options.h"

#include "codec/message.h"

namespace orchestrator::runtime {
namespace {

constexpr std::uint64_t kOptionsBytesMax = 1U << 20U;
constexpr const char* kFile = ".opencode/orchestrator.json";

struct PluginOptions {
  Options options;
  std::vector<std::string> agents;

  ORCH_FIELDS(options, agents);
};

}  // namespace

ProjectOptions::ProjectOptions(os::FileSystem& fs, std::string root, const std::string& plugin_json)
    : fs_(fs), root_(std::move(root)) {
  PluginOptions given;
  codec::Problems problems;
  if (!codec::parse_json(plugin_json, given, problems) ||
      !codec::check_options(given.options, problems)) {
    problem_ = "options of the plugin in opencode.json:\n" + codec::to_string(problems);
    return;
  }
  plugin_ = given.options;
  if (!given.agents.empty()) agents_ = given.agents;
}

base::Result<Options> ProjectOptions::read() const {
  if (!problem_.empty()) return base::Error{problem_, "", ""};
  const std::string path = root_ + "/" + kFile;
  if (!fs_.exists(path)) return plugin_;
  const auto text = fs_.read(path, kOptionsBytesMax);
  if (!text.ok()) return text.error();
  Options options = plugin_;
  codec::Problems problems;
  if (!codec::parse_options(text.value(), options, problems)) {
    return base::Error{std::string(kFile) + ":\n" + codec::to_string(problems), "", ""};
  }
  return options;
}

std::vector<std::string> options_without_effect(const Options& options) {
  const Options defaults;
  std::vector<std::string> keys;
  const auto note = [&](bool changed, const char* key) {
    if (changed) keys.emplace_back(key);
  };
  note(options.memory.budget_tokens != defaults.memory.budget_tokens, "memory.budget_tokens");
  note(options.models.contains("commander"), "models.commander");
  return keys;
}

}  // namespace orchestrator::runtime
