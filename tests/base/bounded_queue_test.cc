#include "base/bounded_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace orchestrator::base {
namespace {

using Queue = BoundedQueue<std::string>;

TEST(BoundedQueue, TellsTheFirstItemFromTheNext) {
  Queue queue(10, 100);
  EXPECT_EQ(queue.push("a", 1), Queue::Push::first);
  EXPECT_EQ(queue.push("b", 1), Queue::Push::taken);
  std::vector<std::string> out;
  queue.take_all(out);
  EXPECT_EQ(out, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(queue.push("c", 1), Queue::Push::first);
}

TEST(BoundedQueue, RefusesOverTheCount) {
  Queue queue(1, 100);
  EXPECT_EQ(queue.push("a", 1), Queue::Push::first);
  EXPECT_EQ(queue.push("b", 1), Queue::Push::full);
}

TEST(BoundedQueue, RefusesOverTheCostAndTakesAgainWhenEmptied) {
  Queue queue(10, 5);
  EXPECT_EQ(queue.push("a", 4), Queue::Push::first);
  EXPECT_EQ(queue.push("b", 2), Queue::Push::full);
  EXPECT_EQ(queue.push("c", 1), Queue::Push::taken);
  std::vector<std::string> out;
  queue.take_all(out);
  EXPECT_EQ(queue.push("b", 5), Queue::Push::first);
  EXPECT_EQ(queue.push("d", 6), Queue::Push::full);
}

TEST(BoundedQueue, ClosedRefusesButGivesOutWhatItHolds) {
  Queue queue(10, 100);
  (void)queue.push("a", 1);
  queue.close();
  EXPECT_EQ(queue.push("b", 1), Queue::Push::closed);
  std::vector<std::string> out;
  queue.take_all(out);
  EXPECT_EQ(out.size(), 1U);
}

TEST(BoundedQueue, KeepsEachProducersOrderUnderLoad) {
  constexpr int producers = 4;
  constexpr int each = 20'000;
  BoundedQueue<std::pair<int, int>> queue(1'000, 1'000'000);
  std::vector<std::thread> threads;
  for (int p = 0; p < producers; ++p) {
    threads.emplace_back([&queue, p] {
      for (int i = 0; i < each;) {
        const auto push = queue.push({p, i}, 1);
        if (push == BoundedQueue<std::pair<int, int>>::Push::full) {
          std::this_thread::yield();
        } else {
          ++i;
        }
      }
    });
  }
  std::vector<int> next(producers, 0);
  std::vector<std::pair<int, int>> out;
  for (int total = 0; total < producers * each;) {
    queue.take_all(out);
    for (const auto& [producer, number] : out) {
      ASSERT_EQ(number, next[static_cast<size_t>(producer)]++);
      ++total;
    }
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace orchestrator::base
