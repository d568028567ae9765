#include "syntax/outline.h"

#include <gtest/gtest.h>

#include <string>

namespace orchestrator::syntax {
namespace {

std::string outline(Language language, std::string_view text) {
  std::string out;
  for (const Symbol& symbol : outline_of(language, text).symbols) {
    out += std::string(symbol.depth * 2, ' ') + symbol.kind + " " + symbol.name + " " +
           std::to_string(symbol.line) + "-" + std::to_string(symbol.end_line) + "\n";
  }
  return out;
}

TEST(Outline, TypeScript) {
  EXPECT_EQ(
      outline(Language::typescript,
              "export interface A { b: string }\nexport class C<T> {\n  d = 1\n  e() {\n    "
              "function inner() {}\n  }\n}\nexport const f = () => { const g = 1 }\nconst h "
              "= 2\ntype I = A\nenum J { k }\nfunction l() {}\nnamespace M { function n() {} "
              "}\n"),
      "interface A 1-1\n  field b 1-1\nclass C 2-7\n  field d 3-3\n  method e 4-6\nfunction f "
      "8-8\nvariable h 9-9\ntype I 10-10\nenum J 11-11\nfunction l 12-12\nnamespace M 13-13\n  "
      "function n 13-13\n");
}

TEST(Outline, Python) {
  EXPECT_EQ(outline(Language::python,
                    "X = 1\nclass A(B):\n  y = 2\n  def f(self):\n    z = 1\n\ndef g(): pass\n"),
            "variable X 1-1\nclass A 2-5\n  variable y 3-3\n  method f 4-5\nfunction g 7-7\n");
}

TEST(Outline, CAndCpp) {
  EXPECT_EQ(outline(Language::c,
                    "#define M 1\nstruct a { int b; };\ntypedef int c;\nstatic int *f(int x) { "
                    "return 0; }\nint g(void);\nint h = 1;\n"),
            "macro M 1-1\nstruct a 2-2\n  field b 2-2\ntype c 3-3\nfunction f 4-4\nfunction g "
            "5-5\ndeclaration h 6-6\n");
  EXPECT_EQ(
      outline(Language::cpp,
              "namespace n {\nclass A : B {\n public:\n  void f() {}\n  int g(int);\n  int "
              "h_;\n};\nvoid A::f() {}\n}\n"),
      "namespace n 1-9\n  class A 2-7\n    method f 4-4\n    method g 5-5\n    field h_ 6-6\n "
      " function A::f 8-8\n");
}

TEST(Outline, RustAndGo) {
  EXPECT_EQ(outline(Language::rust,
                    "struct A { b: u8 }\nimpl T for A {\n  fn f(&self) {}\n}\nfn g() { fn h() {} "
                    "}\nmod m { const C: u8 = 1; }\n"),
            "struct A 1-1\nimpl T for A 2-4\n  function f 3-3\nfunction g 5-5\nmodule m 6-6\n  "
            "constant C 6-6\n");
  EXPECT_EQ(outline(Language::go,
                    "package a\ntype B struct { c int }\nfunc (b *B) F() {}\nfunc g() { x := 1 "
                    "}\nconst D = 1\nvar e int\n"),
            "type B 2-2\nmethod (b *B) F 3-3\nfunction g 4-4\nconstant D 5-5\nvariable e 6-6\n");
}

TEST(Outline, JavaAndCSharp) {
  EXPECT_EQ(
      outline(Language::java,
              "class A {\n  int b = 1;\n  A() {}\n  int f() { int x = 1; return x; }\n  enum E "
              "{ X, Y }\n}\n"),
      "class A 1-6\n  field b 2-2\n  constructor A 3-3\n  method f 4-4\n  enum E 5-5\n    "
      "constant X 5-5\n    constant Y 5-5\n");
  EXPECT_EQ(outline(Language::c_sharp,
                    "namespace N {\n  class A {\n    int b;\n    int C { get; set; }\n    void F() "
                    "{ int x = 1; }\n  }\n}\n"),
            "namespace N 1-7\n  class A 2-6\n    field b 3-3\n    property C 4-4\n    method F "
            "5-5\n");
}

TEST(Outline, JsonBashRubyPhp) {
  EXPECT_EQ(outline(Language::json, "{\"a\": {\"b\": {\"c\": 1}}, \"d\": [{\"e\": 1}]}"),
            "key a 1-1\n  key b 1-1\nkey d 1-1\n  key e 1-1\n");
  EXPECT_EQ(outline(Language::bash, "X=1\nf() {\n  y=2\n}\n"), "variable X 1-1\nfunction f 2-4\n");
  EXPECT_EQ(
      outline(Language::ruby,
              "module M\n  class A\n    B = 1\n    def f\n      x = 1\n    end\n  end\nend\n"),
      "module M 1-8\n  class A 2-7\n    constant B 3-3\n    method f 4-6\n");
  EXPECT_EQ(outline(Language::php,
                    "<?php\nclass A {\n  public $b = 1;\n  function f() {}\n}\nfunction g() {}\n"),
            "class A 2-5\n  property $b 3-3\n  method f 4-4\nfunction g 6-6\n");
}

TEST(Outline, IsBoundedAndSaysWhatItSkips) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "function f() {}\n";
  const Outline some = outline_of(Language::javascript, text, 10);
  EXPECT_EQ(some.symbols.size(), 10U);
  EXPECT_TRUE(some.more);
  EXPECT_EQ(outline_of(Language::javascript, std::string("a\0", 2)).skipped, Skipped::binary);
  Limits limits;
  limits.time_max = std::chrono::milliseconds(200);
  (void)outline_of(Language::cpp, std::string(900'000, '{'), 10, limits);
  (void)outline_of(Language::python, std::string(100'000, '(') + "\x01", 10, limits);
}

}  // namespace
}  // namespace orchestrator::syntax
