#include "syntax/grammar.h"

#include <cstdlib>

extern "C" {
const TSLanguage* tree_sitter_bash(void);
const TSLanguage* tree_sitter_c(void);
const TSLanguage* tree_sitter_c_sharp(void);
const TSLanguage* tree_sitter_cpp(void);
const TSLanguage* tree_sitter_go(void);
const TSLanguage* tree_sitter_java(void);
const TSLanguage* tree_sitter_javascript(void);
const TSLanguage* tree_sitter_json(void);
const TSLanguage* tree_sitter_php(void);
const TSLanguage* tree_sitter_python(void);
const TSLanguage* tree_sitter_ruby(void);
const TSLanguage* tree_sitter_rust(void);
const TSLanguage* tree_sitter_tsx(void);
const TSLanguage* tree_sitter_typescript(void);
}

namespace orchestrator::syntax {

const TSLanguage* grammar_of(Language language) {
  switch (language) {
    case Language::javascript:
      return tree_sitter_javascript();
    case Language::typescript:
      return tree_sitter_typescript();
    case Language::tsx:
      return tree_sitter_tsx();
    case Language::python:
      return tree_sitter_python();
    case Language::c:
      return tree_sitter_c();
    case Language::cpp:
      return tree_sitter_cpp();
    case Language::rust:
      return tree_sitter_rust();
    case Language::go:
      return tree_sitter_go();
    case Language::java:
      return tree_sitter_java();
    case Language::json:
      return tree_sitter_json();
    case Language::bash:
      return tree_sitter_bash();
    case Language::ruby:
      return tree_sitter_ruby();
    case Language::php:
      return tree_sitter_php();
    case Language::c_sharp:
      return tree_sitter_c_sharp();
  }
  std::abort();  // not an enumerator
}

}  // namespace orchestrator::syntax
