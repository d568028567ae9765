#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "runtime/project/project.h"
#include "support/temporary_directory.h"

namespace orchestrator::runtime {

/// A project in a real engine: real processes, real time. The test is the JS side.
class LiveProject {
 public:
  using json = nlohmann::json;

  explicit LiveProject(std::string program_path, json options = json::object(),
                       std::uint64_t diagnose_ms = 60'000) {
    World world = posix_world();
    world.program_path = std::move(program_path);
    world.diagnose_ms = diagnose_ms;
    engine = std::make_unique<engine::Engine>(
        [world](const std::string& path, const std::string& given, engine::Outbox& outbox) {
          return make_project(path, given, outbox, world);
        });
    auto opened = engine->open(directory.path(),
                               json{{"options", std::move(options)}, {"agents", {"worker"}}}.dump(),
                               [this] { changed_.notify_all(); });
    EXPECT_TRUE(opened.ok());
    binding_ = std::move(opened).value();
    say({{"type", "hello"}, {"mode", "serve"}});
  }
  ~LiveProject() {
    binding_->close();
    engine->stop();
  }
  LiveProject(const LiveProject&) = delete;
  LiveProject& operator=(const LiveProject&) = delete;

  void say(const json& message) { EXPECT_TRUE(binding_->post(message.dump())); }
  /// Posts a question and gives its number.
  std::string post(json message) {
    const std::string request = "r" + std::to_string(++requests_);
    message["request"] = request;
    say(message);
    return request;
  }
  /// The first message that fits, of those that no one has taken; null after `seconds`.
  template <class Fits>
  json wait(Fits fits, double seconds = 60) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    do {
      while (const auto batch = binding_->take()) {
        for (json& message : json::parse(*batch)) messages.push_back(std::move(message));
      }
      for (auto it = messages.begin(); it != messages.end(); ++it) {
        if (!fits(*it)) continue;
        json found = std::move(*it);
        messages.erase(it);
        return found;
      }
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::milliseconds(20));
    } while (std::chrono::steady_clock::now() < deadline);
    return nullptr;
  }
  json effect(const std::string& type) {
    return wait([&](const json& message) { return message["type"] == type; });
  }
  json reply_to(const std::string& request, double seconds = 60) {
    return wait(
        [&](const json& message) {
          return message["type"] == "reply" && message["request"] == request;
        },
        seconds);
  }
  json call(const char* type, const std::string& session, json args) {
    return reply_to(post_call(type, session, std::move(args)));
  }
  std::string post_call(const char* type, const std::string& session, json args) {
    return post({{"type", type}, {"session", session}, {"args", std::move(args)}});
  }

  /// A mission whose task T1 (files `**`) is with the Worker "worker".
  void begin() {
    const std::string request = post({{"type", "mission_requested"},
                                      {"session", "root"},
                                      {"arguments", "x"},
                                      {"mode", "serve"}});
    const json started = reply_to(request);
    ASSERT_TRUE(started["ok"]) << started;
    ASSERT_TRUE(call("submit_plan", "root",
                     {{"summary", "s"},
                      {"verify", {"check"}},
                      {"tasks",
                       {{{"id", "T1"},
                         {"title", "One"},
                         {"description", "d"},
                         {"files", {"**"}},
                         {"verify", {"check"}}}}}})["ok"]);
    post_call("mission_run", "root", json::object());
    create("worker");
  }
  /// The host makes the session that was asked for, takes its prompt and begins to answer.
  json create(const std::string& session) {
    const json wanted = effect("create_session");
    say({{"type", "session_created"}, {"effect", wanted["effect"]}, {"session", session}});
    json prompt = effect("prompt_session");
    say({{"type", "prompt_accepted"}, {"effect", prompt["effect"]}});
    say({{"type", "turn_started"}, {"session", session}});
    return prompt;
  }
  /// The Worker writes a file as the host does: asks first.
  void work(const std::string& path, const std::string& text) {
    const json reply =
        reply_to(post({{"type", "write_asked"}, {"session", "worker"}, {"paths", {path}}}));
    ASSERT_TRUE(reply["ok"]) << reply;
    put(path, text);
  }
  void put(const std::string& path, const std::string& text) {
    const auto whole = std::filesystem::path(directory.path()) / path;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole) << text;
  }
  json submit(const std::vector<std::string>& files) {
    return call("submit_work", "worker", {{"summary", "done"}, {"files", files}});
  }

  orchestrator::testing::TemporaryDirectory directory;
  std::unique_ptr<engine::Engine> engine;
  std::vector<json> messages;

 private:
  std::shared_ptr<engine::Binding> binding_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int requests_ = 0;
};

}  // namespace orchestrator::runtime
