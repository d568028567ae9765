#include "lsp/profile.h"

#include <algorithm>
#include <array>

namespace orchestrator::lsp {
namespace {

constexpr std::array kLanguages{
    Language{"cpp", "C and C++"},         Language{"go", "Go"},
    Language{"python", "Python"},         Language{"rust", "Rust"},
    Language{"typescript", "TypeScript"},
};

struct Ending {
  std::string_view text;
  FileKind kind;
};

/// JavaScript without a configuration has no types to check; the parser checks its syntax without a
/// server.
constexpr std::array kEndings{
    Ending{".ts", {"typescript", "typescript"}},
    Ending{".mts", {"typescript", "typescript"}},
    Ending{".cts", {"typescript", "typescript"}},
    Ending{".tsx", {"typescript", "typescriptreact"}},
    Ending{".js", {"typescript", "javascript", true}},
    Ending{".mjs", {"typescript", "javascript", true}},
    Ending{".cjs", {"typescript", "javascript", true}},
    Ending{".jsx", {"typescript", "javascriptreact", true}},
    Ending{".c", {"cpp", "c"}},
    Ending{".h", {"cpp", "cpp", true}},
    Ending{".cc", {"cpp", "cpp"}},
    Ending{".cpp", {"cpp", "cpp"}},
    Ending{".cxx", {"cpp", "cpp"}},
    Ending{".hh", {"cpp", "cpp", true}},
    Ending{".hpp", {"cpp", "cpp", true}},
    Ending{".py", {"python", "python"}},
    Ending{".go", {"go", "go"}},
    Ending{".rs", {"rust", "rust"}},
};

constexpr std::array<std::string_view, 2> kTypeScriptFiles{"tsconfig.json", "jsconfig.json"};
constexpr std::array<std::string_view, 5> kCppFiles{
    "compile_commands.json", "build/compile_commands.json", "compile_flags.txt", ".clangd",
    "build/.clangd"};
constexpr std::array<std::string_view, 4> kPythonFiles{"pyproject.toml", "pyrightconfig.json",
                                                       "setup.py", "setup.cfg"};
constexpr std::array<std::string_view, 2> kGoFiles{"go.mod", "go.work"};
constexpr std::array<std::string_view, 1> kRustFiles{"Cargo.toml"};

bool is_one_of(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::ranges::find(codes, code) != codes.end();
}

/// TypeScript's error codes for a module without types and for names that the types of a runtime or
/// a test runner define.
bool is_typescript_surroundings(const codec::ServerDiagnostic& found) {
  if (is_one_of(found.code, {"2580", "2581", "2582", "2591", "2592", "2593", "2688", "2792", "7016",
                             "2875", "2867", "2868"})) {
    return true;
  }
  // A module: of a package, it may not be installed yet; a file of the project's own must be there.
  const bool relative = found.message.find("'.") != std::string::npos;
  return found.code == "2307" && !relative;
}

}  // namespace

std::span<const Language> languages() { return kLanguages; }

std::vector<Profile> profiles_of(std::string_view language) {
  if (language == "cpp") {
    return {{"cpp", "clangd", {"--background-index=0", "--log=error", "-j=2"}, "", 0}};
  }
  if (language == "go") return {{"go", "gopls", {}, "", 1000}};
  if (language == "rust") {
    return {{"rust", "rust-analyzer", {}, R"({"checkOnSave":false,"files":{"watcher":"server"}})"}};
  }
  if (language == "python") {
    return {{"python", "basedpyright-langserver", {"--stdio"}, ""},
            {"python", "pyright-langserver", {"--stdio"}, ""},
            {"python", "pylsp", {}, "", 800}};
  }
  if (language == "typescript") {
    // Without this the server fetches types from the network and runs a second process.
    return {{"typescript",
             "typescript-language-server",
             {"--stdio"},
             R"({"disableAutomaticTypingAcquisition":true,"tsserver":{"useSyntaxServer":"never"}})",
             1000}};
  }
  return {};
}

FileKind kind_of(std::string_view path) {
  const auto found = std::ranges::find_if(
      kEndings, [&](const Ending& ending) { return path.ends_with(ending.text); });
  return found == kEndings.end() ? FileKind{} : found->kind;
}

std::span<const std::string_view> configuration_files(std::string_view language) {
  if (language == "typescript") return kTypeScriptFiles;
  if (language == "cpp") return kCppFiles;
  if (language == "python") return kPythonFiles;
  if (language == "go") return kGoFiles;
  if (language == "rust") return kRustFiles;
  return {};
}

bool is_about_surroundings(std::string_view language, bool configured,
                           const codec::ServerDiagnostic& found) {
  if (language == "typescript") return is_typescript_surroundings(found);
  if (language == "python") {
    // The server sees only the environment in which it was started.
    return is_one_of(found.code, {"reportMissingImports", "reportMissingModuleSource",
                                  "reportMissingTypeStubs", "reportAttributeAccessIssue"}) &&
           (found.code != "reportAttributeAccessIssue" || !configured);
  }
  if (language == "cpp") {
    // One header that is not found makes errors of everything behind it; see `LanguageServers`.
    return !configured && (found.code == "pp_file_not_found" ||
                           found.message.find("file not found") != std::string::npos);
  }
  if (language == "go") {
    return found.message.find("could not import") != std::string::npos || !configured;
  }
  if (language == "rust") return !configured;
  return false;
}

}  // namespace orchestrator::lsp
