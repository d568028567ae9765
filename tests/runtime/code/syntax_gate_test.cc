#include "runtime/code/syntax_gate.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "support/temporary_directory.h"

namespace orchestrator::runtime {
namespace {

using syntax::Skipped;

FileText text(std::string bytes) { return {Skipped::no, std::move(bytes)}; }

std::string said(const ShadowReport& report) {
  bool unknown = true;
  return shadow_text({report}, unknown);
}

TEST(SyntaxGateFile, ReportsOnlyNewErrors) {
  ShadowFile file("src/a.js", text("let old = ;\nlet b = 1\n"));
  EXPECT_EQ(said(file.check(text("let old = ;\nlet b = 2\n"), {})), "");
  const std::string words = said(file.check(text("let old = ;\nlet b = = 2\n"), {}));
  EXPECT_NE(words.find("\nsrc/a.js:2:7: syntax error in: let b = = 2"), std::string::npos) << words;
  EXPECT_EQ(words.find("let old"), std::string::npos) << words;
  EXPECT_NE(words.find("Fix them now"), std::string::npos);
  EXPECT_EQ(said(file.check(text("let old = ;\nlet b = 2\n"), {})), "") << "fixed";
}

TEST(SyntaxGateFile, HandlesANewFileAndARemovedFile) {
  ShadowFile file("a.py", text(""));
  EXPECT_NE(said(file.check(text("def f(:\n  pass\n"), {})), "");
  EXPECT_EQ(said(file.check(text(""), {})), "");
}

TEST(SyntaxGateFile, ManyErrorsAreCounted) {
  ShadowFile file("a.js", text(""));
  std::string broken;
  for (int i = 0; i < 30; ++i) broken += "let a" + std::to_string(i) + " = ;\n";
  const std::string words = said(file.check(text(broken), {}));
  EXPECT_NE(words.find("a.js:5:"), std::string::npos) << words;
  EXPECT_EQ(words.find("a.js:6:"), std::string::npos);
  EXPECT_NE(words.find("… and 25 more"), std::string::npos);
  EXPECT_LT(words.size(), 2000U);
}

TEST(SyntaxGateFile, TheWholeParseOfAReviewAgrees) {
  ShadowFile file("a.ts", text("const a: number = 1\n"));
  const std::string broken = "const a: = 1\n";
  EXPECT_EQ(said(file.check_whole(text(broken), {})), said(file.check(text(broken), {})));
  EXPECT_NE(said(file.check_whole(text(broken), {})), "");
}

TEST(SyntaxGateText, UncheckedFilesAreReportedAndAnUnknownKindOnlyOnce) {
  bool unknown = true;
  const ShadowReport binary{"a.js", Skipped::binary, {}};
  const ShadowReport large{"b.js", Skipped::too_large, {}};
  const ShadowReport other{"c.txt", Skipped::unknown_language, {}};
  EXPECT_EQ(shadow_text({binary, large}, unknown),
            "\n\nSyntax of a.js not checked: a binary file."
            "\n\nSyntax of b.js not checked: too large.");
  EXPECT_NE(shadow_text({other}, unknown).find("c.txt not checked: no grammar"), std::string::npos);
  EXPECT_EQ(shadow_text({other}, unknown), "");
  EXPECT_EQ(shadow_text({binary}, unknown).empty(), false) << "said each time";
}

TEST(SyntaxGateFiles, TreesAreBoundedInNumberAndBytes) {
  ShadowFiles files({.trees_max = 3, .bytes_max = 1U << 20U});
  const auto write = [&](const std::string& path, const std::string& bytes) {
    files.note(path, text("let a = 1\n"));
    const auto file = files.find(path);
    (void)file->check(text(bytes), {.time_max = std::chrono::minutes(5)});  // sanitizers are slow
    files.used(path);
    return file;
  };
  const auto first = write("1.js", "let a = 2\n");
  for (const char* path : {"2.js", "3.js", "4.js"}) write(path, "let a = 2\n");
  EXPECT_EQ(files.trees(), 3U);
  EXPECT_EQ(first->bytes(), 0U) << "checked longest ago";
  EXPECT_GT(files.find("4.js")->bytes(), 0U);
  EXPECT_NE(said(first->check(text("let a = ;\n"), {})), "") << "without its tree as with it";
  std::string big;
  while (big.size() < (std::size_t{700} << 10U)) big += "call(a, b, c);\n";
  write("5.js", big);
  EXPECT_EQ(files.trees(), 1U) << "one that is too large for all is kept alone";
  EXPECT_EQ(files.note("5.js", text("")), nullptr) << "its baseline is the first one";
}

TEST(SyntaxGateFile, HostileFilesEndInTime) {
  const syntax::Limits limits{.time_max = std::chrono::milliseconds(20)};
  std::string bom_crlf = "\xEF\xBB\xBF";
  for (int i = 0; i < 1000; ++i) bom_crlf += "let a = 1;\r\n";
  std::string deep;
  while (deep.size() < (std::size_t{1} << 20U)) deep += "[{\"a\":";
  deep.resize(std::size_t{1} << 20U);
  const auto begin = std::chrono::steady_clock::now();
  for (const char* path : {"a.js", "a.json", "a.ts", "a.py", "a.sh", "a.rb"}) {
    ShadowFile file(path, text(""));
    EXPECT_EQ(file.check(text(std::string(10, '\0')), limits).skipped, Skipped::binary);
    EXPECT_EQ(file.check(text("\xFF\xFE"), limits).skipped, Skipped::not_utf8);
    EXPECT_EQ(file.check(text(std::string(std::size_t{10} << 20U, '(')), limits).skipped,
              Skipped::too_large);
    (void)file.check(text(std::string(std::size_t{1} << 20U, '(')), limits);
    (void)file.check(text(deep), limits);
    (void)file.check(text(bom_crlf), limits);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
  ShadowFile file("a.js", text(bom_crlf));
  EXPECT_EQ(said(file.check(text(bom_crlf + "let b = 1;\r\n"), {})), "");
  EXPECT_NE(said(file.check(text(bom_crlf + "let b = ;\r\n"), {})), "");
}

TEST(TextToCheck, ReadsOnlyRegularFilesUpToTheSizeLimit) {
  orchestrator::testing::TemporaryDirectory directory;
  os::FileSystem& fs = os::posix_file_system();
  const std::string path = directory.path() + "/a.js";
  EXPECT_EQ(text_to_check(fs, path).text, "") << "not there";
  EXPECT_EQ(text_to_check(fs, directory.path()).text, "") << "a directory";
  ASSERT_TRUE(os::atomic_replace(fs, path, "let a").ok());
  EXPECT_EQ(text_to_check(fs, path).text, "let a");
  ASSERT_TRUE(os::atomic_replace(fs, path, std::string((1U << 20U) + 1, 'a')).ok());
  EXPECT_EQ(text_to_check(fs, path).skipped, Skipped::too_large);
}

}  // namespace
}  // namespace orchestrator::runtime
