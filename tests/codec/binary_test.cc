#include "codec/binary.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <limits>
#include <string>

#include "sample.h"

namespace orchestrator::codec {
namespace {

using sample::Event;
using sample::Everything;
using sample::Place;

// Two versions of one record, as an upgrade would leave them in a log.
struct ItemV1 {
  std::string name;
  ORCH_FIELDS(name);
};
struct ItemV2 {
  std::string name;
  std::uint32_t weight = 7;
  std::vector<std::string> tags = {"default"};
  ORCH_FIELDS(name, weight, tags);
};
template <class Item>
struct List {
  std::vector<Item> items;
  Item one;
  std::int32_t after = 0;
  ORCH_FIELDS(items, one, after);
};

struct Chain {  // holds itself: the only way to nest deeply
  std::vector<Chain> next;
  ORCH_FIELDS(next);
};

struct Real {
  double value = 0;
  ORCH_FIELDS(value);
};

TEST(Binary, RoundTripOfEveryKindOfField) {
  for (const Everything& value : {Everything{}, sample::full()}) {
    const std::string bytes = encode(value);
    Everything back;
    std::string error;
    ASSERT_TRUE(decode(bytes, back, &error)) << error;
    EXPECT_EQ(back, value);
    EXPECT_EQ(encode(back), bytes);
  }
}

TEST(Binary, RoundTripOfAVariant) {
  for (const Event& value :
       {Event{sample::TaskFailed{{"T1"}, "why"}}, Event{sample::TimerFired{5}}}) {
    Event back;
    ASSERT_TRUE(decode(encode(value), back, nullptr));
    EXPECT_EQ(back, value);
  }
}

TEST(Binary, TheFormatIsAsDocumentedInTheHeader) {
  EXPECT_EQ(encode(Place{"ab", 300}), std::string("\x02"
                                                  "ab"
                                                  "\xAC\x02",
                                                  5));
  EXPECT_EQ(encode(Event{sample::TimerFired{3}}), std::string("\x01\x01\x03", 3));
}

TEST(Binary, OldReaderSkipsAppendedFields) {
  List<ItemV2> written{{{"a", 1, {"x"}}, {"b", 2, {}}}, {"c", 3, {"y", "z"}}, -4};
  List<ItemV1> read;
  std::string error;
  ASSERT_TRUE(decode(encode(written), read, &error)) << error;
  ASSERT_EQ(read.items.size(), 2U);
  EXPECT_EQ(read.items[1].name, "b");
  EXPECT_EQ(read.one.name, "c");
  EXPECT_EQ(read.after, -4);
  ItemV1 top;
  ASSERT_TRUE(decode(encode(written.one), top, nullptr));
  EXPECT_EQ(top.name, "c");
}

TEST(Binary, NewReaderLeavesMissingFieldsAtTheirDefaults) {
  List<ItemV1> written{{{"a"}, {"b"}}, {"c"}, -4};
  List<ItemV2> read;
  std::string error;
  ASSERT_TRUE(decode(encode(written), read, &error)) << error;
  ASSERT_EQ(read.items.size(), 2U);
  EXPECT_EQ(read.items[0].name, "a");
  EXPECT_EQ(read.items[0].weight, 7U);
  EXPECT_EQ(read.items[0].tags, (std::vector<std::string>{"default"}));
  EXPECT_EQ(read.one.weight, 7U);
  EXPECT_EQ(read.after, -4);
}

/// So the hash of a state that an old log leads to stays what it was.
TEST(Binary, AnAppendedFieldThatNothingUsesChangesNoByte) {
  const List<ItemV1> before{{{"a"}, {""}, {"b"}}, {"c"}, -4};
  List<ItemV2> after;
  ASSERT_TRUE(decode(encode(before), after, nullptr));
  EXPECT_EQ(encode(after), encode(before));
  after.items[1].weight = 8;
  EXPECT_NE(encode(after), encode(before));
  EXPECT_EQ(encode(List<ItemV2>{}), "") << "all of it is as it is by itself";
}

TEST(Binary, AFailureLeavesTheDefaultAndSaysWhere) {
  Place place{"old", 5};
  std::string error;
  EXPECT_FALSE(decode(std::string("\x09"
                                  "ab",
                                  3),
                      place, &error));
  EXPECT_EQ(place, Place{});
  EXPECT_EQ(error, "truncated at byte 1");
}

TEST(Binary, RefusesWhatIsNotCanonical) {
  Place place;
  Everything all;
  EXPECT_FALSE(decode(std::string("\x01"
                                  "a"
                                  "\x80\x00",
                                  4),
                      place, nullptr));  // overlong integer
  EXPECT_FALSE(decode(std::string("\x01"
                                  "a"
                                  "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02",
                                  12),
                      place,
                      nullptr));  // 65 bits
  EXPECT_FALSE(decode(std::string("\x01"
                                  "a"
                                  "\x80\x80\x80\x80\x10",
                                  7),
                      place, nullptr));                        // 2^32 for u32
  EXPECT_FALSE(decode(std::string("\x02", 1), all, nullptr));  // a flag of 2
  Event event;
  EXPECT_FALSE(decode(std::string("\x02\x00", 2), event, nullptr));          // no such alternative
  EXPECT_FALSE(decode(std::string("\x01\x01\x03\x00", 4), event, nullptr));  // bytes after
}

TEST(Binary, NumbersKeepTheirBitsAndThereIsOneNaN) {
  for (const double number : {0.0, -0.0, 1e308, 5e-324, std::numeric_limits<double>::infinity()}) {
    Real back;
    ASSERT_TRUE(decode(encode(Real{number}), back, nullptr));
    EXPECT_EQ(std::signbit(back.value), std::signbit(number));
    EXPECT_EQ(back.value, number);
  }
  EXPECT_EQ(encode(Real{-std::numeric_limits<double>::quiet_NaN()}),
            encode(Real{std::numeric_limits<double>::quiet_NaN()}));
}

TEST(Binary, TruncatedAtEachByte) {
  const std::string bytes = encode(sample::full());
  std::size_t accepted = 0;
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    Everything back;
    if (decode(std::string_view(bytes).substr(0, length), back, nullptr)) ++accepted;
  }
  EXPECT_EQ(accepted,
            22U);  // only where a field of the outermost struct ends: that is an older version
  const std::string event = encode(Event{sample::TaskFailed{{"T1"}, "why"}});
  for (std::size_t length = 0; length < event.size(); ++length) {
    Event back;
    EXPECT_FALSE(decode(std::string_view(event).substr(0, length), back, nullptr)) << length;
  }
}

TEST(Binary, MutationsNeverCrashAndReencodeCanonically) {
  const std::string bytes = encode(sample::full());
  std::uint64_t seed = 1;
  const auto random = [&seed](std::size_t below) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>(seed >> 33U) % below;
  };
  for (int run = 0; run < 20000; ++run) {
    std::string mutant = bytes;
    for (std::size_t n = 1 + random(4); n > 0; --n) {
      mutant[random(mutant.size())] = static_cast<char>(random(256));
    }
    Everything back;
    if (!decode(mutant, back, nullptr)) continue;
    Everything again;
    ASSERT_TRUE(decode(encode(back), again, nullptr));
    ASSERT_EQ(encode(again), encode(back));  // bytes, not values: a NaN is not itself
  }
}

TEST(Binary, HugeCountsAndLengthsAllocateNothing) {
  for (const char* kind : {"\xFF\xFF\xFF\xFF\x0F", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"}) {
    List<ItemV1> list;
    EXPECT_FALSE(decode(kind, list, nullptr));
    Place place;
    EXPECT_FALSE(decode(kind, place, nullptr));
  }
}

TEST(Binary, DeepNestingIsRefused) {
  Chain chain;
  for (int i = 0; i < kBinaryDepthMax; ++i) {
    Chain outer;
    outer.next.push_back(std::move(chain));
    chain = std::move(outer);
  }
  Chain back;
  EXPECT_TRUE(decode(encode(chain), back, nullptr));
  Chain outer;
  outer.next.push_back(std::move(chain));
  std::string error;
  EXPECT_FALSE(decode(encode(outer), back, &error));
  EXPECT_NE(error.find("nested too deep"), std::string::npos) << error;
}

TEST(Binary, DecodeOfASmallEventIsFast) {
  const Event event = sample::TaskFailed{{"T1234"}, std::string(90, 'r')};
  const std::string bytes = encode(event);
  constexpr int kRuns = 200000;
  Event back;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kRuns; ++i) {
    if (!decode(bytes, back, nullptr)) FAIL();
  }
  const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
  const double nanoseconds = spent.count() / kRuns;
  RecordProperty("decode_ns", static_cast<int>(nanoseconds));
  std::cout << bytes.size() << " bytes: " << nanoseconds << " ns a decode\n";
  EXPECT_LT(nanoseconds, 20000);  // generous: sanitizers and busy machines run this too
}

}  // namespace
}  // namespace orchestrator::codec
