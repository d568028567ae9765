#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/language_server.h"

/// The supported language servers and the settings for each.
namespace orchestrator::lsp {

/// A language of the configuration's `lsp` key.
struct Language {
  std::string_view name;   ///< the key: "typescript"
  std::string_view label;  ///< for people: "TypeScript"
};

struct Profile {
  std::string_view language;           ///< `Language::name`
  std::string_view server;             ///< for people, and the name of the program
  std::vector<std::string> arguments;  ///< after the program
  std::string_view settings;           ///< `initializationOptions`, a JSON text; empty: none
  /// How long nothing more must come before published diagnostics count as all of them. A server
  /// that publishes once for each version needs no such time.
  std::uint64_t settle_ms = 400;
};

[[nodiscard]] std::span<const Language> languages();
/// The servers of a language, the best first.
[[nodiscard]] std::vector<Profile> profiles_of(std::string_view language);

/// The language of a path, by its extension: the key in the configuration, and LSP's name for it.
struct FileKind {
  std::string_view language;  ///< empty: none that we know a server for
  std::string_view id;        ///< `languageId`
  /// Such a file is checked only with a configuration file beside or above it.
  bool needs_configuration = false;
};
[[nodiscard]] FileKind kind_of(std::string_view path);
/// Names of the configuration files that a language's server reads; one of them is enough.
[[nodiscard]] std::span<const std::string_view> configuration_files(std::string_view language);

/// Whether an error is about the server's environment (a package that is not installed, a header
/// without an include path) and not about the file. `configured`: one of
/// `configuration_files` was found.
[[nodiscard]] bool is_about_surroundings(std::string_view language, bool configured,
                                         const codec::ServerDiagnostic& found);

}  // namespace orchestrator::lsp
