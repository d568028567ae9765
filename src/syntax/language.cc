#include "syntax/language.h"

#include <cstdlib>
#include <string>
#include <utility>

namespace orchestrator::syntax {
namespace {

using Word = std::pair<std::string_view, Language>;

constexpr Word kExtensions[] = {
    {"js", Language::javascript},  {"mjs", Language::javascript}, {"cjs", Language::javascript},
    {"jsx", Language::javascript}, {"ts", Language::typescript},  {"mts", Language::typescript},
    {"cts", Language::typescript}, {"tsx", Language::tsx},        {"py", Language::python},
    {"pyi", Language::python},     {"pyw", Language::python},     {"c", Language::c},
    {"h", Language::cpp},          {"cc", Language::cpp},         {"cpp", Language::cpp},
    {"cxx", Language::cpp},        {"c++", Language::cpp},        {"hh", Language::cpp},
    {"hpp", Language::cpp},        {"hxx", Language::cpp},        {"h++", Language::cpp},
    {"rs", Language::rust},        {"go", Language::go},          {"java", Language::java},
    {"json", Language::json},      {"sh", Language::bash},        {"bash", Language::bash},
    {"rb", Language::ruby},        {"rake", Language::ruby},      {"gemspec", Language::ruby},
    {"php", Language::php},        {"cs", Language::c_sharp},
};

constexpr Word kFileNames[] = {
    {"gemfile", Language::ruby},  {"rakefile", Language::ruby},      {".bashrc", Language::bash},
    {".profile", Language::bash}, {".bash_profile", Language::bash},
};

constexpr Word kOtherNames[] = {
    {"js", Language::javascript},  {"jsx", Language::javascript},  {"node", Language::javascript},
    {"ts", Language::typescript},  {"py", Language::python},       {"python3", Language::python},
    {"c++", Language::cpp},        {"cxx", Language::cpp},         {"rs", Language::rust},
    {"golang", Language::go},      {"sh", Language::bash},         {"shell", Language::bash},
    {"rb", Language::ruby},        {"c#", Language::c_sharp},      {"cs", Language::c_sharp},
    {"csharp", Language::c_sharp}, {"c-sharp", Language::c_sharp},
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

template <std::size_t N>
std::optional<Language> find(const Word (&words)[N], std::string_view word) {
  for (const auto& [name, language] : words) {
    if (name == word) return language;
  }
  return std::nullopt;
}

bool has_comments(std::string_view json_file_name) {
  return json_file_name.starts_with("tsconfig") || json_file_name.starts_with("jsconfig") ||
         json_file_name.starts_with("devcontainer");
}

}  // namespace

std::string_view language_name(Language language) {
  switch (language) {
    case Language::javascript:
      return "javascript";
    case Language::typescript:
      return "typescript";
    case Language::tsx:
      return "tsx";
    case Language::python:
      return "python";
    case Language::c:
      return "c";
    case Language::cpp:
      return "cpp";
    case Language::rust:
      return "rust";
    case Language::go:
      return "go";
    case Language::java:
      return "java";
    case Language::json:
      return "json";
    case Language::bash:
      return "bash";
    case Language::ruby:
      return "ruby";
    case Language::php:
      return "php";
    case Language::c_sharp:
      return "c_sharp";
  }
  return {};
}

std::optional<Language> language_from_name(std::string_view name) {
  const std::string word = lower(name);
  for (const Language language : kLanguages) {
    if (language_name(language) == word) return language;
  }
  return find(kOtherNames, word);
}

std::optional<Language> language_of_path(std::string_view path) {
  const std::size_t slash = path.find_last_of("/\\");
  const std::string_view directory = slash == std::string_view::npos ? "" : path.substr(0, slash);
  const std::string file = lower(slash == std::string_view::npos ? path : path.substr(slash + 1));
  if (const auto language = find(kFileNames, file)) return language;
  const std::size_t dot = file.rfind('.');
  if (dot == std::string::npos || dot == 0) return std::nullopt;
  const auto language = find(kExtensions, std::string_view(file).substr(dot + 1));
  const bool settings = directory == ".vscode" || directory.ends_with("/.vscode");
  if (language == Language::json && (settings || has_comments(file))) return std::nullopt;
  return language;
}

}  // namespace orchestrator::syntax
