// Prints generated files from the sources: `protocol <what>`, e.g. `protocol
// settings-table`. The files are committed; `node js/dev/run.mjs generate` writes them,
// tests/node/generated.test.mjs compares.
#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <tuple>

#include "codec/limits.h"
#include "codec/message.h"
#include "codec/schema.h"
#include "orchestrator/options.h"
#include "orchestrator/tool_args.h"

namespace orchestrator {
namespace {

using Json = nlohmann::ordered_json;

// ---- the settings

std::string settings_schema() {
  Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"},
              {"title", "OpenCode Orchestrator: .opencode/orchestrator.json"}};
  schema.update(codec::json_schema<Options>(codec::SchemaFor::people));
  return schema.dump(2) + "\n";
}

std::string words(const Json& list, std::string_view quote) {
  std::string out;
  for (const Json& word : list)
    out += (out.empty() ? "" : ", ") + std::string(quote) + word.get<std::string>() +
           std::string(quote);
  return out;
}

/// The type in a table's cell: `integer, 1 to 50`.
std::string type_text(const Json& schema) {
  if (schema.contains("enum")) return words(schema["enum"], "`");
  std::string text = schema["type"].get<std::string>();
  if (text == "array") return "list: " + type_text(schema["items"]);
  if (schema.contains("pattern")) text = "`provider/model`";
  if (schema.contains("minimum"))
    text += schema.contains("maximum")
                ? ", " + schema["minimum"].dump() + " to " + schema["maximum"].dump()
                : ", at least " + schema["minimum"].dump();
  return text;
}

/// The placeholder for the keys of a map: `<role>`.
std::string any_key(const Json& map) {
  if (!map.contains("propertyNames")) return "<name>";
  const Json& names = map["propertyNames"];
  if (names.contains("enum")) return "<" + words(names["enum"], "") + ">";
  if (names.contains("anyOf")) return "<role or provider/model>";
  return "<provider/model>";
}

void settings_rows(const Json& schema, const std::string& path, std::string& out) {
  if (schema.contains("properties")) {
    for (const auto& [key, property] : schema["properties"].items()) {
      if (key == Options::kIgnoredKey) continue;
      std::string here = path;
      if (!here.empty()) here += '.';
      settings_rows(property, here.append(key), out);
    }
    return;
  }
  if (schema["type"] == "object") {
    Json item = schema["additionalProperties"];
    if (schema.contains("description")) item["description"] = schema["description"];
    return settings_rows(item, path + "." + any_key(schema), out);
  }
  out += "| `" + path + "` | " + type_text(schema) + " | " +
         (schema.contains("default") ? "`" + schema["default"].dump() + "`" : "none") + " | " +
         schema.value("description", "") + " |\n";
}

std::string settings_table() {
  std::string out =
      "<!-- Written by `node js/dev/run.mjs generate` from include/orchestrator/options.h. -->\n"
      "# Settings\n\n"
      "The keys of `.opencode/orchestrator.json` (JSON with comments); the plugin's options in "
      "`opencode.json` have the same.\nAn editor checks and completes them with "
      "`\"$schema\": \"<the package's directory>/schema/orchestrator.schema.json\"`.\n\n"
      "| key | type | default | what |\n|---|---|---|---|\n";
  settings_rows(codec::json_schema<Options>(codec::SchemaFor::people), "", out);
  return out;
}

// ---- the tools

/// The roles that have a tool, by name.
Json role_names(ToolRoles roles) {
  Json names = Json::array();
  for (std::size_t i = 0; i < kRoleNames.size(); ++i) {
    if ((static_cast<unsigned>(roles) >> i & 1U) != 0) names.push_back(kRoleNames[i]);
  }
  return names;
}

template <class Args>
Json tool_json(codec::SchemaFor reader) {
  Json tool{{"roles", role_names(Args::kTool.roles)}};
  if (!Args::kTool.like.empty()) tool["like"] = Args::kTool.like;
  tool["description"] = Args::kTool.description;
  tool["schema"] = codec::json_schema<Args>(reader);
  return tool;
}

/// Name -> tool, as the JS side registers it.
Json tools_json(codec::SchemaFor reader) {
  Json tools;
  [&]<class... Args>(const std::tuple<Args...>* /*all*/) {
    ((tools[std::string(Args::kTool.name)] = tool_json<Args>(reader)), ...);
  }(static_cast<const Tools*>(nullptr));
  return tools;
}

std::string protocol_json() {
  const Json protocol{
      {"written_by", "node js/dev/run.mjs generate, from include/orchestrator/tool_args.h"},
      {"tools", tools_json(codec::SchemaFor::models)}};
  return protocol.dump(2) + "\n";
}

/// `list of {command, exit_code}`
std::string argument_type(const Json& schema) {
  if (schema.contains("enum")) return words(schema["enum"], "`");
  std::string type = schema["type"];
  if (type == "array") return "list of " + argument_type(schema["items"]);
  if (!schema.contains("properties")) return type;
  std::string fields;
  const Json needed = schema.value("required", Json::array());
  for (const auto& [key, property] : schema["properties"].items()) {
    const bool optional = std::find(needed.begin(), needed.end(), key) == needed.end();
    fields += (fields.empty() ? "" : ", ") + key + (optional ? "?" : "");
    if (property.contains("description"))
      fields += " (" + property["description"].get<std::string>() + ")";
  }
  return "{" + fields + "}";
}

std::string tools_table() {
  std::string out =
      "<!-- Written by `node js/dev/run.mjs generate` from include/orchestrator/tool_args.h. -->\n"
      "# Tools of the mission's roles\n\n"
      "Only the roles named see a tool. The engine checks the arguments; a refusal names every "
      "mistake at once and changes nothing.\n\"\", [], {} and null count as not given, and a list "
      "or an object may come as JSON in a string. `?`: may be left out.\n";
  const Json tools = tools_json(codec::SchemaFor::people);
  for (const auto& [name, tool] : tools.items()) {
    out += "\n## `" + name + "`\n\nFor " + words(tool["roles"], "") + ". " +
           tool["description"].get<std::string>() + "\n";
    if (tool.contains("like"))
      out += "A user who does not allow OpenCode's `" + tool["like"].get<std::string>() +
             "` does not allow this.\n";
    const Json& schema = tool["schema"];
    if (schema["properties"].empty()) continue;
    out += "\n| argument | type | what |\n|---|---|---|\n";
    const Json needed = schema.value("required", Json::array());
    for (const auto& [key, property] : schema["properties"].items()) {
      const bool optional = std::find(needed.begin(), needed.end(), key) == needed.end();
      out += "| `" + key + (optional ? "?" : "") + "` | " + argument_type(property) + " | " +
             property.value("description", "") + " |\n";
    }
  }
  return out;
}

std::string standard_input() {
  std::string text;
  for (int c = std::getchar(); c != EOF; c = std::getchar()) text += static_cast<char>(c);
  return text;
}

/// Reads a tool's arguments as the engine does, from the standard input, and prints the problems.
template <class Args>
int check_arguments() {
  Args args;
  codec::Problems problems;
  if (codec::parse_json(standard_input(), args, problems) && codec::check_limits(args, problems))
    return 0;
  std::printf("%s\n", codec::to_string(problems).c_str());
  return 1;
}

/// 2: no tool has this name.
int check_tool(std::string_view name) {
  int code = 2;
  [&]<class... Args>(const std::tuple<Args...>* /*all*/) {
    ((code = Args::kTool.name == name ? check_arguments<Args>() : code), ...);
  }(static_cast<const Tools*>(nullptr));
  return code;
}

/// Reads settings as the engine does, from the standard input; prints all of them, or the problems.
int check_settings() {
  Options options;
  codec::Problems problems;
  const bool good = codec::parse_options(standard_input(), options, problems);
  std::printf("%s\n", good ? codec::dump(options).c_str() : codec::to_string(problems).c_str());
  return good ? 0 : 1;
}

struct Output {
  std::string_view name;
  std::string (*text)();
};
constexpr Output kOutputs[] = {
    {"tools", protocol_json},
    {"tools-table", tools_table},
    {"settings-schema", settings_schema},
    {"settings-table", settings_table},
};

int print(int count, char** words) {
  if (count == 3 && std::string_view(words[1]) == "check-tool") return check_tool(words[2]);
  const std::string_view wanted = count == 2 ? words[1] : "";
  if (wanted == "check-settings") return check_settings();
  for (const Output& output : kOutputs) {
    if (output.name != wanted) continue;
    const std::string text = output.text();
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
  }
  std::fputs("usage: protocol check-settings | check-tool <name>", stderr);
  for (const Output& output : kOutputs)
    std::fprintf(stderr, " | %.*s", static_cast<int>(output.name.size()), output.name.data());
  std::fputs("\n", stderr);
  return 2;
}

}  // namespace
}  // namespace orchestrator

int main(int count, char** words) { return orchestrator::print(count, words); }
