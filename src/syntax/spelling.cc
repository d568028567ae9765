#include "syntax/spelling.h"

#include <algorithm>
#include <array>

namespace orchestrator::syntax {
namespace {

using Words = std::span<const std::string_view>;

constexpr std::array<Surroundings, 1> kPlain = {{{"", ""}}};
constexpr std::array<Surroundings, 3> kScript = {
    {{"", ""}, {"class Zq { ", " }"}, {"switch (zq) { ", " }"}}};
constexpr std::array<Surroundings, 4> kTyped = {
    {{"", ""}, {"class Zq { ", " }"}, {"interface Zq { ", " }"}, {"switch (zq) { ", " }"}}};
constexpr std::array<Surroundings, 5> kC = {{{"", ""},
                                             {"void zq() { ", " }"},
                                             {"void zq() { ", "; }"},
                                             {"struct Zq { ", " };"},
                                             {"void zq() { switch (zq) { ", " } }"}}};
constexpr std::array<Surroundings, 5> kRust = {{{"", ""},
                                                {"fn zq() { ", " }"},
                                                {"fn zq() { ", "; }"},
                                                {"impl Zq { ", " }"},
                                                {"fn zq() { match zq { ", " } }"}}};
// A call in a Go file's top level would be taken for a conversion.
constexpr std::array<Surroundings, 3> kGo = {{{"package zq\nfunc zq() { ", " }"},
                                              {"", ""},
                                              {"package zq\nfunc zq() { switch zq { ", " } }"}}};
constexpr std::array<Surroundings, 5> kJava = {{{"", ""},
                                                {"class Zq { void zq() { ", " } }"},
                                                {"class Zq { void zq() { ", "; } }"},
                                                {"class Zq { ", " }"},
                                                {"class Zq { Object zq = ", "; }"}}};
constexpr std::array<Surroundings, 2> kJson = {{{"", ""}, {"{", "}"}}};
constexpr std::array<Surroundings, 4> kPhp = {{{"<?php ", ""},
                                               {"<?php ", ";"},
                                               {"<?php class Zq { ", " }"},
                                               {"<?php switch ($zq) { ", " }"}}};

// An upper-case letter where a grammar tells types or constants from names by it.
constexpr std::array<std::string_view, 1> kName = {"zq"};
constexpr std::array<std::string_view, 2> kGoName = {"zq", "\"zq\""};
constexpr std::array<std::string_view, 2> kScriptSiblings = {"zq", "case zq:"};
constexpr std::array<std::string_view, 2> kPythonSiblings = {"zq", "zq: 0"};
constexpr std::array<std::string_view, 3> kCSiblings = {"zq", "zq;", "int zq;"};
constexpr std::array<std::string_view, 4> kRustSiblings = {"zq", "zq: zq", "zq => zq,", "zq;"};
constexpr std::array<std::string_view, 3> kGoSiblings = {"zq", "\"zq\"", "case zq:"};
constexpr std::array<std::string_view, 4> kJavaSiblings = {"zq", "zq;", "zq zq", "zq zq;"};
constexpr std::array<std::string_view, 1> kJsonValue = {"\"zq\""};
constexpr std::array<std::string_view, 2> kJsonSiblings = {"\"zq\"", "\"zq\":0"};
constexpr std::array<std::string_view, 2> kRubyName = {"zq", "Zq"};
constexpr std::array<std::string_view, 3> kRubySiblings = {"zq", "zq: 0", "*zq"};
constexpr std::array<std::string_view, 2> kPhpName = {"zq", "$zq"};
constexpr std::array<std::string_view, 5> kPhpSiblings = {"zq", "$zq", "zq;", "public $zq;",
                                                          "case zq:"};

Words siblings_of(Language language) {
  switch (language) {
    case Language::javascript:
    case Language::typescript:
    case Language::tsx:
      return kScriptSiblings;
    case Language::python:
      return kPythonSiblings;
    case Language::c:
    case Language::cpp:
      return kCSiblings;
    case Language::rust:
      return kRustSiblings;
    case Language::go:
      return kGoSiblings;
    case Language::java:
    case Language::c_sharp:
      return kJavaSiblings;
    case Language::json:
      return kJsonSiblings;
    case Language::bash:
      return kName;
    case Language::ruby:
      return kRubySiblings;
    case Language::php:
      return kPhpSiblings;
  }
  return kName;
}

}  // namespace

std::span<const Surroundings> surroundings_of(Language language) {
  switch (language) {
    case Language::javascript:
      return kScript;
    case Language::typescript:
    case Language::tsx:
      return kTyped;
    case Language::c:
    case Language::cpp:
      return kC;
    case Language::rust:
      return kRust;
    case Language::go:
      return kGo;
    case Language::java:
    case Language::c_sharp:
      return kJava;
    case Language::json:
      return kJson;
    case Language::php:
      return kPhp;
    case Language::python:
    case Language::bash:
    case Language::ruby:
      return kPlain;
  }
  return kPlain;
}

Words stand_ins_of(Language language, Variable::Kind kind) {
  if (kind == Variable::Kind::siblings) return siblings_of(language);
  switch (language) {
    case Language::json:
      return kJsonValue;
    case Language::ruby:
      return kRubyName;
    case Language::php:
      return kPhpName;
    case Language::go:
      return kGoName;
    case Language::javascript:
    case Language::typescript:
    case Language::tsx:
    case Language::python:
    case Language::c:
    case Language::cpp:
    case Language::rust:
    case Language::java:
    case Language::bash:
    case Language::c_sharp:
      return kName;
  }
  return kName;
}

Spelled spell(Language language, std::string_view pattern, const std::vector<Variable>& variables,
              const std::vector<std::size_t>& choice, const Surroundings& around) {
  Spelled out;
  const auto here = [&out] { return static_cast<std::uint32_t>(out.text.size()); };
  const bool opened = pattern.starts_with("<?");  // PHP that says so itself
  if (!opened) out.text = around.before;
  out.begin = here();
  std::size_t done = 0;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const Variable& variable = variables[i];
    out.text += pattern.substr(done, variable.begin - done);
    const std::uint32_t begin = here();
    out.text += stand_ins_of(language, variable.kind)[choice[i]];
    out.holes.push_back({begin, here(), &variable});
    done = variable.end;
  }
  out.text += pattern.substr(done);
  out.end = here();
  out.text += around.after;
  return out;
}

std::size_t original_offset(const Spelled& spelled, std::size_t offset) {
  if (offset <= spelled.begin) return 0;
  std::size_t spelled_at = spelled.begin;
  std::size_t original_at = 0;
  for (const Spelled::Hole& hole : spelled.holes) {
    if (offset <= hole.begin) break;
    if (offset < hole.end) return hole.variable->begin;
    spelled_at = hole.end;
    original_at = hole.variable->end;
  }
  return original_at + (std::min<std::size_t>(offset, spelled.end) - spelled_at);
}

}  // namespace orchestrator::syntax
