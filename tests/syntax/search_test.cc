#include "syntax/search.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace orchestrator::syntax {
namespace {

Search search_for(Language language, std::string_view pattern) {
  auto search = Search::for_pattern(language, pattern);
  EXPECT_TRUE(search.ok()) << search.error().text();
  return std::move(search).value();
}

std::string refusal(std::string_view query) {
  const auto search = Search::for_query(Language::javascript, query);
  return search.ok() ? "" : search.error().text();
}

std::size_t count(std::string_view query, std::string_view text) {
  const auto search = Search::for_query(Language::javascript, query);
  EXPECT_TRUE(search.ok()) << search.error().text();
  return search.ok() ? search.value().run(text).found.size() : 0;
}

TEST(Search, PlacesAreOfTheFile) {
  const std::string text =
      "\xEF\xBB\xBF// a\r\n\r\n  foo(1);\r\nfunction f() {\r\n  foo(2)\r\n}\r\n";
  const auto found = search_for(Language::typescript, "foo($A)").run(text).found;
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].line, 3U);
  EXPECT_EQ(found[0].column, 3U);
  EXPECT_EQ(text.substr(found[0].span.begin, 6), "foo(1)");
  EXPECT_EQ(found[1].line, 5U);
  EXPECT_EQ(text.substr(found[1].captures[0].span.begin, 1), "2");
}

TEST(Search, WithoutItsLiteralsATextIsNotParsed) {
  const Search search = search_for(Language::typescript, "foo($A)");
  EXPECT_EQ(search.run("bar(1); food(2); xfoo(3)").parsed_bytes, 0U);
  EXPECT_EQ(search.run("foo(1)").parsed_bytes, 6U);
}

TEST(Search, OnlyTheStatementsThatMayMatchAreParsed) {
  const std::string text =
      "export const a = 1\n// foo(0)\nexport const b = () => {\n  foo(2)\n}\n\nexport const c = "
      "3\n";
  const auto result = search_for(Language::typescript, "foo($A)").run(text);
  ASSERT_EQ(result.found.size(), 1U);
  EXPECT_EQ(result.found[0].line, 4U);
  EXPECT_LT(result.parsed_bytes, text.size() / 2);
}

/// Texts that a tokenizer could take for something else.
TEST(Search, ThePrefilterChangesNoResult) {
  const char* texts[] = {
      "const a = b / foo(1) / c\nconst d = 2\n",
      "const a = /foo(1)'/\nconst d = foo(2) // '\n",
      "const a = `x${`y${foo(1)}`}`\nconst b = 1\n",
      "if (a) /'/.test(foo(1))\nconst b = '/'\n",
      "const a = (b) / 2\nconst c = foo(1) / 3\n",
      "const a = {}\n/foo(1)/g\nconst b = foo(2)\n",
      "@dec(foo(1))\nexport class A {}\nexport class B { x = foo(2) }\n",
      "const a = b as\nfoo(1)\nconst c = 1\n",
      "type A = B |\n  C\nfunction f(): A<{\n  x: 1 }> { foo(1) }\nlet x\n",
      "export default\nfunction f() { foo(1) }\nexport const a = 1\n",
      "const a = b++ / foo(1)\nconst c = 1 /2/ foo(3)\n",
      "class A {\n  return(x) { foo(1) }\n  if(x) { foo(2) }\n}\nconst a = 1\n",
      "const a = {\n  foo(1) {}\n}\nconst b = 1\n",
      "switch (a) {\n  case 1:\n    foo(1)\n    return foo(2)\n  default:\n    foo(3)\n}\nlet b\n",
      "foo(1)\n<!-- foo(2)\nlet a = foo(3)\n",
      "let a = 1\nfoo(",
      "const a = <T,>(x: T) => foo(x)\nconst b = x! / foo(1) / 2\n",
      "const a = 1 /* foo(1) */, b = foo(2)\nlet c = '\\\nfoo(3)'\nlet d = foo(4)\n",
      "function f() {\n  const a = 1\n  return foo(1)\n}\nfunction g() {\n  throw foo(2)\n}\n",
      "do\n  foo(1)\nwhile (a)\nconst b = foo(2)\n",
      "label: {\n  const a = foo(1)\n}\nlet c\n",
      "const a = <B<C>>{\n  foo\n}\nconst d = <E> {\n  return: foo(1)\n}\nlet f\n",
      "class A extends b({\n  foo: foo(1)\n}) {\n  x = foo(2)\n  y = 1\n}\nlet c\n",
      "function f(): void {\n  foo(1)\n  return foo(2)\n}\nlet g\n",
      "function f() {\n  @d(foo(1))\n  class A {}\n  return foo(2)\n}\nlet g\n",
  };
  for (const char* pattern :
       {"foo($A)", "foo($$$A)", "if ($A) { $$$B }", "return $A", "throw $A", "const $A = $B",
        "class $A { $$$B }", "$A.test(foo($B))", "x = $A", "foo: $A", "foo"}) {
    for (const Language language : {Language::javascript, Language::typescript, Language::tsx}) {
      const Search search = search_for(language, pattern);
      for (const char* text : texts) {
        SearchLimits limits;
        const auto filtered = search.run(text, limits).found;
        limits.prefilter = false;
        EXPECT_EQ(filtered, search.run(text, limits).found)
            << language_name(language) << ": " << pattern << " in " << text;
      }
    }
  }
}

TEST(Search, IsBounded) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "foo(1)\n";
  SearchLimits limits;
  limits.found_max = 10;
  const auto result = search_for(Language::javascript, "foo($A)").run(text, limits);
  EXPECT_EQ(result.found.size(), 10U);
  EXPECT_TRUE(result.more);
}

TEST(Search, SaysWhatItSkips) {
  const Search search = search_for(Language::javascript, "foo($A)");
  EXPECT_EQ(search.run(std::string("foo(1)\0", 7)).skipped, Skipped::binary);
  EXPECT_EQ(search.run("foo('\xff')").skipped, Skipped::not_utf8);
  EXPECT_EQ(search.run("foo(1)" + std::string(2U << 20U, ' ')).skipped, Skipped::too_large);
}

TEST(Search, HostileTextsEnd) {
  const auto began = std::chrono::steady_clock::now();
  const std::string text_ends[] = {"foo(1)", "foo(", "'", "`${", "/*"};
  for (const Language language : {Language::typescript, Language::cpp, Language::python}) {
    const Search search = search_for(language, "foo($$$A, $B, $$$C)");
    for (const char piece : {'(', '[', '{', '<', '`', '\'', '/', '\t'}) {
      for (const std::string& end : text_ends) {
        SearchLimits limits;
        limits.parse.bytes_max = std::size_t{16} << 20U;
        limits.parse.time_max = std::chrono::milliseconds(50);
        (void)search.run(std::string(100'000, piece) + end, limits);
      }
    }
    SearchLimits large;
    large.parse.bytes_max = std::size_t{16} << 20U;
    large.parse.time_max = std::chrono::milliseconds(200);
    (void)search.run(std::string(10U << 20U, '[') + " foo(1, 2)", large);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(60));
}

TEST(Search, ManyEllipsesEnd) {
  const Search search =
      search_for(Language::javascript, "f($$$A, 1, $$$B, 1, $$$C, 1, $$$D, 1, $$$E, 2)");
  std::string text = "f(";
  for (int i = 0; i < 2000; ++i) text += "1, ";
  SearchLimits limits;
  limits.parse.time_max = std::chrono::milliseconds(300);
  const auto result = search.run(text + "3)", limits);
  EXPECT_TRUE(result.found.empty());
}

TEST(Query, CapturesAndPredicates) {
  const char* text = "foo(1); fooo(2); bar(3)";
  EXPECT_EQ(count("(call_expression) @call", text), 3U);
  EXPECT_EQ(count("(call_expression function: (identifier) @f (#eq? @f \"foo\"))", text), 1U);
  EXPECT_EQ(count("(call_expression function: (identifier) @f (#not-eq? @f \"foo\"))", text), 2U);
  EXPECT_EQ(count("(call_expression function: (identifier) @f (#match? @f \"^fo+$\"))", text), 2U);
  EXPECT_EQ(count("(call_expression function: (identifier) @f (#any-of? @f \"bar\" \"x\"))", text),
            1U);
  EXPECT_EQ(count("((binary_expression left: (_) @a right: (_) @b) (#eq? @a @b))", "a+a; a+b"), 1U);
}

TEST(Query, RefusalsSayWhatAndWhere) {
  EXPECT_NE(refusal("(call_expression").find("byte"), std::string::npos);
  EXPECT_NE(refusal("(no_such_node) @a").find("no such node"), std::string::npos);
  EXPECT_NE(refusal("(call_expression nofield: (_)) @a").find("no such field"), std::string::npos);
  EXPECT_NE(refusal("(call_expression)").find("captures nothing"), std::string::npos);
  EXPECT_NE(refusal("((identifier) @a (#foo? @a \"b\"))").find("#foo?"), std::string::npos);
  EXPECT_NE(refusal("((identifier) @a (#match? @a \"(\"))").find("regular expression"),
            std::string::npos);
  EXPECT_NE(refusal("").find("empty"), std::string::npos);
}

}  // namespace
}  // namespace orchestrator::syntax
