// Which files of a project are its sources.
#include "runtime/code/source_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "os/file_system.h"
#include "support/temporary_directory.h"

namespace orchestrator::runtime {
namespace {

namespace fs = std::filesystem;
using Paths = std::vector<std::string>;

class SourceFilesTest : public ::testing::Test {
 protected:
  SourceFilesTest() {
    query_.wanted = [](const std::string&) { return true; };
    query_.stop = [this] { return directories_++ >= directories_max_; };
  }

  void write(const std::string& path, const std::string& text = "x\n") {
    fs::create_directories(fs::path(dir_.file(path)).parent_path());
    std::ofstream(dir_.file(path)) << text;
  }
  SourceTree find(Paths paths = {}) {
    directories_ = 0;
    query_.paths = std::move(paths);
    return find_sources(os::posix_file_system(), dir_.path(), query_);
  }

  orchestrator::testing::TemporaryDirectory dir_;
  TreeQuery query_;
  std::size_t directories_ = 0;
  std::size_t directories_max_ = 1'000;
};

TEST_F(SourceFilesTest, AllFilesAreSortedByName) {
  for (const char* path : {"b.cc", "a/z.cc", "a.cc", "B.cc", "a/b/c.cc"}) write(path);
  const SourceTree tree = find();
  EXPECT_EQ(tree.files, (Paths{"B.cc", "a.cc", "a/b/c.cc", "a/z.cc", "b.cc"}));
  EXPECT_TRUE(tree.complete);
  EXPECT_EQ(tree.unreadable, "");
  EXPECT_EQ(find({"."}).files, tree.files);
  EXPECT_EQ(find({"./"}).files, tree.files);
}

TEST_F(SourceFilesTest, OtherProgramsDirectoriesAndLinksAreLeftOut) {
  for (const char* path : {".git/config", "node_modules/a/index.js", "p/node_modules/b.js",
                           ".opencode/todo.md", "src/a.cc", ".github/ci.yml"})
    write(path);
  fs::create_symlink(dir_.file("src/a.cc"), dir_.file("src/link.cc"));
  fs::create_directory_symlink(dir_.file("src"), dir_.file("linked"));
  ASSERT_EQ(::mkfifo(dir_.file("src/pipe").c_str(), 0600), 0);
  EXPECT_EQ(find().files, (Paths{".github/ci.yml", "src/a.cc"}));
}

TEST_F(SourceFilesTest, IgnoreFilesCountFromTheirDirectoryDown) {
  write(".gitignore", "*.log\nbuild/\n!keep.log\n");
  write("src/.gitignore", "gen.cc\n/top.cc\n");
  for (const char* path : {"a.log", "keep.log", "build/a.cc", "src/build/b.cc", "src/gen.cc",
                           "src/deep/gen.cc", "src/top.cc", "src/deep/top.cc", "gen.cc"})
    write(path);
  const Paths expected{".gitignore", "gen.cc", "keep.log", "src/.gitignore", "src/deep/top.cc"};
  EXPECT_EQ(find().files, expected);
  // Also where the search begins below them.
  EXPECT_EQ(find({"src"}).files, (Paths{"src/.gitignore", "src/deep/top.cc"}));
  EXPECT_EQ(find({"src/deep/"}).files, Paths{"src/deep/top.cc"});
  EXPECT_EQ(find({"src/**/*.cc"}).files, Paths{"src/deep/top.cc"});
}

TEST_F(SourceFilesTest, AFileThatIsNamedIsTakenThoughItIsIgnored) {
  write(".gitignore", "*.log\n");
  write("a.log");
  write("b.log");
  EXPECT_EQ(find({"a.log"}).files, Paths{"a.log"});
  EXPECT_EQ(find({"./a.log", "a.log"}).files, Paths{"a.log"}) << "once";
  EXPECT_EQ(find({"*.log"}).files, Paths{}) << "a glob names no ignored file";
  query_.wanted = [](const std::string& path) { return path.ends_with(".cc"); };
  EXPECT_EQ(find({"a.log"}).files, Paths{}) << "it is not wanted";
}

TEST_F(SourceFilesTest, AGlobNamesFilesBelowItsFixedDirectory) {
  for (const char* path : {"src/a.cc", "src/a.h", "src/x/a.cc", "srcs/a.cc", "a.cc"}) write(path);
  EXPECT_EQ(find({"src/*.cc"}).files, Paths{"src/a.cc"});
  EXPECT_EQ(directories_, 2U) << "src and src/x; nothing else is read";
  EXPECT_EQ(find({"src/**/*.cc"}).files, (Paths{"src/a.cc", "src/x/a.cc"}));
  EXPECT_EQ(find({"*.cc"}).files, Paths{"a.cc"});
  EXPECT_EQ(find({"s*/a.cc"}).files, (Paths{"src/a.cc", "srcs/a.cc"}));
  EXPECT_EQ(find({"src/a.{cc,h}", "a.cc"}).files, (Paths{"a.cc", "src/a.cc", "src/a.h"}));
  EXPECT_EQ(find({"gone.cc"}).files, Paths{});
}

TEST_F(SourceFilesTest, ALimitThatIsReachedIsReported) {
  for (const char* path : {"a.cc", "b.cc", "c.cc"}) write(path);
  query_.files_max = 3;
  EXPECT_EQ(find().files.size(), 3U);
  query_.files_max = 2;
  const SourceTree few = find();
  EXPECT_EQ(few.files.size(), 2U);
  EXPECT_FALSE(few.complete);
  query_.files_max = 10;
  directories_max_ = 0;
  EXPECT_FALSE(find().complete) << "there was no time";
  EXPECT_FALSE(find({"*.cc"}).complete);
}

TEST_F(SourceFilesTest, ADirectoryThatCannotBeListedIsNamed) {
  EXPECT_EQ(find({"gone/*.cc"}).unreadable, "gone/");
  fs::remove_all(dir_.path());
  EXPECT_EQ(find().unreadable, ".");
  EXPECT_EQ(find({"gone/*.cc", "other/*.cc"}).unreadable, "gone/") << "the first one";
}

TEST_F(SourceFilesTest, AVeryDeepTreeIsReadInPart) {
  std::string path;
  for (int i = 0; i < 203; ++i) path += "d/";
  write(path + "deep.cc");
  write("d/a.cc");
  const SourceTree tree = find();
  EXPECT_EQ(tree.files, Paths{"d/a.cc"});
  EXPECT_FALSE(tree.complete);
}

}  // namespace
}  // namespace orchestrator::runtime
