#include "codec/language_server.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "codec/json.h"

namespace orchestrator::codec {
namespace {

using nlohmann::json;

constexpr std::size_t kBodyBytesMax = std::size_t{16} << 20U;
constexpr std::size_t kDiagnosticsMax = 5000;  // of one message
constexpr std::size_t kMessageBytesMax = 1000;
constexpr std::size_t kErrorBytesMax = 300;
constexpr std::size_t kItemsMax = 1000;
constexpr int kMethodNotFound = -32601;
constexpr int kContentModified = -32801;
constexpr int kServerCancelled = -32802;
constexpr const char* kTsserverCommand = "typescript.tsserverRequest";

/// The member of that name, or null.
const json& at(const json& node, const char* key) {
  static const json kNothing;
  if (!node.is_object()) return kNothing;
  const auto it = node.find(key);
  return it == node.end() ? kNothing : *it;
}

/// At most so many bytes, cut at a character's edge.
std::string clipped(const std::string& text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "…";
}

std::string text_of(const json& node, std::size_t bytes_max) {
  if (node.is_string()) return clipped(node.get_ref<const std::string&>(), bytes_max);
  if (node.is_number_integer()) return node.dump();
  return "";
}

/// A place counts from 0 and fits; anything else is 0.
std::uint32_t place(const json& node) {
  if (!node.is_number_unsigned()) return 0;
  const auto value = node.get<std::uint64_t>();
  return value > 100'000'000 ? 0 : static_cast<std::uint32_t>(value);
}

ServerDiagnostic diagnostic_of(const json& node) {
  using Severity = ServerDiagnostic::Severity;
  ServerDiagnostic found;
  const json& start = at(at(node, "range"), "start");
  found.line = place(at(start, "line"));
  found.column = place(at(start, "character"));
  const std::uint32_t severity = place(at(node, "severity"));
  if (severity >= 1 && severity <= 4) found.severity = static_cast<Severity>(severity);
  found.code = text_of(at(node, "code"), 100);
  const json& message = at(node, "message");
  found.message = text_of(message.is_object() ? at(message, "value") : message, kMessageBytesMax);
  return found;
}

/// A diagnostic of tsserver, which counts from 1 and has its own field names.
ServerDiagnostic tsserver_diagnostic_of(const json& node) {
  using Severity = ServerDiagnostic::Severity;
  ServerDiagnostic found;
  const json& start = at(node, "start");
  found.line = std::max(place(at(start, "line")), 1U) - 1;
  found.column = std::max(place(at(start, "offset")), 1U) - 1;
  const std::string category = text_of(at(node, "category"), 20);
  if (category == "warning") found.severity = Severity::warning;
  if (category == "suggestion" || category == "message") found.severity = Severity::hint;
  found.code = text_of(at(node, "code"), 100);
  found.message = text_of(at(node, "text"), kMessageBytesMax);
  return found;
}

template <class Read>
std::vector<ServerDiagnostic> all_of(const json& list, Read read) {
  std::vector<ServerDiagnostic> found;
  for (const json& node : list) {
    if (found.size() >= kDiagnosticsMax) break;
    if (node.is_object()) found.push_back(read(node));
  }
  return found;
}

void read_abilities(const json& capabilities, ServerMessage& message) {
  const json& provider = at(capabilities, "diagnosticProvider");
  message.pulls = provider.is_object() || (provider.is_boolean() && provider.get<bool>());
  const json& commands = at(at(capabilities, "executeCommandProvider"), "commands");
  message.tsserver_requests =
      commands.is_array() && std::ranges::find(commands, json(kTsserverCommand)) != commands.end();
}

void read_result(const json& result, ServerMessage& message) {
  read_abilities(at(result, "capabilities"), message);
  if (const json& items = at(result, "items"); items.is_array())
    message.diagnostics = all_of(items, diagnostic_of);
  if (const json& body = at(result, "body"); body.is_array())
    message.diagnostics = all_of(body, tsserver_diagnostic_of);
}

void read_response(const json& document, ServerMessage& message) {
  const json& id = at(document, "id");
  message.kind = ServerMessage::Kind::response;
  if (id.is_number_unsigned()) message.id = id.get<std::uint64_t>();
  const json& error = at(document, "error");
  message.failed = error.is_object();
  if (message.failed) {
    message.error = text_of(at(error, "message"), kErrorBytesMax);
    const json& code = at(error, "code");
    message.again = code == kContentModified || code == kServerCancelled;
  }
  read_result(at(document, "result"), message);
}

void read_call(const json& document, ServerMessage& message) {
  const json& id = at(document, "id");
  const bool asks = id.is_string() || id.is_number_integer();
  message.kind = asks ? ServerMessage::Kind::request : ServerMessage::Kind::notification;
  if (asks) message.raw_id = id.dump();
  message.method = text_of(at(document, "method"), 200);
  const json& params = at(document, "params");
  message.items = std::min(at(params, "items").size(), kItemsMax);
  message.uri = text_of(at(params, "uri"), 8000);
  const json& version = at(params, "version");
  if (version.is_number_integer()) message.version = version.get<std::int64_t>();
  if (const json& list = at(params, "diagnostics"); list.is_array())
    message.diagnostics = all_of(list, diagnostic_of);
}

std::string text(const json& message) {
  return message.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string notification(const char* method, json params) {
  return text({{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}});
}

std::string request(std::uint64_t id, const char* method, json params) {
  return text({{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}});
}

std::string response(const std::string& raw_id, const char* key, json value) {
  return text({{"jsonrpc", "2.0"}, {"id", json::parse(raw_id)}, {key, std::move(value)}});
}

/// The client's capabilities: the minimum for diagnostics.
json abilities() {
  return {
      {"general", {{"positionEncodings", {"utf-16"}}}},
      {"workspace",
       {{"configuration", true},
        {"workspaceFolders", true},
        {"didChangeWatchedFiles", {{"dynamicRegistration", false}}},
        {"diagnostics", {{"refreshSupport", false}}}}},
      {"textDocument",
       {{"synchronization", {{"dynamicRegistration", false}, {"didSave", false}}},
        {"publishDiagnostics", {{"versionSupport", true}, {"relatedInformation", false}}},
        {"diagnostic", {{"dynamicRegistration", false}, {"relatedDocumentSupport", false}}}}},
      {"window", {{"workDoneProgress", true}}},
  };
}

}  // namespace

ServerMessage decode_server_message(std::string_view body) try {
  ServerMessage message;
  Problems problems;
  const json_detail::NodePtr document =
      json_detail::parse(body, json_detail::Dialect::json, problems, kBodyBytesMax);
  if (document == nullptr) {
    message.problem = to_string(problems);
  } else if (!document->is_object()) {
    message.problem = "a message is an object";
  } else if (at(*document, "method").is_string()) {
    read_call(*document, message);
  } else if (document->contains("id")) {
    read_response(*document, message);
  } else {
    message.problem = "neither a call nor an answer";
  }
  return message;
} catch (const json::exception& error) {
  ServerMessage message;
  message.problem = error.what();
  return message;
}

std::string initialize_request(std::uint64_t id, const std::string& root_uri, std::int64_t process,
                               const std::string& settings) {
  json params = {{"processId", process},
                 {"clientInfo", {{"name", "opencode-orchestrator"}}},
                 {"rootUri", root_uri},
                 {"workspaceFolders", {{{"uri", root_uri}, {"name", "project"}}}},
                 {"capabilities", abilities()}};
  if (!settings.empty()) params["initializationOptions"] = json::parse(settings);
  return request(id, "initialize", std::move(params));
}

std::string initialized_notification() { return notification("initialized", json::object()); }

std::string open_notification(const std::string& uri, const std::string& language,
                              std::int64_t version, const std::string& text) {
  return notification(
      "textDocument/didOpen",
      {{"textDocument",
        {{"uri", uri}, {"languageId", language}, {"version", version}, {"text", text}}}});
}

std::string change_notification(const std::string& uri, std::int64_t version,
                                const std::string& text) {
  return notification("textDocument/didChange",
                      {{"textDocument", {{"uri", uri}, {"version", version}}},
                       {"contentChanges", json::array({{{"text", text}}})}});
}

std::string close_notification(const std::string& uri) {
  return notification("textDocument/didClose", {{"textDocument", {{"uri", uri}}}});
}

std::string files_changed_notification(const std::vector<std::string>& uris) {
  constexpr int kChanged = 2;
  json changes = json::array();
  for (const std::string& uri : uris) changes.push_back({{"uri", uri}, {"type", kChanged}});
  return notification("workspace/didChangeWatchedFiles", {{"changes", std::move(changes)}});
}

std::string pull_request(std::uint64_t id, const std::string& uri) {
  return request(id, "textDocument/diagnostic", {{"textDocument", {{"uri", uri}}}});
}

std::string tsserver_request(std::uint64_t id, const std::string& command, const std::string& uri) {
  return request(
      id, "workspace/executeCommand",
      {{"command", kTsserverCommand}, {"arguments", json::array({command, json{{"file", uri}}})}});
}

std::string plain_message(std::uint64_t id, const std::string& method) {
  json message = {{"jsonrpc", "2.0"}, {"method", method}};
  if (id != 0) message["id"] = id;
  return text(message);
}

std::string cancel_notification(std::uint64_t id) {
  return notification("$/cancelRequest", {{"id", id}});
}

std::string list_response(const std::string& raw_id, std::size_t items) {
  return response(raw_id, "result", json(items, nullptr));
}

std::string null_response(const std::string& raw_id) { return response(raw_id, "result", nullptr); }

std::string unknown_method_response(const std::string& raw_id, const std::string& method) {
  return response(raw_id, "error",
                  {{"code", kMethodNotFound}, {"message", "this client has no " + method}});
}

}  // namespace orchestrator::codec
