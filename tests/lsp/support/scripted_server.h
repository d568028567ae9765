#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lsp/framing.h"
#include "lsp/server.h"

namespace orchestrator::lsp {

/// Keeps what a client says, message by message.
struct Heard {
  FrameReader reader;
  std::vector<nlohmann::json> messages;

  void take(const std::string& bytes) {
    reader.push(bytes);
    while (const auto body = reader.next()) messages.push_back(nlohmann::json::parse(*body));
    EXPECT_EQ(reader.fault(), "");
  }
  [[nodiscard]] std::vector<nlohmann::json> all(const std::string& method) const {
    std::vector<nlohmann::json> found;
    for (const auto& message : messages) {
      if (message.value("method", "") == method) found.push_back(message);
    }
    return found;
  }
  [[nodiscard]] nlohmann::json last(const std::string& method) const {
    const auto found = all(method);
    return found.empty() ? nlohmann::json() : found.back();
  }
};

inline std::string framed(const nlohmann::json& message) { return frame(message.dump()); }

inline nlohmann::json diagnostic(int line, const std::string& message, int severity = 1) {
  return {{"range",
           {{"start", {{"line", line}, {"character", 4}}},
            {"end", {{"line", line}, {"character", 5}}}}},
          {"severity", severity},
          {"code", "c1"},
          {"message", message}};
}

inline nlohmann::json published(const std::string& uri, std::optional<int> version,
                                nlohmann::json diagnostics) {
  nlohmann::json params = {{"uri", uri}, {"diagnostics", std::move(diagnostics)}};
  if (version) params["version"] = *version;
  return {{"jsonrpc", "2.0"}, {"method", "textDocument/publishDiagnostics"}, {"params", params}};
}

inline nlohmann::json answer(const nlohmann::json& request, nlohmann::json result) {
  return {{"jsonrpc", "2.0"}, {"id", request["id"]}, {"result", std::move(result)}};
}

}  // namespace orchestrator::lsp
