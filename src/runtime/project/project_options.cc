#include "runtime/project/project_options.h"

#include <map>

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

template <DescribedStruct T>
void note_without_effect(const T& value, const std::string& above,
                         std::map<std::string, std::string>& found) {
  T::describe(value,
              [&]<class Field>(std::string_view key, const Field& field, const auto&... tags) {
                if (tags_of(tags...).no_effect) {
                  found[above + std::string(key)] = codec::dump(field);
                } else if constexpr (DescribedStruct<Field>) {
                  note_without_effect(field, above + std::string(key) + ".", found);
                }
              });
}

/// Key -> value of the settings that this version does not use.
std::map<std::string, std::string> values_without_effect(const Options& options) {
  std::map<std::string, std::string> found;
  note_without_effect(options, "", found);
  return found;
}

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
  const std::map<std::string, std::string> defaults = values_without_effect(Options{});
  std::vector<std::string> keys;
  for (const auto& [key, value] : values_without_effect(options)) {
    if (value != defaults.at(key)) keys.push_back(key);
  }
  if (options.models.contains("commander")) keys.emplace_back("models.commander");
  return keys;
}

}  // namespace orchestrator::runtime
