#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/project/project.h"
#include "support/temporary_directory.h"

namespace orchestrator::runtime {

namespace fs = std::filesystem;
using nlohmann::json;

/// Keeps what a project sends; time is turned by hand.
class FakeOutbox : public engine::Outbox {
 public:
  void send(std::string text) override { sent.push_back(json::parse(text)); }
  void start_timer(std::uint64_t id, std::uint64_t delay_ms) override { timers[id] = delay_ms; }
  void cancel_timer(std::uint64_t id) override { timers.erase(id); }
  void watch_session(const std::string& session) override { watched.push_back(session); }
  void unwatch_session(const std::string& /*session*/) override {}
  void set_session_info(const std::string& session, std::string text) override {
    session_info[session] = std::move(text);
  }
  std::uint64_t now_ms() override { return clock_ms += 10; }
  void run_on_pool(std::function<void()> work, std::function<void(engine::Outbox&)> done) override {
    work();
    done(*this);
  }

  base::Result<std::unique_ptr<engine::Process>> start_process(engine::ProcessSpec spec) override {
    if (!starts_processes) return engine::Outbox::start_process(std::move(spec));
    ++started;
    return std::unique_ptr<engine::Process>(std::make_unique<Silent>(running));
  }

  /// The newest message of a type.
  json last(const std::string& type) const {
    for (auto it = sent.rbegin(); it != sent.rend(); ++it) {
      if ((*it)["type"] == type) return *it;
    }
    return nullptr;
  }

  std::vector<json> sent;
  std::map<std::uint64_t, std::uint64_t> timers;
  std::vector<std::string> watched;
  std::map<std::string, std::string> session_info;
  std::uint64_t clock_ms = 1'700'000'000'000;
  bool starts_processes = false;  ///< that hear everything and say nothing
  int started = 0;
  int running = 0;

 private:
  struct Silent final : engine::Process {
    explicit Silent(int& running) : running_(running) { ++running_; }
    ~Silent() override { --running_; }
    void write(std::string /*bytes*/) override {}
    int& running_;
  };
};

/// A host that still has every session that it is asked about.
inline json found(const FakeOutbox& outbox) {
  const json question = outbox.last("find_sessions");
  json sessions = json::array();
  for (const json& id : question["known"]) sessions.push_back({{"session", id}});
  return {{"type", "sessions_found"}, {"effect", question["effect"]}, {"sessions", sessions}};
}

class ProjectTest : public ::testing::Test {
 protected:
  ProjectTest() { start(); }

  void start(const std::string& options = R"({"options":{},"agents":["worker"]})") {
    World world{*disk, [this] { return ++chance * 0x9E3779B97F4A7C15U; }, true, nullptr,
                log_limits};
    world.program_path = program_path;
    project = make_project(root(), options, outbox, std::move(world));
    say({{"type", "hello"}, {"mode", "run"}});
  }
  [[nodiscard]] std::string root() const { return fs::canonical(directory.path()).string(); }

  void say(const json& message) {
    const std::string text = message.dump();
    project->on_messages(std::span(&text, 1), outbox);
  }
  /// Sends a question and gives its reply, or null while it waits.
  json ask(json message) {
    const std::string request = "r" + std::to_string(++requests);
    message["request"] = request;
    say(message);
    const json reply = outbox.last("reply");
    return reply.is_null() || reply["request"] != request ? json() : reply;
  }
  json call(const char* type, const std::string& session, json args) {
    return ask({{"type", type}, {"session", session}, {"args", std::move(args)}});
  }
  json start_mission(const std::string& arguments = "Build it") {
    return ask({{"type", "mission_requested"},
                {"session", "root"},
                {"arguments", arguments},
                {"mode", "run"}});
  }
  /// The host makes the session that was asked for last, takes its prompt and begins to answer.
  void create(const std::string& session) {
    say({{"type", "session_created"},
         {"effect", outbox.last("create_session")["effect"]},
         {"session", session}});
    say({{"type", "prompt_accepted"}, {"effect", outbox.last("prompt_session")["effect"]}});
    say({{"type", "turn_started"}, {"session", session}});
  }
  void write(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(root()) / fs::path(path).parent_path());
    std::ofstream(fs::path(root()) / path) << text;
  }
  [[nodiscard]] std::string read(const std::string& path) const {
    std::ifstream file(fs::path(root()) / path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  /// A mission whose one task T1 has been submitted and waits for its Reviewer "reviewer".
  /// One task, whose Worker is at work in `src/`.
  void until_work() {
    ASSERT_TRUE(start_mission()["ok"]);
    call("submit_plan", "root",
         {{"summary", "s"},
          {"verify", {"check"}},
          {"tasks",
           {{{"id", "T1"}, {"title", "One"}, {"files", {"src/**"}}, {"verify", {"check"}}}}}});
    call("mission_run", "root", json::object());
    create("worker");
    write("src/a.js", "let a = 1\n");
  }
  void hand_in() {
    call("submit_work", "worker", {{"summary", "done"}, {"files", {"src/a.js"}}});
    create("reviewer");
  }
  void until_review() {
    until_work();
    hand_in();
  }
  /// `meanwhile` happens between the begin of the command and its end.
  void run(const std::string& session, const std::string& command, int exit_code,
           const std::function<void()>& meanwhile = nullptr) {
    const std::string call = "call" + std::to_string(++requests);
    ask({{"type", "command_asked"}, {"session", session}, {"call", call}});
    if (meanwhile) meanwhile();
    say({{"type", "command_ran"},
         {"session", session},
         {"call", call},
         {"command", command},
         {"workdir", ""},
         {"exit_code", exit_code},
         {"output", "out"}});
  }
  json pass(const std::string& session) {
    const json reply =
        call("submit_review", session,
             {{"verdict", "pass"}, {"findings", json::array()}, {"evidence", json::array()}});
    // An answer whose successor starts first comes a little later.
    return reply.is_null() ? json{{"ok", true}, {"text", ""}} : reply;
  }

  orchestrator::testing::TemporaryDirectory directory;
  os::FileSystem* disk = &os::posix_file_system();
  LogLimits log_limits;
  std::string program_path;  ///< where language servers are; nowhere
  std::uint64_t chance = 0;
  FakeOutbox outbox;
  std::unique_ptr<engine::Directory> project;
  int requests = 0;
};

}  // namespace orchestrator::runtime
