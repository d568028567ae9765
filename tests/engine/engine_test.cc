#include "engine/engine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/temporary_directory.h"

namespace orchestrator::engine {
namespace {

using orchestrator::testing::TemporaryDirectory;
using namespace std::chrono_literals;

/// A directory that does what each message names, and says what happened to it.
class Script final : public Directory {
 public:
  using Action = std::function<void(const std::string&, Outbox&)>;
  explicit Script(Action action) : action_(std::move(action)) {}
  void on_messages(std::span<const std::string> batch, Outbox& outbox) override {
    for (const auto& message : batch) action_(message, outbox);
  }
  void on_timer(uint64_t id, Outbox& outbox) override {
    action_("timer " + std::to_string(id), outbox);
  }
  void on_bound(Outbox& outbox) override { action_("bound", outbox); }

 private:
  Action action_;
};

/// A JS side: takes what arrives and lets a test wait for it.
class Listener {
 public:
  std::function<void()> wake() {
    return [this] {
      std::lock_guard lock(mutex_);
      woken_ = true;
      changed_.notify_all();
    };
  }
  /// The next batch, or "nothing" after a while.
  std::string next(Binding& binding) {
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (std::chrono::steady_clock::now() < deadline) {
      if (auto batch = binding.take()) return *batch;
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, 50ms, [this] { return woken_; });
      woken_ = false;
    }
    return "nothing";
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

void echo(const std::string& message, Outbox& outbox) { outbox.send("\"" + message + "\""); }

DirectoryFactory scripted(Script::Action action) {
  return [action](const std::string&, const std::string&, Outbox&) {
    return std::make_unique<Script>(action);
  };
}

class EngineTest : public ::testing::Test {
 protected:
  std::shared_ptr<Binding> bind(Engine& engine, Listener& listener) {
    auto binding = engine.open(dir_.path(), "{}", listener.wake());
    EXPECT_TRUE(binding);
    return std::move(binding).value();
  }
  TemporaryDirectory dir_;
};

TEST_F(EngineTest, GreetsABindingBeforeItsMessages) {
  Engine engine(scripted(echo));
  Listener listener;
  const auto binding = bind(engine, listener);
  ASSERT_TRUE(binding->post("a"));
  std::string all;
  while (all.find('a') == std::string::npos) all += listener.next(*binding);
  EXPECT_TRUE(all == R"(["bound"]["a"])" || all == R"(["bound","a"])") << all;
}

TEST_F(EngineTest, SendsOfOneBatchArriveAsOneArray) {
  Engine engine(scripted([](const std::string& message, Outbox& outbox) {
    if (message == "bound") return;
    outbox.send("1");
    outbox.send("{\"two\":2}");
  }));
  Listener listener;
  const auto binding = bind(engine, listener);
  ASSERT_TRUE(binding->post("go"));
  EXPECT_EQ(listener.next(*binding), R"([1,{"two":2}])");
}

TEST_F(EngineTest, KeepsTheOrderOfALongBurst) {
  constexpr int count = 20'000;
  Engine engine(scripted([](const std::string& message, Outbox& outbox) {
    if (message != "bound") outbox.send(message);
  }));
  Listener listener;
  const auto binding = bind(engine, listener);
  for (int i = 0; i < count;) {
    if (binding->post(std::to_string(i))) ++i;
  }
  std::string expected;
  for (int i = 0; i < count; ++i) expected += std::to_string(i) + ",";
  std::string all;
  while (all.size() < expected.size()) {
    const std::string batch = listener.next(*binding);
    ASSERT_NE(batch, "nothing");
    all += batch.substr(1, batch.size() - 2) + ",";
  }
  EXPECT_EQ(all, expected);
  EXPECT_LT(engine.stats().batches, engine.stats().messages) << "bursts are worked off in batches";
}

TEST_F(EngineTest, LinksToOneDirectoryMeetInOneLogic) {
  std::atomic<int> made{0};
  Engine engine([&](const std::string&, const std::string&, Outbox&) {
    ++made;
    return std::make_unique<Script>(echo);
  });
  Listener a;
  Listener b;
  const auto first = bind(engine, a);
  EXPECT_EQ(a.next(*first), R"(["bound"])");
  auto second = engine.open(dir_.path() + "/../" + dir_.path().substr(dir_.path().rfind('/') + 1),
                            "{}", b.wake());
  ASSERT_TRUE(second);
  EXPECT_EQ(b.next(*second.value()), R"(["bound"])");
  EXPECT_EQ(made, 1);
}

TEST_F(EngineTest, NewestOpenBindingGetsTheMessages) {
  Engine engine(scripted(echo));
  Listener a;
  Listener b;
  const auto older = bind(engine, a);
  EXPECT_EQ(a.next(*older), R"(["bound"])");
  const auto newer = bind(engine, b);
  EXPECT_EQ(b.next(*newer), R"(["bound"])");
  ASSERT_TRUE(older->post("from the older"));
  EXPECT_EQ(b.next(*newer), R"(["from the older"])");
  newer->close();
  ASSERT_TRUE(older->post("again"));
  EXPECT_EQ(a.next(*older), R"(["again"])");
}

TEST_F(EngineTest, MessagesWaitForTheNextBindingWhereNoneIsOpen) {
  Engine engine(scripted([](const std::string& message, Outbox& outbox) {
    if (message == "bound") return;
    if (message == "go") outbox.start_timer(7, 20);
    outbox.send("\"" + message + "\"");
  }));
  Listener a;
  const auto first = bind(engine, a);
  ASSERT_TRUE(first->post("go"));
  EXPECT_EQ(a.next(*first), R"(["go"])");
  first->close();
  std::this_thread::sleep_for(60ms);
  Listener b;
  const auto second = bind(engine, b);
  EXPECT_EQ(b.next(*second), R"(["timer 7"])");
}

TEST_F(EngineTest, WhatAClosedBindingDidNotTakeGoesToTheNext) {
  Engine engine(scripted([](const std::string& message, Outbox& outbox) {
    if (message != "bound") echo(message, outbox);
  }));
  Listener a;
  const auto first = bind(engine, a);
  ASSERT_TRUE(first->post("1"));
  while (engine.stats().messages < 1) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(20ms);
  first->close();
  EXPECT_EQ(first->take(), std::nullopt);
  EXPECT_FALSE(first->post("2"));
  Listener b;
  const auto second = bind(engine, b);
  EXPECT_EQ(b.next(*second), R"(["1"])");
}

TEST_F(EngineTest, DirectoryLivesOnAfterItsLastBinding) {
  std::atomic<int> made{0};
  Engine engine([&](const std::string&, const std::string&, Outbox&) {
    ++made;
    return std::make_unique<Script>(echo);
  });
  for (int i = 0; i < 3; ++i) {
    Listener listener;
    const auto binding = bind(engine, listener);
    EXPECT_EQ(listener.next(*binding), R"(["bound"])");
  }
  EXPECT_EQ(made, 1);
}

TEST_F(EngineTest, FullInboxSaysSoAndTakesAgainLater) {
  std::mutex gate;
  EngineLimits limits;
  limits.inbox_messages_max = 4;
  Engine engine(scripted([&](const std::string&, Outbox&) { std::lock_guard lock(gate); }), limits);
  Listener listener;
  const auto binding = bind(engine, listener);
  int refused = 0;
  {
    std::lock_guard lock(gate);
    for (int i = 0; i < 20; ++i) refused += binding->post("x") ? 0 : 1;
  }
  EXPECT_GE(refused, 10);
  EXPECT_EQ(engine.stats().refused, static_cast<uint64_t>(refused));
  const auto deadline = std::chrono::steady_clock::now() + 5s;
  while (!binding->post("y") && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_LT(std::chrono::steady_clock::now(), deadline);
}

TEST_F(EngineTest, TooLongAMessageIsRefused) {
  EngineLimits limits;
  limits.message_bytes_max = 10;
  Engine engine(scripted(echo), limits);
  Listener listener;
  const auto binding = bind(engine, listener);
  EXPECT_FALSE(binding->post("12345678901"));
  EXPECT_TRUE(binding->post("1234567890"));
}

TEST_F(EngineTest, SlowListenerHoldsNoMoreThanItsMailboxAndLosesNothing) {
  EngineLimits limits;
  limits.mailbox_batches_max = 2;
  Engine engine(scripted([](const std::string& message, Outbox& outbox) {
                  if (message != "bound") outbox.send(message);
                }),
                limits);
  Listener listener;
  const auto binding = bind(engine, listener);
  std::string expected;
  for (uint64_t i = 0; i < 50; ++i) {
    ASSERT_TRUE(binding->post(std::to_string(i)));
    expected += std::to_string(i) + ",";
    while (engine.stats().messages <= i) std::this_thread::yield();
  }
  std::string all;
  while (all.size() < expected.size()) {
    const std::string batch = listener.next(*binding);
    ASSERT_NE(batch, "nothing");
    all += batch.substr(1, batch.size() - 2) + ",";
  }
  EXPECT_EQ(all, expected);
}

TEST_F(EngineTest, UnsentMessagesAreBoundedAndTheOldestGo) {
  EngineLimits limits;
  limits.unsent_messages_max = 3;
  Engine engine(scripted([](const std::string& message, Outbox& outbox) {
                  if (message == "go") outbox.start_timer(1, 20);
                  if (message == "bound") return;
                  for (int i = 0; i < 5; ++i) outbox.send(std::to_string(i));
                }),
                limits);
  Listener a;
  const auto first = bind(engine, a);
  ASSERT_TRUE(first->post("go"));
  EXPECT_EQ(a.next(*first), "[0,1,2,3,4]") << "with a binding nothing is dropped";
  first->close();
  while (engine.stats().dropped_sends < 2) std::this_thread::sleep_for(1ms);
  Listener b;
  const auto second = bind(engine, b);
  EXPECT_EQ(b.next(*second), "[2,3,4]");
}

TEST_F(EngineTest, TimersFireInOrderRestartAndCancel) {
  Engine engine(scripted([](const std::string& message, Outbox& outbox) {
    if (message == "go") {
      outbox.start_timer(1, 60);
      outbox.start_timer(2, 10);
      outbox.start_timer(3, 30);
      outbox.start_timer(4, 1);
      outbox.cancel_timer(3);
      outbox.start_timer(4, 90);
    }
    if (message.starts_with("timer")) echo(message, outbox);
  }));
  Listener listener;
  const auto binding = bind(engine, listener);
  ASSERT_TRUE(binding->post("go"));
  EXPECT_EQ(listener.next(*binding), R"(["timer 2"])");
  EXPECT_EQ(listener.next(*binding), R"(["timer 1"])");
  EXPECT_EQ(listener.next(*binding), R"(["timer 4"])");
}

TEST_F(EngineTest, WatchedSessionsAreSeenFromOutside) {
  Engine engine(scripted([](const std::string& message, Outbox& outbox) {
    if (message == "on") outbox.watch_session("ses_1");
    if (message == "off") outbox.unwatch_session("ses_1");
    if (message != "bound") echo(message, outbox);
  }));
  Listener listener;
  const auto binding = bind(engine, listener);
  EXPECT_FALSE(binding->watches("ses_1"));
  ASSERT_TRUE(binding->post("on"));
  (void)listener.next(*binding);
  EXPECT_TRUE(binding->watches("ses_1"));
  EXPECT_FALSE(binding->watches("ses_2"));
  ASSERT_TRUE(binding->post("off"));
  (void)listener.next(*binding);
  EXPECT_FALSE(binding->watches("ses_1"));
}

TEST_F(EngineTest, WhatIsSaidOfASessionIsReadInPlaceOnceAllThatWasPostedIsWorkedOff) {
  std::promise<void> go_on;
  std::atomic<bool> at_work = false;
  EngineLimits limits;
  limits.message_bytes_max = 100;
  Engine engine(scripted([&](const std::string& message, Outbox& outbox) {
                  if (message == "yes") {
                    outbox.set_session_info("nobody", "?");
                    outbox.watch_session("ses_1");
                    outbox.set_session_info("ses_1", "yes");
                  }
                  if (message == "no") {
                    at_work = true;
                    go_on.get_future().wait();
                    outbox.set_session_info("ses_1", "");
                  }
                  if (message == "fail") throw std::runtime_error("failed");
                  if (message != "bound") echo(message, outbox);
                }),
                limits);
  Listener listener;
  const auto binding = bind(engine, listener);
  // The answer to a message may be there a moment before it counts as worked off.
  const auto becomes = [&](const std::optional<std::string>& text) {
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (binding->session_info("ses_1") != text && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(1ms);
    return binding->session_info("ses_1") == text;
  };
  EXPECT_EQ(binding->session_info("ses_1"), std::nullopt);
  ASSERT_TRUE(binding->post("yes"));
  EXPECT_TRUE(becomes("yes"));
  EXPECT_EQ(binding->session_info("nobody"), std::nullopt) << "it is not watched";
  EXPECT_FALSE(binding->post(std::string(101, 'x')));
  EXPECT_EQ(binding->session_info("ses_1"), "yes") << "what is not taken is not waited for";
  ASSERT_TRUE(binding->post("no"));
  EXPECT_EQ(binding->session_info("ses_1"), std::nullopt) << "it may say no";
  while (!at_work) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(binding->session_info("ses_1"), std::nullopt);
  go_on.set_value();
  (void)listener.next(*binding);
  EXPECT_EQ(binding->session_info("ses_1"), std::nullopt);
  ASSERT_TRUE(binding->post("yes"));
  EXPECT_TRUE(becomes("yes"));
  ASSERT_TRUE(binding->post("fail"));
  EXPECT_EQ(binding->session_info("ses_1"), std::nullopt);
  while (listener.next(*binding).find("engine_failed") == std::string::npos) {
  }
  EXPECT_EQ(binding->session_info("ses_1"), std::nullopt);
  ASSERT_TRUE(binding->post("yes"));
  EXPECT_TRUE(becomes("yes"));
  binding->close();
  EXPECT_EQ(binding->session_info("ses_1"), std::nullopt);
}

TEST_F(EngineTest, PoolWorkRunsElsewhereAndItsEndHere) {
  std::thread::id engine_thread;
  std::thread::id work_thread;
  std::thread::id done_thread;
  Engine engine(scripted([&](const std::string& message, Outbox& outbox) {
    if (message != "go") return;
    engine_thread = std::this_thread::get_id();
    outbox.run_on_pool([&] { work_thread = std::this_thread::get_id(); },
                       [&](Outbox& later) {
                         done_thread = std::this_thread::get_id();
                         later.send("\"done\"");
                       });
  }));
  Listener listener;
  const auto binding = bind(engine, listener);
  ASSERT_TRUE(binding->post("go"));
  EXPECT_EQ(listener.next(*binding), R"(["done"])");
  EXPECT_EQ(done_thread, engine_thread);
  EXPECT_NE(work_thread, engine_thread);
}

TEST_F(EngineTest, AnExceptionIsToldAndANewLogicComesUp) {
  std::atomic<int> made{0};
  Engine engine([&](const std::string&, const std::string&, Outbox& outbox) {
    outbox.send("\"made " + std::to_string(++made) + "\"");
    return std::make_unique<Script>([](const std::string& message, Outbox& out) {
      if (message == "bad") throw std::runtime_error("broken \"here\"");
      if (message == "pool") out.run_on_pool([] { throw 1; }, [](Outbox&) {});
    });
  });
  Listener listener;
  const auto binding = bind(engine, listener);
  EXPECT_EQ(listener.next(*binding), R"(["made 1"])");
  ASSERT_TRUE(binding->post("bad"));
  EXPECT_EQ(listener.next(*binding), R"([{"type":"engine_failed","reason":"broken \"here\""}])");
  EXPECT_EQ(listener.next(*binding), R"(["made 2"])") << "after a second, by itself";
  ASSERT_TRUE(binding->post("pool"));
  EXPECT_EQ(listener.next(*binding),
            R"([{"type":"engine_failed","reason":"an unknown exception"}])");
  ASSERT_TRUE(binding->post("fine"));
  EXPECT_EQ(listener.next(*binding), R"(["made 3"])") << "with the next message";
  EXPECT_EQ(engine.stats().failures, 2U);
}

TEST_F(EngineTest, ALogicThatCannotBeMadeWaitsForTheNextBinding) {
  std::atomic<int> tried{0};
  Engine engine([&](const std::string&, const std::string&, Outbox&) -> std::unique_ptr<Directory> {
    if (++tried == 1) throw std::runtime_error("no disk");
    return std::make_unique<Script>(echo);
  });
  Listener a;
  const auto first = bind(engine, a);
  EXPECT_EQ(a.next(*first), R"([{"type":"engine_failed","reason":"no disk"}])");
  ASSERT_TRUE(first->post("ignored"));
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(tried, 1);
  Listener b;
  const auto second = bind(engine, b);
  EXPECT_EQ(b.next(*second), R"(["bound"])");
}

TEST_F(EngineTest, OpeningWhatIsNoDirectoryIsAnError) {
  Engine engine(scripted(echo));
  EXPECT_FALSE(engine.open(dir_.file("missing"), "{}", [] {}));
}

TEST_F(EngineTest, StopWorksOffTheInboxAndDestroysTheLogic) {
  std::atomic<int> seen{0};
  Engine engine(scripted([&](const std::string& message, Outbox&) {
    if (message == "x") ++seen;
  }));
  Listener listener;
  const auto binding = bind(engine, listener);
  for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(binding->post("x"));
  engine.stop();
  EXPECT_EQ(seen, 1'000);
  EXPECT_FALSE(binding->post("late"));
  EXPECT_FALSE(engine.open(dir_.path(), "{}", [] {}));
  engine.stop();
}

TEST_F(EngineTest, StopWithTimersAndPoolWorkEndsSoon) {
  std::atomic<int> started{0};
  {
    Engine engine(scripted([&](const std::string& message, Outbox& outbox) {
      if (message != "go") return;
      outbox.start_timer(1, 3'600'000);
      for (int i = 0; i < 1'000; ++i) {
        outbox.run_on_pool(
            [&] {
              ++started;
              std::this_thread::sleep_for(20ms);
            },
            [](Outbox&) {});
      }
    }));
    Listener listener;
    const auto binding = bind(engine, listener);
    ASSERT_TRUE(binding->post("go"));
    while (started == 0) std::this_thread::yield();
  }
  EXPECT_LT(started, 500) << "what had not begun is dropped";
}

TEST_F(EngineTest, ManyThreadsOpenPostAndClose) {
  Engine engine(scripted(echo));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        Listener listener;
        const auto binding = bind(engine, listener);
        for (int i = 0; i < 50; ++i) (void)binding->post("x");
        (void)binding->watches("ses");
        (void)binding->take();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  engine.stop();
  EXPECT_EQ(engine.stats().messages, 4U * 50U * 50U);
}

}  // namespace
}  // namespace orchestrator::engine
