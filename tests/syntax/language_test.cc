#include "syntax/language.h"

#include <gtest/gtest.h>

namespace orchestrator::syntax {
namespace {

TEST(Language, OfPath) {
  EXPECT_EQ(language_of_path("a.js"), Language::javascript);
  EXPECT_EQ(language_of_path("src/App.JSX"), Language::javascript);
  EXPECT_EQ(language_of_path("/x.y/a.mts"), Language::typescript);
  EXPECT_EQ(language_of_path("a.test.tsx"), Language::tsx);
  EXPECT_EQ(language_of_path("a.pyi"), Language::python);
  EXPECT_EQ(language_of_path("a.c"), Language::c);
  EXPECT_EQ(language_of_path("a.h"), Language::cpp);
  EXPECT_EQ(language_of_path("a.hpp"), Language::cpp);
  EXPECT_EQ(language_of_path("lib.rs"), Language::rust);
  EXPECT_EQ(language_of_path("main.go"), Language::go);
  EXPECT_EQ(language_of_path("Main.java"), Language::java);
  EXPECT_EQ(language_of_path("package.json"), Language::json);
  EXPECT_EQ(language_of_path("run.sh"), Language::bash);
  EXPECT_EQ(language_of_path("Gemfile"), Language::ruby);
  EXPECT_EQ(language_of_path("index.php"), Language::php);
  EXPECT_EQ(language_of_path("C:\\src\\Program.cs"), Language::c_sharp);
}

TEST(Language, OfPathUnknown) {
  for (const char* path : {"", "/", ".", "js", ".js", "a.", "a.txt", "a.js/", "a.js/b", "README.md",
                           "tsconfig.base.json", "a/jsconfig.json", ".vscode/settings.json",
                           "a/.vscode/launch.json", "a.jsonc"}) {
    EXPECT_EQ(language_of_path(path), std::nullopt) << path;
  }
}

TEST(Language, Names) {
  for (const Language language : kLanguages) {
    EXPECT_EQ(language_from_name(language_name(language)), language);
  }
  EXPECT_EQ(language_from_name("C++"), Language::cpp);
  EXPECT_EQ(language_from_name("C#"), Language::c_sharp);
  EXPECT_EQ(language_from_name("Py"), Language::python);
  EXPECT_EQ(language_from_name("cobol"), std::nullopt);
}

}  // namespace
}  // namespace orchestrator::syntax
