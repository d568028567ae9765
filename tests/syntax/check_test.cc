#include "syntax/check.h"

#include <gtest/gtest.h>

#include <iostream>
#include <string>
#include <vector>

namespace orchestrator::syntax {
namespace {

struct Sample {
  Language language;
  std::string_view valid;
  std::string_view broken;
  std::uint32_t line;  // of the first error in `broken`
};

constexpr Sample kSamples[] = {
    {Language::javascript,
     "import a from 'a';\nexport const f = async (x) => <p className=\"b\">{x?.y ?? "
     "`z${x}`}</p>;\n",
     "const a = 1;\nconst b = = 2;\n", 2},
    {Language::typescript,
     "interface A<T> { x?: T }\nexport const f = (a: A<number>): a is A<1> => a!.x satisfies 1;\n",
     "const a: number = 1;\nfunction f(a: string {\n  return a;\n}\n", 2},
    {Language::tsx, "export const f = (p: { a: string }): JSX.Element => <b>{p.a as string}</b>;\n",
     "const a = <div>\n  <p>text</div>\n;\n", 1},
    {Language::python,
     "def f(x: int) -> int:\n    match x:\n        case 1:\n            return 2\n    return x\n",
     "import a\n\ndef f(x:\n    return x\n", 3},
    {Language::c, "#include <stdio.h>\nint main(void) { printf(\"%d\\n\", 1); return 0; }\n",
     "int f(void) {\n  int a = 1\n  return a;\n}\n", 2},
    {Language::cpp,
     "template <class T> concept C = requires(T t) { t.x; };\nauto f = []<C T>(T&& t) -> int { "
     "return 1; };\n",
     "class A {\n  void f() {\n    int a = ;\n  }\n};\n", 3},
    {Language::rust,
     "fn f<'a>(x: &'a str) -> Option<u8> { let Some(y) = x.bytes().next() else { return None }; "
     "Some(y) }\n",
     "fn f() {\n    let a = ;\n}\n", 2},
    {Language::go, "package a\n\nfunc F[T any](x T) (T, error) {\n\treturn x, nil\n}\n",
     "package a\n\nfunc F( {\n\treturn\n}\n", 3},
    {Language::java,
     "record A(int x) {\n  static int f(Object o) { return o instanceof A a ? a.x() : 0; }\n}\n",
     "class A {\n  int f() {\n    return 1\n  }\n}\n", 3},
    {Language::json, "{\"a\": [1, 2.5e3, null, true, \"b\\n\"]}\n",
     "{\n  \"a\": 1,\n  \"b\": ,\n}\n", 3},
    {Language::bash, "if [[ -f \"$1\" ]]; then\n  cat <<EOF | sort\n$(date) ${x:-y}\nEOF\nfi\n",
     "echo a\nif true; then\n  echo b\n", 2},
    {Language::ruby, "class A\n  def f(x, *y, z: 1) = x.map { |a| a&.b }\nend\n",
     "def f\n  x = [1, 2\nend\n", 2},
    {Language::php,
     "<?php\nfunction f(?int $x): string { return match($x) { 1 => 'a', default => \"b$x\" }; }\n",
     "<?php\nfunction f() {\n  $a = ;\n}\n", 3},
    {Language::c_sharp,
     "namespace A;\npublic record B(int X) { public int F() => X switch { 1 => 2, _ => 3 }; }\n",
     "class A {\n  void F() {\n    int a = ;\n  }\n}\n", 3},
};

std::string all(const ParseReport& report) {
  std::string out(to_string(report.skipped));
  for (const SyntaxError& error : report.errors) out += to_string(error) + "\n";
  return out;
}

TEST(CheckSyntax, EachLanguageHasASample) {
  ASSERT_EQ(std::size(kSamples), kLanguages.size());
  for (std::size_t i = 0; i < kLanguages.size(); ++i)
    EXPECT_EQ(kSamples[i].language, kLanguages[i]);
}

TEST(CheckSyntax, ValidTextIsClean) {
  for (const Sample& sample : kSamples) {
    const ParseReport report = check_syntax(sample.language, sample.valid);
    EXPECT_TRUE(report.clean()) << language_name(sample.language) << "\n" << all(report);
  }
}

TEST(CheckSyntax, BrokenTextHasItsErrorInTheRightLine) {
  for (const Sample& sample : kSamples) {
    const ParseReport report = check_syntax(sample.language, sample.broken);
    ASSERT_GE(report.total, 1U) << language_name(sample.language);
    EXPECT_EQ(report.total, report.errors.size());
    EXPECT_EQ(report.errors[0].line, sample.line) << language_name(sample.language) << "\n"
                                                  << all(report);
  }
}

TEST(CheckSyntax, EmptyTextIsClean) {
  for (const Language language : kLanguages) {
    EXPECT_TRUE(check_syntax(language, "").clean()) << language_name(language);
    EXPECT_TRUE(check_syntax(language, "\n\n").clean()) << language_name(language);
  }
}

TEST(CheckSyntax, AMissingTokenIsNamed) {
  const ParseReport report =
      check_syntax(Language::c, "int f(void) {\n  int a = 1\n  return a;\n}\n");
  ASSERT_EQ(report.errors.size(), 1U);
  EXPECT_EQ(report.errors[0].kind, ErrorKind::missing);
  EXPECT_EQ(to_string(report.errors[0]), "2:12: missing \";\" in: int a = 1");
}

TEST(CheckSyntax, AnUnclosedBracketIsPointedAt) {
  std::string text = "int a;\nvoid f() {\n";
  for (int i = 0; i < 50; ++i) text += "  g();\n";
  const ParseReport report = check_syntax(Language::cpp, text);
  ASSERT_GE(report.errors.size(), 1U);
  EXPECT_NE(report.errors[0].text, "int a;");
}

TEST(CheckSyntax, ByteOrderMarkAndCrlf) {
  for (const Sample& sample : kSamples) {
    std::string crlf = "\xEF\xBB\xBF";
    for (const char c : sample.valid) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
    const ParseReport report = check_syntax(sample.language, crlf);
    EXPECT_TRUE(report.clean()) << language_name(sample.language) << "\n" << all(report);
  }
  const ParseReport report = check_syntax(Language::javascript, "\xEF\xBB\xBFlet = ;\r\n");
  ASSERT_GE(report.errors.size(), 1U);
  EXPECT_EQ(report.errors[0].text, "let = ;");
}

TEST(CheckSyntax, LongLinesAreCutAroundTheError) {
  const std::string padding = "var \xC3\xA4 = 1; ";
  std::string text;
  for (int i = 0; i < 2000; ++i) text += padding;
  const ParseReport report = check_syntax(Language::javascript, text + "var = here;" + text);
  ASSERT_GE(report.errors.size(), 1U);
  EXPECT_LE(report.errors[0].text.size(), 120U);
  EXPECT_NE(report.errors[0].text.find("= here;"), std::string::npos) << report.errors[0].text;
}

TEST(CheckSyntax, ErrorsAreCountedBeyondTheList) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "let a = ;\n";
  const ParseReport report = check_syntax(Language::javascript, text, {.errors_max = 5});
  EXPECT_EQ(report.errors.size(), 5U);
  EXPECT_EQ(report.total, 300U);
}

TEST(CheckSyntax, SkipsWhatIsNoText) {
  EXPECT_EQ(check_syntax(Language::c, std::string(9, 'a'), {.bytes_max = 8}).skipped,
            Skipped::too_large);
  EXPECT_EQ(check_syntax(Language::c, std::string(10U << 20U, '(')).skipped, Skipped::too_large);
  EXPECT_EQ(check_syntax(Language::c, std::string("int a;\0", 7)).skipped, Skipped::binary);
  for (const char* bad :
       {"\xFF", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x98"}) {
    EXPECT_EQ(check_syntax(Language::c, bad).skipped, Skipped::not_utf8);
  }
  EXPECT_EQ(check_file("a.txt", "(").skipped, Skipped::unknown_language);
  EXPECT_EQ(check_file("a.json", "{}").skipped, Skipped::no);
  EXPECT_EQ(to_string(Skipped::binary), "a binary file");
}

TEST(CheckSyntax, NoTimeIsATimeLimit) {
  const ParseReport report =
      check_syntax(Language::c, "int a;", {.time_max = std::chrono::milliseconds(0)});
  EXPECT_EQ(report.skipped, Skipped::time_limit);
  EXPECT_FALSE(report.clean());
}

TEST(CheckSyntax, MemoryIsLimited) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "f(\n";
  const Limits limits{.time_max = std::chrono::minutes(1), .memory_max = std::size_t{16} << 20U};
  EXPECT_EQ(check_syntax(Language::c, text, limits).skipped, Skipped::memory_limit);
  EXPECT_TRUE(check_syntax(Language::c, "int a;", limits).clean());  // nothing stays behind
}

std::vector<std::string> hostile_texts() {
  const auto repeat = [](std::string_view piece, std::size_t bytes) {
    std::string out;
    while (out.size() + piece.size() <= bytes) out += piece;
    return out;
  };
  constexpr std::size_t kSize = 128U << 10U;
  std::vector<std::string> texts;
  for (const std::string_view piece :
       {"(",        "[",     "{",      ")",          "<",
        "{\"a\":[", "<a>",   "`${",    "$(",         "f\"{",
        "$\"{",     "\"",    "'",      "`",          "#{\"",
        "<<A\n",    "<<~A ", "R\"x(",  "/*",         "if x:\n",
        "@",        "\\",    "a?",     "<?php ",     "\xF0\x9F\x98\x80",
        "\r",       "r#\"",  "\"\"\"", "%q(",        "#if 1\n",
        "a<b,",     "-",     "!",      "case x in ", "async "}) {
    texts.push_back(repeat(piece, kSize));
  }
  std::string indented;
  for (std::size_t depth = 0; indented.size() < kSize; ++depth) {
    indented += std::string(depth, ' ') + "if x:\n";
  }
  texts.push_back(indented);
  texts.push_back("cat <<" + std::string(5000, 'E') + "\n");
  texts.push_back("<?php $a = <<<" + std::string(5000, 'E') + "\n");
  texts.push_back("x = <<~" + std::string(5000, 'E') + "\n");
  texts.push_back("auto a = R\"" + std::string(5000, 'E') + "(\n");
  return texts;
}

TEST(CheckSyntax, HostileTextsEndInTime) {
  const Limits limits{.time_max = std::chrono::milliseconds(20)};
  double worst_ms = 0;
  std::string worst;
  for (const Language language : kLanguages) {
    for (const std::string& text : hostile_texts()) {
      const auto start = std::chrono::steady_clock::now();
      const ParseReport report = check_syntax(language, text, limits);
      const std::chrono::duration<double, std::milli> spent =
          std::chrono::steady_clock::now() - start;
      if (spent.count() > worst_ms) {
        worst_ms = spent.count();
        worst = std::string(language_name(language)) + " on " + text.substr(0, 12);
      }
      EXPECT_LE(report.errors.size(), limits.errors_max);
    }
  }
  std::cout << "slowest: " << worst_ms << " ms, " << worst << "\n";
  EXPECT_LT(worst_ms, 5000) << worst;
}

TEST(CheckSyntax, MutationsNeverCrash) {
  std::uint64_t seed = 3;
  const auto random = [&seed](std::size_t below) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>(seed >> 33U) % below;
  };
  for (const Sample& sample : kSamples) {
    for (int run = 0; run < 200; ++run) {
      std::string text(sample.valid);
      for (std::size_t n = 1 + random(4); n > 0; --n) {
        const std::size_t at = random(text.size());
        if (random(2) == 0) {
          text.erase(at, 1 + random(3));
        } else {
          text.insert(at, 1, static_cast<char>(32 + random(95)));
        }
      }
      const ParseReport report = check_syntax(sample.language, text);
      for (const SyntaxError& error : report.errors) EXPECT_GE(error.line, 1U);
    }
  }
}

ParseReport js(std::string_view text) { return check_syntax(Language::javascript, text); }

TEST(NewErrors, OldErrorsMayMove) {
  const std::string old_text = "let a = ;\nok();\n";
  EXPECT_TRUE(new_errors(js(old_text), js(old_text)).empty());
  EXPECT_TRUE(new_errors(js(old_text), js("more();\n\nmore();\n  " + old_text)).empty());
  EXPECT_TRUE(new_errors(js(old_text), js("ok();\n")).empty());
}

TEST(NewErrors, OnlyTheNewOneIsReported) {
  const auto fresh = new_errors(js("let a = ;\n"), js("ok();\nlet a = ;\nlet b = * 2;\n"));
  ASSERT_EQ(fresh.size(), 1U);
  EXPECT_EQ(fresh[0].line, 3U);
  EXPECT_EQ(fresh[0].text, "let b = * 2;");
}

TEST(NewErrors, TheSameBrokenLineTwiceIsOneMore) {
  EXPECT_EQ(new_errors(js("let a = ;\n"), js("let a = ;\nok();\nlet a = ;\n")).size(), 1U);
}

TEST(NewErrors, ANewFileHasOnlyNewErrors) {
  EXPECT_EQ(new_errors(ParseReport{}, js("let a = ;\n")).size(), 1U);
}

TEST(NewErrors, NothingIsSaidOfWhatWasNotChecked) {
  ParseReport skipped;
  skipped.skipped = Skipped::binary;
  EXPECT_TRUE(new_errors(skipped, js("let a = ;\n")).empty());
  EXPECT_TRUE(new_errors(js("let a = ;\n"), skipped).empty());
}

TEST(NewErrors, AListCutShortReportsNoNewError) {
  ParseReport before = js("let a = ;\n");
  before.total = 10;
  ParseReport after = js("let b = ;\nlet c = ;\n");
  after.total = 10;
  EXPECT_TRUE(new_errors(before, after).empty());
  after.total = 11;
  EXPECT_EQ(new_errors(before, after).size(), 1U);
}

}  // namespace
}  // namespace orchestrator::syntax
