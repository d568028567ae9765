#include "syntax/parsed_text.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace orchestrator::syntax {
namespace {

using Shared = std::shared_ptr<const ParsedText>;

std::string whole(const ParseReport& report) {
  std::string out(to_string(report.skipped));
  for (const SyntaxError& error : report.errors) out += to_string(error) + "\n";
  return out;
}

std::string typescript(int functions) {
  std::string text;
  for (int i = 0; i < functions; ++i) {
    const std::string n = std::to_string(i);
    text += "export async function f" + n +
            "(a: number, b?: string): Promise<string> {\n  const x = `${a} " + n +
            "`\n  if (b && a > " + n +
            ") return [x, b].map((s) => s.trim()).join(\", \")\n  return x\n}\n\n";
  }
  return text;
}

TEST(ParsedText, SaysWhatAFreshParseSays) {
  const Shared fresh = parse_text(Language::javascript, "let a = ;\n");
  EXPECT_TRUE(fresh->from_nothing());
  EXPECT_EQ(whole(fresh->report()), whole(check_syntax(Language::javascript, "let a = ;\n")));
  EXPECT_GT(fresh->bytes(), 100U);
}

TEST(ParsedText, AnEditIsParsedUponTheTreeBefore) {
  const std::string text = typescript(20);
  Shared now = parse_text(Language::typescript, text);
  ASSERT_TRUE(now->report().clean());
  std::string broken = text;
  const std::size_t at = broken.find("return x\n}\n\nexport async function f12");
  broken.replace(at, 8, "return (x");
  now = parse_text(Language::typescript, broken, now.get());
  EXPECT_FALSE(now->from_nothing());
  EXPECT_EQ(whole(now->report()), whole(check_syntax(Language::typescript, broken)));
  ASSERT_EQ(now->report().total, 1U);
  EXPECT_NE(now->report().errors[0].text.find("return (x"), std::string::npos);
  now = parse_text(Language::typescript, text, now.get());
  EXPECT_TRUE(now->report().clean()) << "fixed again";
}

TEST(ParsedText, MarksLineEndsAndEmptyTexts) {
  for (const auto& [before, after] : std::vector<std::pair<std::string, std::string>>{
           {"", "let a = 1\n"},
           {"let a = 1\n", ""},
           {"let a = 1\r\nlet b = 2\r\n", "let a = 1\r\nlet b = = 2\r\n"},
           {"\xEF\xBB\xBFlet a = 1\n", "let a = ;\n"},
           {"let a = ;\n", "\xEF\xBB\xBFlet a = 1;\n"},
           {"let \xC3\xA4 = 1\n", "let \xC3\xA5 = 1;;\n"},
           {"aaaa", "aaaaaa"}}) {
    const Shared first = parse_text(Language::javascript, before);
    const Shared second = parse_text(Language::javascript, after, first.get());
    EXPECT_EQ(whole(second->report()), whole(check_syntax(Language::javascript, after))) << after;
  }
}

TEST(ParsedText, WhatWasSkippedIsNoBase) {
  const Shared binary = parse_text(Language::c, std::string("int a;\0", 7));
  EXPECT_EQ(binary->report().skipped, Skipped::binary);
  const Shared text = parse_text(Language::c, "int a;", binary.get());
  EXPECT_TRUE(text->from_nothing());
  EXPECT_TRUE(text->report().clean());
  const Shared other = parse_text(Language::json, "{}", text.get());
  EXPECT_TRUE(other->from_nothing()) << "another language's tree is of no use";
  EXPECT_TRUE(other->report().clean());
}

/// Whatever is edited: a text that parses is never called broken for the tree it grew out of, and
/// the other way round.
TEST(ParsedText, AChainOfEditsAgreesWithFreshParsesOnWhetherThereIsAnError) {
  std::uint64_t seed = 11;
  const auto random = [&seed](std::size_t below) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>(seed >> 33U) % below;
  };
  const std::vector<std::string> pieces = {"(",   ")", "{", "}",  ";", "\n",
                                           " x ", "`", "=", "\"", "//"};
  int wrong = 0;
  for (int run = 0; run < 30; ++run) {
    std::string text = typescript(6);
    Shared now = parse_text(Language::typescript, text);
    for (int edit = 0; edit < 12; ++edit) {
      const std::size_t at = random(text.size());
      if (random(3) == 0) {
        text.erase(at, 1 + random(5));
      } else {
        text.insert(at, pieces[random(pieces.size())]);
      }
      now = parse_text(Language::typescript, text, now.get());
      wrong += now->report().clean() != check_syntax(Language::typescript, text).clean() ? 1 : 0;
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST(ParsedText, HostileEditsEndInTime) {
  const Limits limits{.time_max = std::chrono::milliseconds(20)};
  const std::string base = typescript(200);
  const Shared before = parse_text(Language::typescript, base);
  for (const char* piece : {"(", "[", "{", "<a>", "`${", "a<b,", "/*", "\"", "\r", "if(x)"}) {
    std::string text = base.substr(0, base.size() / 2);
    while (text.size() < (std::size_t{900} << 10U)) text += piece;
    text += base.substr(base.size() / 2);
    const auto begin = std::chrono::steady_clock::now();
    const Shared now = parse_text(Language::typescript, text, before.get(), limits);
    const std::chrono::duration<double, std::milli> spent =
        std::chrono::steady_clock::now() - begin;
    EXPECT_LT(spent.count(), 5000) << piece;
    EXPECT_LE(now->report().errors.size(), limits.errors_max);
  }
}

}  // namespace
}  // namespace orchestrator::syntax
