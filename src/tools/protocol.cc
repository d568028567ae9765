// Prints what the sources say once and others need as a file: `protocol <what>`, e.g. `protocol
// settings-table`. The files are committed; `node js/dev/run.mjs generate` writes them,
// tests/node/generated.test.mjs compares.
#include <cstdio>
#include <string>
#include <string_view>

#include "codec/message.h"
#include "codec/schema.h"
#include "orchestrator/options.h"

namespace orchestrator {
namespace {

using Json = nlohmann::ordered_json;

// ---- the settings
// -----------------------------------------------------------------------------------

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

/// Where the keys of a map stand: `<role>`.
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
      if (key != Options::kIgnoredKey)
        settings_rows(property, path.empty() ? key : path + "." + key, out);
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

/// Reads settings as the engine does, from the standard input; prints all of them, or the problems.
int check_settings() {
  std::string text;
  for (int c = std::getchar(); c != EOF; c = std::getchar()) text += static_cast<char>(c);
  Options options;
  codec::Problems problems;
  const bool good = codec::parse_options(text, options, problems);
  std::printf("%s\n", good ? codec::dump(options).c_str() : codec::to_string(problems).c_str());
  return good ? 0 : 1;
}

struct Output {
  std::string_view name;
  std::string (*text)();
};
constexpr Output kOutputs[] = {
    {"settings-schema", settings_schema},
    {"settings-table", settings_table},
};

int print(int count, char** words) {
  const std::string_view wanted = count == 2 ? words[1] : "";
  if (wanted == "check-settings") return check_settings();
  for (const Output& output : kOutputs) {
    if (output.name != wanted) continue;
    const std::string text = output.text();
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
  }
  std::fputs("usage: protocol check-settings", stderr);
  for (const Output& output : kOutputs)
    std::fprintf(stderr, " | %.*s", static_cast<int>(output.name.size()), output.name.data());
  std::fputs("\n", stderr);
  return 2;
}

}  // namespace
}  // namespace orchestrator

int main(int count, char** words) { return orchestrator::print(count, words); }
