#include "syntax/pattern.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "syntax/search.h"

namespace orchestrator::syntax {
namespace {

/// The texts of all matches.
std::vector<std::string> matches(Language language, std::string_view pattern,
                                 std::string_view text) {
  const auto search = Search::for_pattern(language, pattern);
  if (!search.ok()) return {"no pattern: " + search.error().text()};
  std::vector<std::string> out;
  for (const Found& found : search.value().run(text).found)
    out.emplace_back(text.substr(found.span.begin, found.own_end - found.span.begin));
  return out;
}

std::string capture(Language language, std::string_view pattern, std::string_view text,
                    std::string_view name) {
  const auto search = Search::for_pattern(language, pattern);
  if (!search.ok()) return "no pattern: " + search.error().text();
  const auto found = search.value().run(text).found;
  if (found.empty()) return "no match";
  for (const auto& one : found.front().captures) {
    if (one.name == name)
      return std::string(text.substr(one.span.begin, one.span.end - one.span.begin));
  }
  return "no capture";
}

std::string refusal(Language language, std::string_view pattern) {
  const auto compiled = compile_pattern(language, pattern);
  return compiled.ok() ? "" : compiled.error().text();
}

using Texts = std::vector<std::string>;

TEST(Variables, AreUpperCaseAndStandAlone) {
  const auto names = [](std::string_view text) {
    Texts out;
    for (const Variable& variable : variables_in(text)) {
      const char* sigils = variable.kind == Variable::Kind::siblings ? "$$$"
                           : variable.kind == Variable::Kind::any    ? "$$"
                                                                     : "$";
      out.push_back(sigils + variable.name);
    }
    return out;
  };
  EXPECT_EQ(names("$A + $$B1 + f($$$REST) + $_ + $_X + $$$"),
            (Texts{"$A", "$$B1", "$$$REST", "$", "$", "$$$"}));
  EXPECT_EQ(names("$a $Abc x$A $1 $ $$ $$$$A `${A}` $A$B"), Texts{});
}

TEST(Pattern, OneNode) {
  EXPECT_EQ(matches(Language::javascript, "foo($A)", "foo(1); foo(1, 2); foo(); bar(foo(x))"),
            (Texts{"foo(1)", "foo(x)"}));
  EXPECT_EQ(capture(Language::javascript, "foo($A)", "foo( a . b )", "A"), "a . b");
}

TEST(Pattern, AnyNumberOfSiblings) {
  const char* text = "foo(); foo(1); foo(1, 2, 3)";
  EXPECT_EQ(matches(Language::javascript, "foo($$$)", text),
            (Texts{"foo()", "foo(1)", "foo(1, 2, 3)"}));
  EXPECT_EQ(capture(Language::javascript, "foo(1, $$$REST)", text, "REST"), "2, 3");
  EXPECT_EQ(capture(Language::javascript, "foo($$$A)", "foo()", "A"), "");
}

TEST(Pattern, SiblingsTakeWhatTheRestLeavesThem) {
  EXPECT_EQ(capture(Language::javascript, "f($$$A, $B)", "f(1, 2, 3)", "B"), "3");
  EXPECT_EQ(capture(Language::javascript, "f($$$A, $B)", "f(1, 2, 3)", "A"), "1, 2");
  EXPECT_EQ(matches(Language::javascript, "f($$$A, x, $$$B)", "f(1, x, 2); f(1, y, 2); f(x)"),
            (Texts{"f(1, x, 2)"}));
}

TEST(Pattern, ANameUsedTwiceStandsForEqualCode) {
  EXPECT_EQ(matches(Language::typescript, "$A === $A", "a === b; c.d === c . d; x === x /*!*/"),
            (Texts{"c.d === c . d", "x === x"}));
  EXPECT_EQ(matches(Language::python, "f($$$A, g($$$A))", "f(1, 2, g(1, 3)); f(1, 2, g(1,2))"),
            (Texts{"f(1, 2, g(1,2))"}));
}

TEST(Pattern, TokensAreSignificantAndCommentsAreNot) {
  EXPECT_EQ(matches(Language::javascript, "let $A = $B", "let a = 1; const b = 2; var c = 3"),
            (Texts{"let a = 1"}));
  EXPECT_EQ(matches(Language::javascript, "f(a, b)", "f(/* x */ a, // y\n b)").size(), 1U);
  // What a function has beyond the pattern (async) does not matter; what the pattern asks for does.
  EXPECT_EQ(
      matches(Language::javascript, "function $F() { $$$ }", "async function f() { g() }").size(),
      1U);
  EXPECT_EQ(matches(Language::javascript, "async function $F() { $$$ }", "function f() { g() }"),
            Texts{});
}

TEST(Pattern, FieldsAreSignificant) {
  EXPECT_EQ(
      matches(Language::go, "func f($$$A) $R", "package p\nfunc f() int\nfunc g() int\n").size(),
      1U);
}

TEST(Pattern, InAllLanguages) {
  struct Case {
    Language language;
    const char* pattern;
    const char* text;
    std::size_t matches;
  };
  const Case cases[] = {
      {Language::javascript, "class $C { $$$M }", "class A {} class B { m() {} n = 1 }", 2},
      {Language::typescript, "interface $I { $$$M }", "interface A { b: string }", 1},
      {Language::typescript, "$F<$T>($A)", "f<string>(1); f(1)", 1},
      {Language::tsx, "<Foo $$$P>$$$C</Foo>", "const a = <Foo a={1}>x <b/></Foo>", 1},
      {Language::python, "def $F($$$A): $$$B", "def f(a, b):\n  return a\n", 1},
      {Language::python, "{\"a\": $A, $$$R}", "x = {\"a\": 1, \"b\": 2}", 1},
      {Language::c, "foo($A)", "int f(void) { return foo(1) + foo(2); }", 2},
      {Language::c, "struct $S { $$$F };", "struct a { int b; int c; };", 1},
      {Language::c, "if ($A) { $$$B }", "int f(void) { if (1) { f(); f(); } }", 1},
      {Language::cpp, "std::vector<$T> $N;", "std::vector<int> a; std::list<int> b;", 1},
      {Language::cpp, "$A->foo($$$B)", "void f() { a->foo(1, 2); a.foo(1); }", 1},
      {Language::rust, "$A.unwrap()", "fn f() { a().unwrap(); b.unwrap(); }", 2},
      {Language::rust, "fn $F($$$A) { $$$B }", "fn f(a: u8) { g(); } fn h() {}", 2},
      {Language::rust, "struct $S { $$$F }", "struct A { b: u8, c: u8 }", 1},
      {Language::rust, "match $X { $$$ARMS }", "fn f() { match a { 1 => 2, _ => 3 } }", 1},
      {Language::go, "if err != nil { $$$B }", "package a\nfunc f() { if err != nil { return } }",
       1},
      {Language::go, "fmt.Println($A)", "package a\nfunc f() { fmt.Println(1) }", 1},
      {Language::go, "type $T struct { $$$F }", "package a\ntype A struct {\n B int\n}\n", 1},
      {Language::java, "$A.equals($B)", "class A { boolean f() { return a.equals(b); } }", 1},
      {Language::java, "public $T $F($$$A) { $$$B }",
       "class A { public int f(int a) { return a; } }", 1},
      {Language::java, "class $C { $$$M }", "class A { int b; }", 1},
      {Language::json, "{\"a\": $A, $$$R}", "{\"a\": [1], \"b\": 2}", 1},
      {Language::json, "\"a\": $A", "{\"a\": [1], \"b\": {\"a\": 2}}", 2},
      {Language::bash, "echo $$$A", "echo a \"$b\"\nprintf c\n", 1},
      {Language::ruby, "puts $A", "puts 1\nputs \"a\"\np 1\n", 2},
      {Language::ruby, "class $C\n$$$B\nend", "class A\n  def b; end\nend\n", 1},
      {Language::php, "foo($A)", "<?php foo(1); foo($b); foo();", 2},
      {Language::php, "$A = $B", "<?php $a = 1; $b->c = 2;", 2},
      {Language::php, "class $C { $$$M }", "<?php class A { public $b; function c() {} }", 1},
      {Language::c_sharp, "Foo($A)", "class A { void B() { Foo(1); Foo(2, 3); } }", 1},
      {Language::c_sharp, "class $C { $$$M }", "class A { int b; void C() {} }", 1},
  };
  for (const Case& one : cases) {
    const Texts found = matches(one.language, one.pattern, one.text);
    EXPECT_EQ(found.size(), one.matches) << language_name(one.language) << ": " << one.pattern
                                         << ": " << testing::PrintToString(found);
  }
}

TEST(Pattern, TheInnerAndTheOuterMatchAreBothFound) {
  EXPECT_EQ(matches(Language::javascript, "f($A)", "f(f(1))"), (Texts{"f(f(1))", "f(1)"}));
}

TEST(Pattern, RefusalsSayWhatAndWhere) {
  EXPECT_NE(refusal(Language::javascript, "foo(").find("does not parse as javascript"),
            std::string::npos);
  EXPECT_NE(refusal(Language::javascript, "foo($A) bar baz(").find("byte "), std::string::npos);
  EXPECT_NE(refusal(Language::javascript, " ").find("empty"), std::string::npos);
  EXPECT_NE(refusal(Language::javascript, "$A").find("matches everything"), std::string::npos);
  EXPECT_NE(refusal(Language::javascript, "$$$A").find("matches everything"), std::string::npos);
  EXPECT_NE(refusal(Language::javascript, "a(); b()").find("several nodes"), std::string::npos);
  EXPECT_NE(refusal(Language::javascript, std::string(5000, 'a')).find("4096 bytes"),
            std::string::npos);
  EXPECT_NE(refusal(Language::javascript, std::string("a\0b", 3)).find("UTF-8"), std::string::npos);
  std::string many = "f(";
  for (int i = 0; i < 40; ++i) many += "$A" + std::to_string(i) + ", ";
  EXPECT_NE(refusal(Language::javascript, many + "1)").find("metavariables"), std::string::npos);
  EXPECT_NE(refusal(Language::python, "def $f(:").find("$UPPER_CASE"), std::string::npos);
}

TEST(Pattern, DeepNestingIsRefused) {
  const std::string deep = std::string(1500, '(') + "a" + std::string(1500, ')');
  EXPECT_NE(refusal(Language::javascript, deep), "");
}

TEST(Pattern, LiteralsAreWhatEveryMatchHolds) {
  const auto compiled = compile_pattern(Language::typescript, "export const $A = useState($B)");
  ASSERT_TRUE(compiled.ok());
  EXPECT_EQ(compiled.value().literals,
            (std::vector<Literal>{{"useState", true}, {"export", true}, {"const", true}}));
}

}  // namespace
}  // namespace orchestrator::syntax
