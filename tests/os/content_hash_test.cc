#include "os/content_hash.h"

#include <gtest/gtest.h>

#include "os/file_system.h"
#include "support/temporary_directory.h"

namespace orchestrator::os {
namespace {

// RFC 7693's function with 32 bytes of digest, as `b2sum -l 256` prints it.
TEST(ContentHash, IsBlake2bOf256Bits) {
  EXPECT_EQ(content_hash(""), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  EXPECT_EQ(content_hash("abc"),
            "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

TEST(ContentHash, OfAFileIsThatOfItsBytes) {
  const orchestrator::testing::TemporaryDirectory dir;
  const std::string bytes(200'000, 'x');
  ASSERT_TRUE(atomic_replace(posix_file_system(), dir.file("f"), bytes));
  EXPECT_EQ(content_hash_of_file(posix_file_system(), dir.file("f")).value(), content_hash(bytes));
}

TEST(ContentHash, OfWhatIsNoFileIsAnError) {
  const orchestrator::testing::TemporaryDirectory dir;
  EXPECT_FALSE(content_hash_of_file(posix_file_system(), dir.file("missing")));
  EXPECT_FALSE(content_hash_of_file(posix_file_system(), dir.path()));
}

}  // namespace
}  // namespace orchestrator::os
