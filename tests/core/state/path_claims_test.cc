// Globs and claims.
#include "core/state/path_claims.h"

#include <fnmatch.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

namespace orchestrator::core {
namespace {

TEST(Glob, Matches) {
  const struct {
    const char* glob;
    const char* path;
    bool matches;
  } kTable[] = {
      {"a.cc", "a.cc", true},
      {"a.cc", "b.cc", false},
      {"*.cc", "a.cc", true},
      {"*.cc", "src/a.cc", false},
      {"src/*", "src/a", true},
      {"src/*", "src/a/b", false},
      {"src/*", "src/", true},
      {"src/**", "src/a/b", true},
      {"src/**", "src/a", true},
      {"src/**", "src", false},
      {"src/**", "srcs/a", false},
      {"**", "a/b/c", true},
      {"**/a.cc", "a.cc", true},
      {"**/a.cc", "x/y/a.cc", true},
      {"**/a.cc", "x/ba.cc", false},
      {"src/**/a.cc", "src/a.cc", true},
      {"src/**/a.cc", "src/x/y/a.cc", true},
      {"src/**/a.cc", "src/xa.cc", false},
      {"a?c", "abc", true},
      {"a?c", "a/c", false},
      {"a?c", "ac", false},
      {"{a,b}.cc", "b.cc", true},
      {"{a,b}.cc", "c.cc", false},
      {"{a,{b,c}d}.x", "cd.x", true},
      {"{a,{b,c}d}.x", "c.x", false},
      {"src/{x,y}/**", "src/y/z/q", true},
      {"{a", "{a", true},
      {"a{b*", "a{bc", true},
      {"[ab].c", "a.c", true},
      {"[ab].c", "c.c", false},
      {"[!ab].c", "c.c", true},
      {"[a-c]x", "bx", true},
      {"[a-c]x", "dx", false},
      {"[a", "[a", true},
      {"app/[id]/p.tsx", "app/[id]/p.tsx", true},
      {"*", "", true},
      {"", "", true},
      {"*a*b*", "xxaxxbxx", true},
      {"*a*b*", "xxbxxaxx", false},
      {"größe/*", "größe/ä", true},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(glob_matches(row.glob, row.path), row.matches) << row.glob << " on " << row.path;
  }
}

// `fnmatch` of the C library knows neither `**` nor choices; all else means the same there.
TEST(Glob, AgreesWithTheMatcherOfTheCLibrary) {
  std::mt19937 random(7);
  const auto below = [&](unsigned most) { return static_cast<unsigned>(random() % most); };
  const auto letter = [&] { return "abc"[below(3)]; };
  const auto random_class = [&] {
    std::string text = "[";
    if (below(3) == 0) text += below(2) == 0 ? '!' : '^';
    if (below(6) == 0) text += ']';
    for (unsigned i = 0; i <= below(3); ++i) {
      text += letter();
      if (below(3) == 0) text += std::string("-") + letter();
    }
    return text + "]";
  };
  std::size_t matches = 0;
  for (int round = 0; round < 30'000; ++round) {
    std::string glob;
    for (unsigned i = 0; i <= below(6); ++i) {
      const unsigned kind = below(12);
      if (kind < 2) {
        if (!glob.ends_with('*')) glob += '*';
      } else if (kind < 4) {
        glob += '?';
      } else if (kind < 6) {
        glob += random_class();
      } else if (kind < 7) {
        glob += '/';
      } else {
        glob += letter();
      }
    }
    if (below(20) == 0) glob += '[';
    std::string path;
    for (unsigned i = 0; i <= below(6); ++i) path += below(5) == 0 ? '/' : "abc-]["[below(6)];
    const bool expected = fnmatch(glob.c_str(), path.c_str(), FNM_PATHNAME | FNM_NOESCAPE) == 0;
    ASSERT_EQ(glob_matches(glob, path), expected || glob == path) << glob << " on " << path;
    matches += expected ? 1 : 0;
  }
  EXPECT_GT(matches, 1'000U);
}

TEST(Glob, AtMost64ChoicesAndAKilobyteAreRead) {
  const std::string choices_64 = "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}";
  EXPECT_TRUE(glob_matches(choices_64, "aaaaaa"));
  EXPECT_TRUE(glob_matches(choices_64, "bbbbbb"));
  EXPECT_FALSE(glob_matches(choices_64 + "{a,b}", "aaaaaaa"));
  EXPECT_TRUE(glob_matches(std::string(1'023, 'a') + "*", std::string(1'023, 'a')));
  EXPECT_FALSE(glob_matches(std::string(1'024, 'a') + "*", std::string(1'024, 'a')));
}

TEST(Claims, FilesOfTheMissionAndOfGitAreReserved) {
  for (const char* path :
       {".git", ".git/config", ".opencode/orchestrator", ".opencode/orchestrator/m-1.wal",
        ".opencode/todo.md", ".opencode/todo.md.tmp-1", ".opencode/todo.md/x",
        ".opencode/mission_loop.json", ".opencode/mission_loop.json.damaged-1"}) {
    EXPECT_TRUE(is_reserved_path(path)) << path;
  }
  for (const char* path :
       {"", "src/a.cc", ".gitignore", ".github/x.yml", "a/.git", ".opencode",
        ".opencode/agent/a.md", ".opencode/orchestrator.json", ".opencode/todo.mdx",
        ".opencode/todo", "todo.md", ".opencode/mission_loop.jsonl"}) {
    EXPECT_FALSE(is_reserved_path(path)) << path;
  }
}

TEST(Glob, NoGlobIsSlow) {
  std::string glob;
  for (int i = 0; i < 200; ++i) glob += "*a";
  EXPECT_FALSE(glob_matches(glob + "b", std::string(1000, 'a')));
  std::string parts;
  for (int i = 0; i < 200; ++i) parts += "**/";
  EXPECT_FALSE(glob_matches(parts + "b", std::string(500, '/') + "a"));
  std::string braces;
  for (int i = 0; i < 100; ++i) braces += "{a,b}";
  EXPECT_FALSE(glob_matches(braces, std::string(100, 'a')));
}

TEST(Claims, Overlap) {
  const struct {
    const char* a;
    const char* b;
    bool overlap;
  } kTable[] = {
      {"src/**", "src/**", true},         {"src/**", "src/a.cc", true},
      {"src/**", "docs/**", false},       {"src/a.cc", "src/b.cc", false},
      {"src/a.cc", "src/a.cc", true},     {"src", "src/a.cc", true},
      {"src", "srcs/a.cc", false},        {"src", "src/**", true},
      {"src/lib", "src/*/x.c", true},     {"src/lib", "src/**/x.c", true},
      {"src/lib", "doc/*/x.c", false},    {"src/*.cc", "src/*.h", true},
      {"**/*.md", "docs/**", true},       {"**", "anything/at/all", true},
      {"**/*.md", "src/a.cc", false},     {"src/a.cc", "src/*.ts", false},
      {"src/{a,b}.cc", "src/b.cc", true}, {"src/{a,b}.cc", "src/c.cc", false},
      {"src/[ab].cc", "src/a.cc", true},  {"a/b", "a/b/c/d.cc", true},
      {"app/[id]/p.tsx", "app/**", true}, {"Makefile", "src/**", false},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(claims_overlap({row.a}, {row.b}), row.overlap) << row.a << " and " << row.b;
    EXPECT_EQ(claims_overlap({row.b}, {row.a}), row.overlap) << row.b << " and " << row.a;
  }
  EXPECT_FALSE(claims_overlap({}, {"**"})) << "no files, no claim";
  EXPECT_TRUE(claims_overlap({"x", "src/a"}, {"y", "src/a"}));
}

TEST(Claims, ATaskHoldsItsClaimAndTheFilesItHasWritten) {
  using Paths = std::vector<std::string>;
  const auto overlap = [](Paths a_files, Paths a_touched, Paths b_files, Paths b_touched) {
    Task a;
    a.files = std::move(a_files);
    a.progress.touched = std::move(a_touched);
    Task b;
    b.files = std::move(b_files);
    b.progress.touched = std::move(b_touched);
    return claims_overlap(a, b);
  };
  EXPECT_TRUE(overlap({"x"}, {"a"}, {"x"}, {"b"}));
  EXPECT_TRUE(overlap({"x"}, {"a"}, {"b"}, {"x"}));
  EXPECT_TRUE(overlap({"a"}, {"x"}, {"x"}, {"b"}));
  EXPECT_TRUE(overlap({"a"}, {"x"}, {"b"}, {"x"}));
  EXPECT_FALSE(overlap({"a"}, {"c"}, {"b"}, {"d"}));
}

TEST(Claims, AGlobThatIsTooLargeCountsAsAnOverlap) {
  std::string braces = "src/";
  for (int i = 0; i < 100; ++i) braces += "{a,b}";
  EXPECT_TRUE(claims_overlap({braces}, {"src/x.cc"}));
  EXPECT_TRUE(claims_overlap({"src/*" + std::string(2000, 'a')}, {"src/x.cc"}));
  EXPECT_FALSE(claims_overlap({braces}, {"docs/x.md"}));
}

}  // namespace
}  // namespace orchestrator::core
