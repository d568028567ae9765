// What a report of language servers says to the mission and to a model.
#include "runtime/code/lsp_report.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace orchestrator::runtime {
namespace {

using codec::ServerDiagnostic;
using Severity = ServerDiagnostic::Severity;

ServerDiagnostic at(std::uint32_t line, const std::string& message,
                    Severity severity = Severity::error, const std::string& code = "") {
  return {severity, line, 4, code, message};
}

/// A file that a server was asked about, and that was not there before the mission.
FileReport asked(const std::string& path, lsp::Diagnostics now) {
  FileReport file;
  file.path = path;
  file.language = "typescript";
  file.server = "tsserver";
  file.configured = true;
  file.text = "a\nb\nc\n";
  file.now = std::move(now);
  file.before_known = true;
  return file;
}

FileReport skipped(const std::string& path, const std::string& why) {
  FileReport file;
  file.path = path;
  file.language = "go";
  file.skipped = why;
  return file;
}

Diagnosis diagnosis(std::vector<FileReport> files, std::vector<std::string> problems = {}) {
  std::set<std::string> told;
  return diagnosis_of(CheckReport{1, std::move(files), std::move(problems)}, told);
}

TEST(LspReport, AnErrorOfANewFileIsNewAndItsPlaceCountsFromOne) {
  const Diagnosis found =
      diagnosis({asked("a.ts", {at(1, "no such name\nin two lines", Severity::error, "2304")})});
  ASSERT_EQ(found.errors.size(), 1U);
  EXPECT_EQ(found.errors[0].file, "a.ts");
  EXPECT_EQ(found.errors[0].line, 2U);
  EXPECT_EQ(found.errors[0].column, 5U);
  EXPECT_EQ(found.errors[0].code, "2304");
  EXPECT_EQ(found.errors[0].message, "no such name in two lines");
  EXPECT_EQ(found.errors[0].server, "tsserver");
  EXPECT_EQ(found.servers, std::vector<std::string>{"tsserver"});
  EXPECT_TRUE(found.notes.empty());
}

TEST(LspReport, WarningsAreNoErrors) {
  const Diagnosis found = diagnosis({asked("a.ts", {at(1, "unused", Severity::warning)})});
  EXPECT_TRUE(found.errors.empty() && found.notes.empty());
  EXPECT_EQ(found.servers.size(), 1U);
}

TEST(LspReport, AnErrorThatWasThereBeforeIsNotReported) {
  FileReport file = asked("a.ts", {at(0, "old"), at(1, "new")});
  file.text_before = "a\n";
  file.before = lsp::Diagnostics{at(0, "old")};
  const Diagnosis found = diagnosis({file});
  ASSERT_EQ(found.errors.size(), 1U);
  EXPECT_EQ(found.errors[0].message, "new");
}

TEST(LspReport, WhereTheStateBeforeIsNotKnownAnErrorIsANote) {
  FileReport unknown = asked("a.ts", {at(0, "perhaps old")});
  unknown.before_known = false;
  FileReport unasked = asked("b.ts", {at(2, "perhaps old, too")});
  unasked.text_before = "a\n";  // and no report on it
  const Diagnosis found = diagnosis({unknown, unasked});
  EXPECT_TRUE(found.errors.empty());
  EXPECT_EQ(found.notes,
            (std::vector<std::string>{
                "a.ts:1:5: perhaps old (tsserver; perhaps not this task's fault)",
                "b.ts:3:5: perhaps old, too (tsserver; perhaps not this task's fault)"}));
}

TEST(LspReport, ALanguageWithoutAServerIsToldOnce) {
  std::set<std::string> told;
  FileReport file = skipped("a.go", "gopls is not installed");
  file.missing = true;
  CheckReport report{1, {file, file}, {}};
  EXPECT_EQ(diagnosis_of(report, told).notes,
            std::vector<std::string>{"Go is not checked: gopls is not installed"});
  EXPECT_TRUE(diagnosis_of(report, told).notes.empty());
  EXPECT_TRUE(diagnosis({skipped("a.go", "it is too large")}).notes.empty());
}

TEST(LspReport, ErrorsAreBoundedAndTheRestIsCounted) {
  lsp::Diagnostics many;
  for (std::uint32_t i = 0; i < 23; ++i) many.push_back(at(i, "error " + std::to_string(i)));
  const Diagnosis found = diagnosis({asked("a.ts", many)});
  EXPECT_EQ(found.errors.size(), 20U);
  EXPECT_EQ(found.left_out, 3U);
  many.resize(20);
  EXPECT_EQ(diagnosis({asked("a.ts", many)}).left_out, 0U);
}

TEST(LspReport, NotesAreBounded) {
  lsp::Diagnostics many;
  for (std::uint32_t i = 0; i < 7; ++i) many.push_back(at(i, "error " + std::to_string(i)));
  FileReport unknown = asked("a.ts", many);
  unknown.before_known = false;
  const Diagnosis found = diagnosis({unknown}, {"no answer"});
  ASSERT_EQ(found.notes.size(), 7U) << "a problem, five errors, and how many more";
  EXPECT_EQ(found.notes.front(), "no answer");
  EXPECT_EQ(found.notes.back(), "and 2 more like these");
  const Diagnosis problems = diagnosis({}, std::vector<std::string>(12, "no answer"));
  EXPECT_EQ(problems.notes.size(), 10U);
  many.resize(5);
  unknown.now = many;
  EXPECT_EQ(diagnosis({unknown}).notes.size(), 5U);
}

TEST(LspReport, ALongMessageIsCutBetweenCharacters) {
  std::string text;
  while (text.size() < 299) text += 'x';
  const Diagnosis found = diagnosis({asked("a.ts", {at(0, text + "ä" + "tail")})});
  EXPECT_EQ(found.errors.at(0).message, text + "…") << "not half of the letter";
  const std::string fits(300, 'y');
  EXPECT_EQ(diagnosis({asked("a.ts", {at(0, fits)})}).errors.at(0).message, fits);
}

TEST(LspReport, TheListingHasErrorsFirst) {
  const CheckReport report{
      1,
      {asked("a.ts",
             {at(0, "style", Severity::hint), at(1, "unused", Severity::warning),
              at(2, "wrong", Severity::error, "2304"), at(2, "by the way", Severity::information)}),
       asked("b.ts", {}), asked("c.ts", {at(0, "worse")})},
      {"gopls did not answer"}};
  EXPECT_EQ(listing_of(report),
            "a.ts:3:5: error: wrong (tsserver 2304)\n"
            "c.ts:1:5: error: worse (tsserver)\n"
            "a.ts:2:5: warning: unused (tsserver)\n"
            "a.ts:3:5: info: by the way (tsserver)\n"
            "a.ts:1:5: hint: style (tsserver)\n"
            "1 file has no diagnostics\n"
            "Not known: gopls did not answer");
  EXPECT_EQ(listing_of({1, {asked("a.ts", {}), asked("b.ts", {})}, {}}),
            "2 files have no diagnostics");
  EXPECT_EQ(listing_of({1, {}, {}}), "");
}

TEST(LspReport, TheListingNamesAFewFilesForEachReason) {
  std::vector<FileReport> files;
  for (const char* path : {"a.go", "b.go", "c.go", "d.go", "e.go"})
    files.push_back(skipped(path, "gopls is not installed"));
  files.push_back(skipped("x.bin", "it is no source file"));
  EXPECT_EQ(listing_of({1, files, {}}),
            "Not checked: a.go, b.go, c.go, d.go, e.go: gopls is not installed\n"
            "Not checked: x.bin: it is no source file");
  files.push_back(skipped("f.go", "gopls is not installed"));
  files.push_back(skipped("g.go", "gopls is not installed"));
  EXPECT_NE(listing_of({1, files, {}}).find("e.go and 2 more: gopls"), std::string::npos);
}

TEST(LspReport, TheListingIsBounded) {
  lsp::Diagnostics many;
  for (std::uint32_t i = 0; i < 62; ++i) many.push_back(at(i, "e" + std::to_string(i)));
  const std::string lines = listing_of({1, {asked("a.ts", many)}, {}});
  EXPECT_EQ(std::ranges::count(lines, '\n'), 60);
  EXPECT_NE(lines.find("and 2 more, left out; ask about fewer files"), std::string::npos);
  for (ServerDiagnostic& one : many) one.message = std::string(250, 'x');
  const std::string wide = listing_of({1, {asked("a.ts", many)}, {}});
  EXPECT_LE(wide.size(), 8'100U);
  EXPECT_GE(wide.size(), 7'700U);
}

}  // namespace
}  // namespace orchestrator::runtime
