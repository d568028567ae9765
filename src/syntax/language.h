// The languages whose syntax can be checked, and the language of a path.

#ifndef ORCHESTRATOR_SYNTAX_LANGUAGE_H_
#define ORCHESTRATOR_SYNTAX_LANGUAGE_H_

#include <array>
#include <optional>
#include <string_view>

namespace orchestrator::syntax {

enum class Language {
  javascript,  // and JSX
  typescript,
  tsx,
  python,
  c,
  cpp,
  rust,
  go,
  java,
  json,
  bash,
  ruby,
  php,
  c_sharp,
};

inline constexpr std::array kLanguages = {
    Language::javascript, Language::typescript, Language::tsx, Language::python,  Language::c,
    Language::cpp,        Language::rust,       Language::go,  Language::java,    Language::json,
    Language::bash,       Language::ruby,       Language::php, Language::c_sharp,
};

/// `javascript`, `cpp`, `c_sharp`: the name of the enumerator.
[[nodiscard]] std::string_view language_name(Language language);

/// The language of a name in any letter case, or of a usual other name (`js`,
/// `py`, `c++`, `c#`, `sh`).
[[nodiscard]] std::optional<Language> language_from_name(std::string_view name);

/// The language of a file, by its name alone (the file is not read). `.h` is C++: its grammar takes
/// almost all of C, and the other way round nearly every header would be "broken". JSON with
/// comments (`.jsonc`, `tsconfig.json`) has none, since what is an error in JSON may be right
/// there.
[[nodiscard]] std::optional<Language> language_of_path(std::string_view path);

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_LANGUAGE_H_
