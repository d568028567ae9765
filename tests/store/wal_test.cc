#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "os/file_system.h"
#include "sim/disk.h"
#include "store/wal_format.h"
#include "store/wal_reader.h"
#include "store/wal_writer.h"
#include "support/failing_file_system.h"
#include "support/temporary_directory.h"

namespace orchestrator::store {
namespace {

using orchestrator::testing::FailingFileSystem;
using orchestrator::testing::TemporaryDirectory;
using Payloads = std::vector<std::string>;

class WalTest : public ::testing::Test {
 protected:
  /// A log of these payloads, numbered from 1, each written by itself, and its bytes.
  std::string written(const Payloads& payloads) {
    auto writer = WalWriter::create(fs_, path_, 1);
    EXPECT_TRUE(writer);
    for (const auto& payload : payloads) {
      EXPECT_TRUE(writer.value()->append(payload));
      EXPECT_TRUE(writer.value()->sync());
    }
    return fs_.read(path_, kWalFileBytesMax).value();
  }
  void put(const std::string& bytes) { ASSERT_TRUE(os::atomic_replace(fs_, path_, bytes)); }
  std::string bytes() { return fs_.read(path_, kWalFileBytesMax).value(); }

  /// Reads the log into `read_` and `reported_`.
  base::Result<WalScan> scan() {
    read_.clear();
    reported_.clear();
    return scan_wal(
        fs_, path_,
        [this](const WalRecord& record) {
          read_.emplace_back(record.payload);
          return true;
        },
        [this](const WalDamage& damage) { reported_.push_back(damage); });
  }
  WalScan scanned() {
    auto result = scan();
    EXPECT_TRUE(result) << result.error().text();
    return result.value();
  }
  /// Where the record of this place in the list starts.
  static uint64_t offset_of(const Payloads& payloads, size_t index) {
    uint64_t offset = kWalHeaderBytes;
    for (size_t i = 0; i < index; ++i) offset += kWalRecordHeaderBytes + payloads[i].size();
    return offset;
  }
  void expect_torn_after(size_t records, uint64_t torn_bytes) {
    const WalScan result = scanned();
    EXPECT_EQ(result.records, records);
    EXPECT_EQ(result.torn_bytes, torn_bytes);
    EXPECT_FALSE(result.damage);
    EXPECT_TRUE(reported_.empty());
  }
  void expect_damage_at(uint64_t offset, size_t records) {
    const WalScan result = scanned();
    EXPECT_EQ(read_.size(), records);
    ASSERT_EQ(reported_.size(), 1U);
    EXPECT_EQ(reported_[0].offset, offset);
    ASSERT_TRUE(result.damage);
    EXPECT_EQ(result.damage->offset, offset);
    EXPECT_EQ(result.torn_bytes, 0U);
    const std::string before = bytes();
    EXPECT_FALSE(WalWriter::resume(fs_, path_, result, 1));
    EXPECT_EQ(bytes(), before) << "a damaged log must be left as it is";
  }

  TemporaryDirectory dir_;
  os::FileSystem& fs_ = os::posix_file_system();
  const std::string path_ = dir_.file("m.wal");
  const Payloads three_{"first", std::string("se\0cond", 7), std::string(70'000, 'x')};
  Payloads read_;
  std::vector<WalDamage> reported_;
};

TEST_F(WalTest, ChecksumIsCrc32c) { EXPECT_EQ(crc32c("123456789"), 0xE3069283U); }

TEST_F(WalTest, ChecksumOfTwoPartsIsThatOfTheWhole) {
  EXPECT_EQ(crc32c("1234", "56789"), 0xE3069283U);
}

TEST_F(WalTest, ReadsBackWhatWasWritten) {
  written(three_);
  const WalScan result = scanned();
  EXPECT_EQ(read_, three_);
  EXPECT_EQ(result.first_seq, 1U);
  EXPECT_EQ(result.last_seq, 3U);
  EXPECT_EQ(result.end_offset, bytes().size());
  EXPECT_EQ(result.torn_bytes, 0U);
}

TEST_F(WalTest, EmptyLogHasNoRecord) {
  written({});
  const WalScan result = scanned();
  EXPECT_EQ(result.records, 0U);
  EXPECT_EQ(result.end_offset, kWalHeaderBytes);
}

TEST_F(WalTest, EmptyPayloadIsARecord) {
  written({"", "x", ""});
  scanned();
  EXPECT_EQ(read_, (Payloads{"", "x", ""}));
}

TEST_F(WalTest, NothingIsWrittenBeforeSync) {
  auto created = WalWriter::create(fs_, path_, 1);
  WalWriter* const writer = created.value().get();
  ASSERT_TRUE(writer->append("x"));
  EXPECT_EQ(bytes().size(), kWalHeaderBytes);
  ASSERT_TRUE(writer->sync());
  EXPECT_EQ(bytes().size(), writer->size_bytes());
}

TEST_F(WalTest, ManyAppendsAreOneWriteAndOneSync) {
  FailingFileSystem spy(fs_);
  auto writer = WalWriter::create(spy, path_, 1);
  spy.calls.clear();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(writer.value()->append("event"));
  ASSERT_TRUE(writer.value()->sync());
  ASSERT_TRUE(writer.value()->sync());
  EXPECT_EQ(spy.calls, (std::vector<std::string>{"append", "sync"}));
}

TEST_F(WalTest, ResumeGoesOnWithTheNextNumber) {
  written(three_);
  auto writer = WalWriter::resume(fs_, path_, scanned(), 1);
  ASSERT_TRUE(writer);
  EXPECT_EQ(writer.value()->append("fourth").value(), 4U);
  ASSERT_TRUE(writer.value()->sync());
  EXPECT_EQ(scanned().last_seq, 4U);
}

TEST_F(WalTest, TheCallerChoosesTheFirstNumber) {
  auto created = WalWriter::create(fs_, path_, 900);
  WalWriter* const writer = created.value().get();
  EXPECT_EQ(writer->append("x").value(), 900U);
  ASSERT_TRUE(writer->sync());
  EXPECT_EQ(scanned().first_seq, 900U);
}

TEST_F(WalTest, CreateRefusesALogThatExists) {
  written(three_);
  EXPECT_FALSE(WalWriter::create(fs_, path_, 1));
}

TEST_F(WalTest, SinkCanEndThePass) {
  const std::string all = written(three_);
  int seen = 0;
  auto result = scan_wal_bytes(all, "x", [&](const WalRecord&) { return ++seen < 2; }, {});
  ASSERT_TRUE(result);
  EXPECT_EQ(result.value().last_seq, 2U);
}

TEST_F(WalTest, OversizedPayloadIsRefusedAndNothingIsBuffered) {
  auto writer = WalWriter::create(fs_, path_, 1);
  EXPECT_FALSE(writer.value()->append(std::string(kWalPayloadBytesMax + 1, 'x')));
  EXPECT_EQ(writer.value()->append("x").value(), 1U);
}

TEST_F(WalTest, ALogTornAtAnyByteIsNotDamaged) {
  const Payloads small{"alpha", "be", "gamma-delta"};
  const std::string all = written(small);
  const uint64_t last = offset_of(small, 2);
  for (uint64_t size = last; size < all.size(); ++size) {
    put(all.substr(0, size));
    expect_torn_after(2, size - last);
  }
}

TEST_F(WalTest, TornTailIsCutByTheNextWriter) {
  const std::string all = written(three_);
  put(all.substr(0, all.size() - 10));
  {
    auto writer = WalWriter::resume(fs_, path_, scanned(), 1);
    ASSERT_TRUE(writer);
    EXPECT_EQ(writer.value()->append("instead").value(), 3U);
    ASSERT_TRUE(writer.value()->sync());
  }
  EXPECT_EQ(scanned().records, 3U);
  EXPECT_EQ(read_.back(), "instead");
}

TEST_F(WalTest, TailOfZerosIsTorn) {
  put(written(three_) + std::string(4'096, '\0'));
  expect_torn_after(3, 4'096);
}

TEST_F(WalTest, TailOfGarbageIsTorn) {
  put(written(three_) + std::string(333, '\xA5'));
  expect_torn_after(3, 333);
}

TEST_F(WalTest, LastRecordWithAHoleIsTorn) {
  std::string all = written(three_);
  all.replace(all.size() - 5'000, 4'096, 4'096, '\0');
  put(all);
  expect_torn_after(2, all.size() - offset_of(three_, 2));
}

TEST_F(WalTest, FlippedBitInTheMiddlesPayloadIsDamage) {
  std::string all = written(three_);
  all[offset_of(three_, 1) + kWalRecordHeaderBytes] ^= 1;
  put(all);
  expect_damage_at(offset_of(three_, 1), 1);
  EXPECT_EQ(reported_[0].next_record_offset, offset_of(three_, 2));
}

TEST_F(WalTest, FlippedBitInEveryByteOfAHeaderInTheMiddleIsDamage) {
  const std::string all = written(three_);
  for (uint64_t i = 0; i < kWalRecordHeaderBytes; ++i) {
    std::string spoiled = all;
    spoiled[offset_of(three_, 1) + i] ^= 0x10;
    put(spoiled);
    expect_damage_at(offset_of(three_, 1), 1);
  }
}

TEST_F(WalTest, LengthPastTheEndInTheMiddleIsDamage) {
  std::string all = written(three_);
  all[offset_of(three_, 0) + 2] = '\x7f';
  put(all);
  expect_damage_at(offset_of(three_, 0), 0);
}

TEST_F(WalTest, ZeroedBlockInTheMiddleIsDamage) {
  const Payloads many(50, std::string(100, 'p'));
  std::string all = written(many);
  all.replace(offset_of(many, 10), 512, 512, '\0');
  put(all);
  expect_damage_at(offset_of(many, 10), 10);
}

TEST_F(WalTest, MissingRecordIsDamage) {
  std::string all = written(three_);
  all.erase(offset_of(three_, 1), offset_of(three_, 2) - offset_of(three_, 1));
  put(all);
  expect_damage_at(offset_of(three_, 1), 1);
}

TEST_F(WalTest, DoubledRecordIsDamage) {
  std::string all = written(three_);
  const uint64_t begin = offset_of(three_, 0);
  all.insert(begin, all.substr(begin, offset_of(three_, 1) - begin));
  put(all);
  expect_damage_at(offset_of(three_, 1), 1);
}

TEST_F(WalTest, NewerVersionIsRefusedWithASentenceAndUntouched) {
  const std::string newer = wal_header(kWalVersion + 1) + "whatever that version means";
  put(newer);
  const auto result = scan();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what,
            "has log format version 4, and this program knows versions 1 to 3");
  EXPECT_NE(result.error().fix.find("newer program"), std::string::npos);
  EXPECT_EQ(bytes(), newer);
}

TEST_F(WalTest, DamagedHeaderIsRefused) {
  std::string all = written(three_);
  all[9] ^= 1;
  put(all);
  const auto result = scan();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what, "has a damaged header at offset 0");
}

TEST_F(WalTest, ForeignFileIsRefused) {
  put("{\"this\": \"is JSON and longer than a header\"}");
  EXPECT_FALSE(scan());
  put("short");
  EXPECT_FALSE(scan());
}

TEST_F(WalTest, HeaderCutShortOrZeroedIsAnEmptyLogThatCanGoOn) {
  for (const std::string& left :
       {std::string(), wal_header().substr(0, 5), std::string(7, '\0'), std::string(40, '\0')}) {
    put(left);
    const WalScan result = scanned();
    EXPECT_EQ(result.end_offset, 0U);
    EXPECT_EQ(result.torn_bytes, left.size());
    auto writer = WalWriter::resume(fs_, path_, result, 5);
    ASSERT_TRUE(writer);
    EXPECT_EQ(writer.value()->append("x").value(), 5U);
    ASSERT_TRUE(writer.value()->sync());
    EXPECT_EQ(scanned().first_seq, 5U);
  }
}

TEST_F(WalTest, AfterAFullDiskNothingIsWrittenUntilTheLogIsReadAgain) {
  FailingFileSystem failing(fs_);
  auto writer = WalWriter::create(failing, path_, 1);
  ASSERT_TRUE(writer.value()->append("kept"));
  ASSERT_TRUE(writer.value()->sync());
  ASSERT_TRUE(writer.value()->append("lost, and never acknowledged"));
  failing.fail("append");
  EXPECT_FALSE(writer.value()->sync());
  EXPECT_FALSE(writer.value()->sync()) << "a second sync must not pretend";
  EXPECT_FALSE(writer.value()->append("more"));
  const WalScan result = scanned();
  EXPECT_EQ(read_, Payloads{"kept"});
  auto again = WalWriter::resume(fs_, path_, result, 1);
  ASSERT_TRUE(again);
  EXPECT_EQ(again.value()->next_seq(), 2U);
}

TEST_F(WalTest, AfterAFailedSyncNothingIsWritten) {
  FailingFileSystem failing(fs_);
  auto writer = WalWriter::create(failing, path_, 1);
  ASSERT_TRUE(writer.value()->append("x"));
  failing.fail("sync");
  EXPECT_FALSE(writer.value()->sync());
  EXPECT_FALSE(writer.value()->append("y"));
}

TEST_F(WalTest, PartsOfOneWriteThatArriveOutOfOrderAreTorn) {
  // Three records in one write, the middle one lost: nothing of it was acknowledged.
  auto writer = WalWriter::create(fs_, path_, 1);
  ASSERT_TRUE(writer.value()->append("acknowledged"));
  ASSERT_TRUE(writer.value()->sync());
  for (const auto& payload : three_) {
    ASSERT_TRUE(writer.value()->append(payload));
  }
  ASSERT_TRUE(writer.value()->sync());
  std::string all = bytes();
  const uint64_t second = offset_of({"acknowledged", "first"}, 2);
  all.replace(second, 10, 10, '\0');
  put(all);
  expect_torn_after(2, all.size() - second);
  // A later write proves that it was: then it is damage.
  ASSERT_TRUE(writer.value()->append("later"));
  ASSERT_TRUE(os::atomic_replace(fs_, path_, all));
  auto file = fs_.open_append(path_, false);
  std::string later;
  append_wal_record(later, {WalKind::event, true, 5, "later", 0});
  ASSERT_TRUE(file.value()->append(later));
  expect_damage_at(second, 2);
}

TEST_F(WalTest, MarksCarryTheNumberOfTheEventBeforeThem) {
  auto writer = WalWriter::create(fs_, path_, 1);
  ASSERT_TRUE(writer.value()->append("one"));
  ASSERT_TRUE(writer.value()->append_mark("state"));
  ASSERT_TRUE(writer.value()->append("two"));
  ASSERT_TRUE(writer.value()->sync());
  std::vector<std::pair<WalKind, uint64_t>> seen;
  const auto result = scan_wal(fs_, path_,
                               [&](const WalRecord& record) {
                                 seen.emplace_back(record.kind, record.seq);
                                 return true;
                               },
                               {});
  ASSERT_TRUE(result);
  using Seen = std::pair<WalKind, uint64_t>;
  EXPECT_EQ(seen,
            (std::vector<Seen>{{WalKind::event, 1}, {WalKind::mark, 1}, {WalKind::event, 2}}));
}

TEST_F(WalTest, ASegmentBeginsWithItsCheckpoint) {
  {
    auto writer = WalWriter::create(fs_, path_, 42, "the whole state");
    ASSERT_TRUE(writer);
    EXPECT_EQ(writer.value()->next_seq(), 42U);
    ASSERT_TRUE(writer.value()->append("event"));
    ASSERT_TRUE(writer.value()->sync());
    EXPECT_EQ(writer.value()->size_bytes(), bytes().size());
  }
  const WalScan result = scanned();
  EXPECT_EQ(result.first_seq, 41U);
  EXPECT_EQ(result.last_seq, 42U);
  EXPECT_EQ(read_, (Payloads{"the whole state", "event"}));
}

TEST_F(WalTest, AMarkOfAnotherEventIsDamage) {
  std::string all = written({"a"});
  append_wal_record(all, {WalKind::mark, true, 7, "of event 7", 0});
  append_wal_record(all, {WalKind::event, true, 2, "b", 0});
  put(all);
  expect_damage_at(offset_of({"a"}, 1), 1);
}

TEST_F(WalTest, AnUnknownKindIsNoRecord) {
  std::string all = written({"a"});
  const uint64_t begin = all.size();
  append_wal_record(all, {static_cast<WalKind>(3), true, 2, "b", 0});
  put(all);
  expect_torn_after(1, all.size() - begin);
}

TEST_F(WalTest, BytesThatLookLikeRecordsTakeNoQuadraticTime) {
  // Every offset claims a long record of a later number; each would cost a checksum of megabytes.
  std::string all = wal_header();
  while (all.size() < 8U << 20U) all.append("\x01\0\0\x80", 4);
  put(all);
  EXPECT_TRUE(scan());
}

/// A log as version 1 wrote it: no kinds, and every record by itself.
std::string version_1_log(const Payloads& payloads) {
  std::string all = wal_header(1);
  uint64_t seq = 1;
  for (const auto& payload : payloads) {
    append_wal_record(all, {WalKind::event, false, seq++, payload, 0});
  }
  return all;
}

TEST_F(WalTest, AVersion1LogIsRead) {
  put(version_1_log(three_));
  const WalScan result = scanned();
  EXPECT_EQ(read_, three_);
  EXPECT_EQ(result.version, 1U);
  const auto refused = WalWriter::resume(fs_, path_, result, 1);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("older log format version 1"), std::string::npos);
}

TEST_F(WalTest, DamageInAVersion1LogIsFoundToo) {
  std::string all = version_1_log(three_);
  all[offset_of(three_, 1) + kWalRecordHeaderBytes] ^= 1;
  put(all);
  expect_damage_at(offset_of(three_, 1), 1);
}

/// Found by the simulator (seed 1027518): a process put its log there and died before the name was
/// durable; the next one wrote on, and a power cut took the log with the name.
TEST(WalName, IsDurableBeforeALogIsContinued) {
  const std::string directory = "/p/.opencode/orchestrator";
  const std::string path = directory + "/m.wal";
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    sim::Faults none(1, std::vector<sim::Hit>{});
    sim::Disk disk(none);
    disk.put("/p/README.md", "A project");
    ASSERT_TRUE(os::create_durable_directories(disk, "/p", directory));
    {
      auto file = disk.open_append(path + ".tmp", true);
      ASSERT_TRUE(file && file.value()->append(wal_header()) && file.value()->sync());
    }
    ASSERT_TRUE(disk.rename(path + ".tmp", path));
    disk.die(false, sim::Random(seed));
    disk.start();
    const auto keep = [](const WalRecord&) { return true; };
    const auto scan = scan_wal(disk, path, keep, [](const WalDamage&) {});
    ASSERT_TRUE(scan);
    auto writer = WalWriter::resume(disk, path, scan.value(), 1);
    ASSERT_TRUE(writer && writer.value()->append("acknowledged") && writer.value()->sync());
    disk.die(true, sim::Random(seed));
    disk.start();
    const std::string* left = disk.look(path);
    ASSERT_NE(left, nullptr) << seed;
    EXPECT_NE(left->find("acknowledged"), std::string::npos) << seed;
  }
}

}  // namespace
}  // namespace orchestrator::store
