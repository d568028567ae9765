#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The messages of the Language Server Protocol that the client speaks (src/lsp): JSON-RPC bodies,
/// without their header.
namespace orchestrator::codec {

/// A server's diagnostic for a place in a file.
struct ServerDiagnostic {
  enum class Severity { error = 1, warning = 2, information = 3, hint = 4 };
  Severity severity = Severity::error;  ///< a server that names none means an error
  std::uint32_t line = 0;               ///< from 0
  std::uint32_t column = 0;             ///< from 0, in UTF-16 units
  std::string code;
  std::string message;  ///< at most 1 kB of it
  bool operator==(const ServerDiagnostic&) const = default;
};

/// A parsed message of a server. Servers are untrusted: a field that is missing or has another type
/// keeps its default.
struct ServerMessage {
  enum class Kind { invalid, response, request, notification };
  Kind kind = Kind::invalid;
  std::string problem;  ///< of an invalid one

  std::uint64_t id = 0;  ///< of a response: our request's number, 0 for an id that is not ours
  std::string raw_id;    ///< of a request: to be given back as it is
  std::string method;    ///< of a request or a notification
  bool failed = false;   ///< of a response
  std::string error;     ///< of a failed response, at most 300 bytes of it
  bool again = false;    ///< of a failed response: the request may be repeated later

  bool pulls = false;              ///< `initialize`: it answers textDocument/diagnostic
  bool tsserver_requests = false;  ///< `initialize`: it passes requests on to tsserver

  std::size_t items = 0;                ///< `workspace/configuration`: how many values it asks for
  std::string uri;                      ///< `textDocument/publishDiagnostics`
  std::optional<std::int64_t> version;  ///< `textDocument/publishDiagnostics`
  /// Published, or the result of a pull or of a tsserver request.
  std::optional<std::vector<ServerDiagnostic>> diagnostics;
};

/// Never throws but bad_alloc. Texts over 16 MiB and brackets nested too deep are invalid.
[[nodiscard]] ServerMessage decode_server_message(std::string_view body);

// ---- what the client says; invalid UTF-8 is replaced

/// `settings`: the server's own initialization options, a JSON text; empty: none.
[[nodiscard]] std::string initialize_request(std::uint64_t id, const std::string& root_uri,
                                             std::int64_t process, const std::string& settings);
[[nodiscard]] std::string initialized_notification();
[[nodiscard]] std::string open_notification(const std::string& uri, const std::string& language,
                                            std::int64_t version, const std::string& text);
[[nodiscard]] std::string change_notification(const std::string& uri, std::int64_t version,
                                              const std::string& text);
[[nodiscard]] std::string close_notification(const std::string& uri);
[[nodiscard]] std::string files_changed_notification(const std::vector<std::string>& uris);
[[nodiscard]] std::string pull_request(std::uint64_t id, const std::string& uri);
/// A request that typescript-language-server hands to tsserver, e.g. "semanticDiagnosticsSync".
[[nodiscard]] std::string tsserver_request(std::uint64_t id, const std::string& command,
                                           const std::string& uri);
/// A request or, with id 0, a notification without parameters.
[[nodiscard]] std::string plain_message(std::uint64_t id, const std::string& method);
[[nodiscard]] std::string cancel_notification(std::uint64_t id);
/// The answer to a server's request: `items` times null as a list, null, or "no such method".
[[nodiscard]] std::string list_response(const std::string& raw_id, std::size_t items);
[[nodiscard]] std::string null_response(const std::string& raw_id);
[[nodiscard]] std::string unknown_method_response(const std::string& raw_id,
                                                  const std::string& method);

}  // namespace orchestrator::codec
